"""Text under one key, replaced or extended."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import POSSIBLE, SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, unfit
from partita.checker.values import Text


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Text under one key: `put` replaces it, `append` extends it, `get` returns it.

    Numbers may be put as well, but not be extended.
    """

    value: Any = None
    name: str = "kv"
    reads: tuple[str, ...] = ("get",)
    overwrites: tuple[str, ...] = ("put",)
    takes: ClassVar = "put with text or a number, append with text, and get"

    @staticmethod
    def fits(operations: Operations) -> int:
        if not operations.names <= {"get", "put", "append"} or operations.names == {"append"}:
            return UNFIT
        return POSSIBLE if operations.names == {"get"} else SHOWN

    def __post_init__(self) -> None:
        begins_with(self.name, self.value, str | int | float, "text")

    @property
    def initial(self) -> Hashable:
        return "" if self.value is None else self.value

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "put" and isinstance(op.input, str | int | float):
            return op.input
        if op.f == "append" and isinstance(state, str) and isinstance(op.input, str):
            return joined(state, op.input)
        if op.f != "get":
            raise unfit(self, op)
        if op.outcome == "info" or state == ("" if op.output is None else op.output):
            return state  # type: ignore[no-any-return]
        return None


def joined(text: str, more: str) -> str:
    """Return one text behind another; what EDN tells from a keyword it tells by how it begins."""
    if isinstance(text or more, Text):
        return Text(str(text) + str(more))
    return text + str(more)
