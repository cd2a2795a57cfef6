"""A register: read, write and, unless it is a plain `register`, compare-and-set."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import POSSIBLE, SHOWN, UNFIT, Operations
from partita.checker.models.model import State, frozen, unfit
from partita.checker.models.transactions import are_transactions


@dataclass(frozen=True, slots=True)
class CasRegister:
    """A register with read, write and cas; a cas's input is `[old, new]`.

    States are one-element tuples, so that the value null is a state too. A register that
    starts with a value is never null in Jepsen's histories, where a read of null means that
    the value was not recorded: such a read is possible always.
    """

    value: Any = None
    name: str = "cas-register"
    observes_mismatch: bool = True
    takes: ClassVar = "read, write with a value, and cas with [old, new]"

    @staticmethod
    def fits(operations: Operations) -> int:
        """What is written; reads alone may be of anything, unless they are of something simple."""
        if not operations.names <= {"read", "write", "cas"} or are_transactions(operations):
            return UNFIT
        if operations.names != {"read"}:
            return SHOWN
        simple = not any(isinstance(each, list | dict) for each in operations.outputs("read"))
        return POSSIBLE if simple else UNFIT

    @property
    def initial(self) -> Hashable:
        return (frozen(self.value),)

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f == "read":
            return state if self._may_read(state, op) else None
        if op.f == "write":
            return (frozen(op.input),)
        if op.f != "cas" or self.name == "register" or not _is_pair(op.input):
            raise unfit(self, op)
        old, new = op.input
        if op.outcome == "fail":
            return state if self._mismatched(state, op, old) else None
        return (frozen(new),) if state == (frozen(old),) else None

    def _may_read(self, state: State, op: Op) -> bool:
        unrecorded = op.output is None and self.value is not None
        return op.outcome == "info" or unrecorded or bool(state == (frozen(op.output),))

    def _mismatched(self, state: State, op: Op, old: Any) -> bool:
        if op.output is None:
            return bool(state != (frozen(old),))
        return bool(state == (frozen(op.output),))


def _is_pair(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2


def register(initial: Any = None) -> CasRegister:
    """A register with read and write only."""
    return CasRegister(initial, name="register", observes_mismatch=False)
