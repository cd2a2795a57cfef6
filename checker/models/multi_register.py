"""Registers that are read and written together."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import State, frozen, unfit


@dataclass(frozen=True, slots=True)
class MultiRegister:
    """Registers changed together: `txn` with a list of `[":read", k, v]`, `[":write", k, v]`."""

    values: Any = None
    name: str = "multi-register"

    @property
    def initial(self) -> Hashable:
        values = self.values if isinstance(self.values, Mapping) else {}
        return frozenset((key, frozen(value)) for key, value in values.items())

    def step(self, state: State, op: Op) -> Hashable | None:
        if op.f != "txn":
            raise unfit(self, op)
        registers = dict(state)
        micro_ops = op.input if op.output is None else op.output
        try:
            possible = self._apply(registers, micro_ops, op)
        except (TypeError, ValueError):  # no list of three each, or a key that is a list
            raise unfit(self, op) from None
        return frozenset(registers.items()) if possible else None

    def _apply(self, registers: dict[Any, Any], micro_ops: Any, op: Op) -> bool:
        unset = None if isinstance(self.values, Mapping) else self.values
        for f, key, value in micro_ops:
            if f in (":write", "write", "w"):
                registers[key] = frozen(value)
            elif f not in (":read", "read", "r"):
                raise unfit(self, op)
            elif op.outcome == "ok" and registers.get(key, unset) != frozen(value):
                return False
        return True
