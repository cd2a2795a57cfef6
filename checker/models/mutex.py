"""A lock."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from partita.checker.history import Op
from partita.checker.models.cells import ASK, SET, Cells, Step
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import ModelError, State, unfit


@dataclass(frozen=True, slots=True)
class Mutex:
    """A lock: `acquire` when it is free, `release` when it is held.

    One that answers false was refused, and did nothing.
    """

    initial: str = "free"
    name: str = "mutex"
    takes: ClassVar = "acquire and release"

    @staticmethod
    def fits(operations: Operations) -> int:
        return SHOWN if operations.names <= {"acquire", "release"} else UNFIT

    def __post_init__(self) -> None:
        if self.initial not in ("free", "held"):
            raise ModelError(f"a mutex is 'free' or 'held' at first, not {self.initial!r}")

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f in ("acquire", "release") and op.output is False:
            return state  # type: ignore[no-any-return]
        if op.f == "acquire":
            return "held" if state == "free" else None
        if op.f == "release":
            return "free" if state == "held" else None
        raise unfit(self, op)

    def in_cells(self, ops: Sequence[Op]) -> Cells:
        """One cell: whether it is held."""
        return Cells([int(self.initial == "held")], [self._steps(op) for op in ops])

    def _steps(self, op: Op) -> Sequence[Step]:
        if op.f not in ("acquire", "release"):
            raise unfit(self, op)
        if op.output is False:
            return []
        acquires = op.f == "acquire"
        return [(ASK, 0, int(not acquires)), (SET, 0, int(acquires))]
