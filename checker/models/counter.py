"""A number that is added to."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import State, begins_with, unfit


@dataclass(frozen=True, slots=True)
class Counter:
    """A number: `add` a difference, `read` the sum."""

    value: Any = None
    name: str = "counter"
    reads: tuple[str, ...] = ("read",)

    def __post_init__(self) -> None:
        begins_with(self.name, self.value, int | float, "a number")

    @property
    def initial(self) -> Hashable:
        return self.value or 0

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add" and isinstance(op.input, int | float):
            return state + op.input  # type: ignore[no-any-return]
        if op.f == "read" and op.outcome == "info":
            return state  # type: ignore[no-any-return]
        if op.f != "read" or not isinstance(op.output, int | float):
            raise unfit(self, op)
        return state if state == op.output else None
