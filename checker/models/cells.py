"""Models in cells: states are a few numbers, and operations are steps over them.

The search then needs not ask Python for each step, which is what takes its time. The values that a
cell may hold are whole numbers, or codes of any values. `checker/native/linearizability/cells.h`
carries the steps out.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np

from partita.checker.history import Op

# A cell holds a value; it is given one; a number is added; it holds a value or is unknown; it is
# not less than zero or unknown; no operation that needs this is possible.
ASK, SET, ADD, LEARN, NOT_NEGATIVE, NEVER = range(6)
UNKNOWN: Final = int(np.iinfo(np.int64).min)
# Numbers beyond this are left to Python, so that sums never overflow.
LARGEST: Final = 2**40

Step = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Cells:
    """What cells hold at first, and the steps of each operation: act, cell, value."""

    first: Sequence[int]
    steps: Sequence[Sequence[Step]]


@runtime_checkable
class InCells(Protocol):
    """A model that can say its steps so."""

    def in_cells(self, ops: Sequence[Op]) -> Cells | None:
        """Return the steps of these operations, None if they have values that do not fit.

        They must lead where `step` does. Raises `ModelError` for what is none of its operations.
        """


@dataclass(slots=True)
class Numbers:
    """Numbers for things: equal ones, as Python has it, have the same."""

    known: dict[Hashable, int] = field(default_factory=dict)

    def of(self, thing: Hashable) -> int:
        return self.known.setdefault(thing, len(self.known))


def is_whole(value: Any) -> bool:
    """Whether a number can be kept in a cell."""
    return type(value) is int and abs(value) <= LARGEST
