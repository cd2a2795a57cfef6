"""A set that only grows."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import State, begins_with, frozen, unfit


@dataclass(frozen=True, slots=True)
class Set:
    """A growing set: `add` an element, `read` all of them in any order."""

    values: Any = None
    name: str = "set"
    reads: tuple[str, ...] = ("read",)

    def __post_init__(self) -> None:
        begins_with(self.name, self.values, list | tuple | set | frozenset, "a list")

    @property
    def initial(self) -> Hashable:
        return frozenset(frozen(value) for value in self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add":
            return state | {frozen(op.input)}  # type: ignore[no-any-return]
        if op.f != "read" or not isinstance(op.output, list | tuple | None):
            raise unfit(self, op)
        if op.outcome == "info":
            return state  # type: ignore[no-any-return]
        return state if state == frozenset(map(frozen, op.output or [])) else None
