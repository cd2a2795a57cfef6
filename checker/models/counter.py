"""A number that is added to."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.cells import ADD, ASK, Cells, Step, is_whole
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, unfit


@dataclass(frozen=True, slots=True)
class Counter:
    """A number: `add` a difference, `read` the sum."""

    value: Any = None
    name: str = "counter"
    reads: tuple[str, ...] = ("read",)
    takes: ClassVar = "add with a number, and read"

    @staticmethod
    def fits(operations: Operations) -> int:
        """Reads of numbers: `add` alone may be of a list or a set."""
        if operations.names != {"add", "read"}:
            return UNFIT
        read = [each for each in operations.outputs("read") if each is not None]
        added = list(operations.inputs("add"))
        return SHOWN if read and all(map(_is_number, [*read, *added])) else UNFIT

    def __post_init__(self) -> None:
        begins_with(self.name, self.value, int | float, "a number")

    @property
    def initial(self) -> Any:
        return self.value or 0

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add" and _is_number(op.input):
            return state + op.input  # type: ignore[no-any-return]
        if op.f == "read" and op.outcome == "info":
            return state  # type: ignore[no-any-return]
        if op.f != "read" or not _is_number(op.output):
            raise unfit(self, op)
        return state if state == op.output else None

    def in_cells(self, ops: Sequence[Op]) -> Cells | None:
        """One cell: the sum. Numbers with a fraction are left to `step`."""
        steps = [self._steps(op) for op in ops]
        numbers = [value for each in steps for _, _, value in each]
        if not all(map(is_whole, [self.initial, *numbers])):
            return None
        return Cells([self.initial], steps)

    def _steps(self, op: Op) -> Sequence[Step]:
        if op.f == "add" and _is_number(op.input):
            return [(ADD, 0, op.input)]
        if op.f == "read" and op.outcome == "info":
            return []
        if op.f != "read" or not _is_number(op.output):
            raise unfit(self, op)
        return [(ASK, 0, op.output)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
