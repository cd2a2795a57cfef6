"""A queue that keeps the order."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, frozen, unfit

_QUEUE = {"enqueue", "dequeue"}


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """A queue: `enqueue` at the end, `dequeue` from the front, null if it was empty."""

    values: Any = None
    name: str = "fifo-queue"
    takes: ClassVar = "enqueue with a value, and dequeue"

    @staticmethod
    def fits(operations: Operations) -> int:
        """What is put in and taken out, most often in order (but see `unordered-queue`)."""
        return SHOWN if operations.names in ({"enqueue"}, {"dequeue"}, _QUEUE) else UNFIT

    def __post_init__(self) -> None:
        begins_with(self.name, self.values, list | tuple, "a list")

    @property
    def initial(self) -> Hashable:
        return frozen(self.values or [])

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "enqueue":
            return (*state, frozen(op.input))
        if op.f != "dequeue":
            raise unfit(self, op)
        if op.outcome == "info":
            return state[1:]  # type: ignore[no-any-return]
        if op.output is None and not state:  # else null was put in, as a sign to stop perhaps
            return state  # type: ignore[no-any-return]
        return state[1:] if state and state[0] == frozen(op.output) else None
