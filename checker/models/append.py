"""A list that is added to at its end."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, frozen, unfit
from partita.checker.values import Unordered


@dataclass(frozen=True, slots=True)
class Append:
    """A list: `append` (or `add`) an element at its end, `read` the whole."""

    values: Any = None
    name: str = "append"
    reads: tuple[str, ...] = ("read",)
    takes: ClassVar = "append or add with an element, and read, answered by a list"

    @staticmethod
    def fits(operations: Operations) -> int:
        """Lists that are read; what EDN calls a set is none."""
        if not {"read"} < operations.names or not operations.names <= {"read", "append", "add"}:
            return UNFIT
        read = [each for each in operations.outputs("read") if each is not None]
        lists = all(isinstance(each, list) and not isinstance(each, Unordered) for each in read)
        return SHOWN if read and lists else UNFIT

    def __post_init__(self) -> None:
        begins_with(self.name, self.values, list | tuple, "a list")

    @property
    def initial(self) -> Hashable:
        return frozen(self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f in ("append", "add"):
            return (*state, frozen(op.input))
        if op.f != "read":
            raise unfit(self, op)
        return state if op.outcome == "info" or state == frozen(op.output or []) else None
