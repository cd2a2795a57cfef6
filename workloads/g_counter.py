"""Numbers added to a counter whose copies may differ for a while; in the end all show the sum.

It asks less than the workload `counter`, whose every read must show what was added before.
"""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.convergence.convergence import SETTLE_S, Convergence, Settle
from partita.checker.settings import Setting
from partita.workloads.adding import Adding
from partita.workloads.capabilities.counters import Counters
from partita.workloads.client import Answer
from partita.workloads.workload import Operation


class GCounter:
    """Numbers added to a counter that grows; in the end all nodes show the sum."""

    name = "g-counter"
    capability = "counters"
    operations: Mapping[str, Operation] = {"add": Operation(), "read": Operation(reads=True)}

    def __init__(
        self,
        delta: Annotated[int, Setting("The most that an add adds.", least=1, most=1000)] = 5,
        reads: Annotated[float, Setting("Share of reads.", least=0.01, most=0.99)] = 0.5,
        settle: Settle = SETTLE_S,
    ) -> None:
        self.checks = (Convergence(settle),)
        self._adding = Adding(1, delta, reads, settle)

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        return self._adding.draw(random)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Counters, f: str, key: str, value: Any, until: float) -> Answer:
        return self._adding.invoke(client, f, key, value)

    def final(self) -> Iterator[tuple[str, str | None]]:
        return self._adding.final()
