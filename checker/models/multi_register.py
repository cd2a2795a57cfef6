"""Registers that are read and written together."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.explain import quoted
from partita.checker.history import Op
from partita.checker.models.cells import ASK, SET, Cells, Numbers, Step
from partita.checker.models.fitting import SHOWN, UNFIT, Operations
from partita.checker.models.model import State, frozen, unfit
from partita.checker.models.transactions import READS, WRITES, are_transactions


@dataclass(frozen=True, slots=True)
class MultiRegister:
    """Registers changed together: lists of `[":r", k, v]` and `[":w", k, v]`, most often as `txn`.

    `values` is what all registers begin with, or a mapping of what each does; a state holds those
    that were written. As for single registers, a read of null of one that began with a value means
    that the value was not recorded.
    """

    values: Any = None
    name: str = "multi-register"
    takes: ClassVar = 'lists of [":r", key, value] and [":w", key, value]'

    @staticmethod
    def fits(operations: Operations) -> int:
        if operations.names == {"txn"}:
            return SHOWN
        return SHOWN if are_transactions(operations) else UNFIT

    @property
    def initial(self) -> Hashable:
        return frozenset()

    def step(self, state: State, op: Op) -> Hashable | None:
        micro_ops = op.input if op.output is None else op.output
        if not isinstance(micro_ops, list | tuple):
            raise unfit(self, op)
        registers = dict(state)
        try:
            possible = self._apply(registers, micro_ops, op)
        except (TypeError, ValueError):  # no list of three each, or a key that is a list
            raise unfit(self, op) from None
        return frozenset(registers.items()) if possible else None

    def _apply(self, registers: dict[Any, Any], micro_ops: Any, op: Op) -> bool:
        for f, key, value in micro_ops:
            if f in WRITES:
                registers[key] = frozen(value)
            elif f not in READS:
                raise unfit(self, op)
            elif op.outcome == "ok" and not self._may_read(registers, key, value):
                return False
        return True

    def in_cells(self, ops: Sequence[Op]) -> Cells:
        """A cell for each register, and a number for each value."""
        registers, values = Numbers(), Numbers()
        steps = [self._steps(op, registers, values) for op in ops]
        first = [values.of(frozen(self._begun(key))) for key in registers.known]
        return Cells(first, steps)

    def _steps(self, op: Op, registers: Numbers, values: Numbers) -> Sequence[Step]:
        micro_ops = op.input if op.output is None else op.output
        if not isinstance(micro_ops, list | tuple):
            raise unfit(self, op)
        steps = []
        try:
            for f, key, value in micro_ops:
                if f in WRITES:
                    steps.append((SET, registers.of(key), values.of(frozen(value))))
                elif f not in READS:
                    raise unfit(self, op)
                elif op.outcome == "ok" and (value is not None or self._begun(key) is None):
                    steps.append((ASK, registers.of(key), values.of(frozen(value))))
        except (TypeError, ValueError):  # no list of three each, or a key that is a list
            raise unfit(self, op) from None
        return steps

    def _may_read(self, registers: dict[Any, Any], key: Any, value: Any) -> bool:
        begun = self._begun(key)
        if value is None and begun is not None:
            return True
        held = registers[key] if key in registers else frozen(begun)
        return bool(held == frozen(value))

    def _begun(self, key: Any) -> Any:
        """Return what a register began with: JSON has no other names than texts."""
        if not isinstance(self.values, Mapping):
            return self.values
        if not isinstance(key, str):
            return self.values.get(key, self.values.get(quoted(key)))
        return self.values.get(key, self.values.get(key.removeprefix(":")))
