"""A queue that keeps the order."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import State, begins_with, frozen, unfit


@dataclass(frozen=True, slots=True)
class FifoQueue:
    """A queue: `enqueue` at the end, `dequeue` from the front, null if it was empty."""

    values: Any = None
    name: str = "fifo-queue"

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
