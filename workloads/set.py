"""Numbers added to a set, and the whole set read; nothing that was added may be lost."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.settings import Setting
from partita.workloads.capabilities.sets import Sets
from partita.workloads.client import Answer, answer_of
from partita.workloads.workload import Operation


class SetWorkload:
    """Numbers added to sets that are read as a whole; what was acknowledged stays inside."""

    name = "set"
    capability = "sets"
    operations: Mapping[str, Operation] = {"add": Operation(), "read": Operation(reads=True)}
    checks = (Linearizability("set"),)

    def __init__(
        self,
        keys: Annotated[int, Setting("Sets.", least=1, most=10_000)] = 1,
        reads: Annotated[float, Setting("Share of reads.", least=0.01, most=0.99)] = 0.1,
    ) -> None:
        self.keys = [f"set{number}" for number in range(keys)]
        self.reads = reads

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        return ("read", key, None) if random.random() < self.reads else ("add", key, number)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Sets, f: str, key: str, value: Any, until: float) -> Answer:
        if f == "add":
            return answer_of(client.add(key, str(value)))
        answer = answer_of(client.members(key))
        return answer._replace(value=sorted(map(int, answer.value)))

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]
