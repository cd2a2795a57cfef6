"""A number that is added to by a compare-and-set loop; no addition may be lost.

One register holds the number as text. An add reads it and writes the sum back if the register is
unchanged; on a mismatch it begins again, until its time is up.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.settings import Setting
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Answer, answer_of
from partita.workloads.compare_and_set import change
from partita.workloads.workload import Operation


class Counter:
    """Numbers that are added to; every read shows all additions that were over before it."""

    name = "counter"
    capability = "registers"
    operations: Mapping[str, Operation] = {"add": Operation(), "read": Operation(reads=True)}
    checks = (Linearizability("counter"),)

    def __init__(
        self,
        keys: Annotated[int, Setting("Counters.", least=1, most=10_000)] = 1,
        step: Annotated[int, Setting("What each add adds.", least=1, most=1_000_000)] = 1,
        reads: Annotated[float, Setting("Share of reads.", least=0.01, most=0.99)] = 0.5,
    ) -> None:
        self.keys = [f"counter{number}" for number in range(keys)]
        self.step = step
        self.reads = reads

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        return ("read", key, None) if random.random() < self.reads else ("add", key, self.step)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Registers, f: str, key: str, value: Any, until: float) -> Answer:
        if f == "read":
            answer = answer_of(client.read(key))
            return answer._replace(value=int(answer.value or 0))
        return change(client, key, lambda old: str(int(old or 0) + value), until)[1]

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]
