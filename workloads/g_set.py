"""Numbers added to a set whose copies may differ for a while; in the end all have all of it.

It asks less than the workload `set`, whose every read must show what was added before.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.convergence.convergence import SETTLE_S, Convergence, Settle
from partita.checker.settings import Setting
from partita.workloads.capabilities.sets import Sets
from partita.workloads.client import Answer, answer_of
from partita.workloads.settling import Settling
from partita.workloads.workload import Operation

KEY = "g-set"


class GSet:
    """Numbers added to a set that grows; in the end all nodes show all of it."""

    name = "g-set"
    capability = "sets"
    operations: Mapping[str, Operation] = {"add": Operation(), "read": Operation(reads=True)}

    def __init__(
        self,
        reads: Annotated[float, Setting("Share of reads.", least=0.01, most=0.99)] = 0.1,
        settle: Settle = SETTLE_S,
    ) -> None:
        self.reads = reads
        self.checks = (Convergence(settle),)
        self._acknowledged: set[int] = set()
        self._settling = Settling(settle, self._acknowledged.issubset)

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        return ("read", KEY, None) if random.random() < self.reads else ("add", KEY, number)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Sets, f: str, key: str, value: Any, until: float) -> Answer:
        if f == "add":
            answer = answer_of(client.add(key, str(value)))
            self._acknowledged.add(value)
            return answer
        answer = answer_of(client.members(key))
        shown = sorted(map(int, answer.value))
        self._settling.saw(frozenset(shown))
        return answer._replace(value=shown)

    def final(self) -> Iterator[tuple[str, str | None]]:
        return self._settling.reads("read", KEY)
