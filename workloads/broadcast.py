"""Messages told to single nodes, which pass them on; in the end every node has every message."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.convergence.convergence import SETTLE_S, Convergence, Settle
from partita.checker.settings import Setting
from partita.workloads.capabilities.broadcasts import Broadcasts
from partita.workloads.client import Answer, answer_of
from partita.workloads.settling import Settling
from partita.workloads.workload import Operation


class Broadcast:
    """Messages that reach every node in the end, whichever node they were told to."""

    name = "broadcast"
    capability = "broadcasts"
    operations: Mapping[str, Operation] = {"broadcast": Operation(), "read": Operation(reads=True)}

    def __init__(
        self,
        reads: Annotated[float, Setting("Share of reads.", least=0.01, most=0.99)] = 0.1,
        settle: Settle = SETTLE_S,
    ) -> None:
        self.reads = reads
        self.checks = (Convergence(settle),)
        self._acknowledged: set[int] = set()
        self._settling = Settling(settle, self._acknowledged.issubset)

    def draw(self, random: Random, number: int) -> tuple[str, None, Any]:
        return ("read", None, None) if random.random() < self.reads else ("broadcast", None, number)

    def prepare(self, f: str, key: None, value: Any) -> Any:
        return value

    def invoke(self, client: Broadcasts, f: str, key: None, value: Any, until: float) -> Answer:
        if f == "broadcast":
            answer = answer_of(client.broadcast(str(value)))
            self._acknowledged.add(value)
            return answer
        answer = answer_of(client.messages())
        shown = sorted(map(int, answer.value))
        self._settling.saw(frozenset(shown))
        return answer._replace(value=shown)

    def final(self) -> Iterator[tuple[str, str | None]]:
        return self._settling.reads("read", None)
