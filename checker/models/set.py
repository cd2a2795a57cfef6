"""A set."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import State, begins_with, frozen, unfit


@dataclass(frozen=True, slots=True)
class Set:
    """A set: `add` or `remove` an element, ask whether it `contains` one, `read` all of them."""

    values: Any = None
    name: str = "set"
    reads: tuple[str, ...] = ("read", "contains")

    def __post_init__(self) -> None:
        begins_with(self.name, self.values, list | tuple | set | frozenset, "a list")

    @property
    def initial(self) -> Hashable:
        return frozenset(frozen(value) for value in self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "add":
            return state | {frozen(op.input)}  # type: ignore[no-any-return]
        if op.f == "remove":
            return state - {frozen(op.input)}  # type: ignore[no-any-return]
        if op.f == "contains":
            return self._asked(state, op)
        if op.f != "read" or not isinstance(op.output, list | tuple | None):
            raise unfit(self, op)
        if op.outcome == "info":
            return state  # type: ignore[no-any-return]
        return state if state == frozenset(map(frozen, op.output or [])) else None

    def _asked(self, state: State, op: Op) -> Hashable | None:
        if op.outcome == "info":
            return state  # type: ignore[no-any-return]
        if not isinstance(op.output, bool):
            raise unfit(self, op)
        return state if op.output == (frozen(op.input) in state) else None
