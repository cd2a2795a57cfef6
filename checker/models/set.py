"""A set."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import POSSIBLE, SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, frozen, unfit
from partita.checker.values import Unordered


@dataclass(frozen=True, slots=True)
class Set:
    """A set: `add` or `remove` an element, ask whether it `contains` one, `read` all of them."""

    values: Any = None
    name: str = "set"
    reads: tuple[str, ...] = ("read", "contains")
    takes: ClassVar = (
        "add, remove and contains with an element, and read, answered by a list or a set"
    )

    @staticmethod
    def fits(operations: Operations) -> int:
        """Sets that are read. Of lists nobody knows whether their order means something."""
        if operations.names & {"remove", "contains"}:
            return SHOWN if operations.names <= {"add", "remove", "contains", "read"} else UNFIT
        if operations.names != {"add", "read"}:
            return UNFIT
        read = [each for each in operations.outputs("read") if each is not None]
        if not read or not all(isinstance(each, list) for each in read):
            return UNFIT
        return SHOWN if all(isinstance(each, Unordered) for each in read) else POSSIBLE

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
        elements = [frozen(each) for each in op.output or []]
        # A set holds an element once, however often it was added.
        once = len(set(elements)) == len(elements)
        return state if once and state == frozenset(elements) else None

    def _asked(self, state: State, op: Op) -> Hashable | None:
        if op.outcome == "info":
            return state  # type: ignore[no-any-return]
        if not isinstance(op.output, bool):
            raise unfit(self, op)
        return state if op.output == (frozen(op.input) in state) else None
