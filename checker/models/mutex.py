"""A lock."""

from collections.abc import Hashable
from dataclasses import dataclass

from partita.checker.history import Op
from partita.checker.models.model import ModelError, State, unfit


@dataclass(frozen=True, slots=True)
class Mutex:
    """A lock: `acquire` when it is free, `release` when it is held."""

    initial: str = "free"
    name: str = "mutex"

    def __post_init__(self) -> None:
        if self.initial not in ("free", "held"):
            raise ModelError(f"a mutex is 'free' or 'held' at first, not {self.initial!r}")

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "acquire":
            return "held" if state == "free" else None
        if op.f == "release":
            return "free" if state == "held" else None
        raise unfit(self, op)
