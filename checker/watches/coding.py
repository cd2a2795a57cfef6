"""Numbers for keys, values and whatever else is compared: columns of a million need them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker.explain import quoted
from partita.checker.history import IntColumn
from partita.checker.values import Values

NONE = -1
# Values may be so many times as far apart as there are of them, to be counted and not sorted.
_SPREAD = 8
_PLAIN = {int, str, float, type(None)}


class Codes:
    """Gives each value a number from 0, None the number -1."""

    def __init__(self) -> None:
        self._codes: dict[Any, int] = {None: NONE}
        self.values: list[Any] = []

    def __len__(self) -> int:
        return len(self.values)

    def code(self, value: Any) -> int:
        """Return the number of a value, a new one if it has none."""
        # What JSON has beside numbers and text is known by how it is written.
        name = value if type(value) in _PLAIN else ("json", quoted(value))
        if name not in self._codes:
            self._codes[name] = len(self.values)
            self.values.append(value)
        return self._codes[name]

    def column(self, values: Sequence[Any]) -> IntColumn:
        """Return the numbers of many values."""
        if not set(map(type, values)) <= _PLAIN:
            return np.array([self.code(value) for value in values], dtype=np.int64)
        for value in dict.fromkeys(values):
            self.code(value)
        return np.array(list(map(self._codes.__getitem__, values)), dtype=np.int64)

    def of(self, table: Sequence[Any], column: npt.NDArray[np.int32]) -> IntColumn:
        """Return the numbers of what stands in a table: each value of it is decoded once."""
        used = np.zeros(len(table) + 1, dtype=bool)
        used[column] = True
        found = np.flatnonzero(used[:-1]).astype(np.int32)
        new = np.full(len(table) + 1, NONE, dtype=np.int64)
        if isinstance(table, Values):
            new[found] = self.column(table.several(found))
        else:
            new[found] = self.column([table[code] for code in found.tolist()])
        coded: IntColumn = new[column]
        return coded


def ranked(column: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return the different values of a column, ascending, and which of them each is.

    Revisions and the like lie close together, and then this needs no sorting.
    """
    least, most = (int(column.min()), int(column.max())) if len(column) else (0, 0)
    if most - least > _SPREAD * len(column):
        different, places = np.unique(column, return_inverse=True)
        return different, places.astype(np.int64)
    there = np.zeros(most - least + 1, dtype=bool)
    there[column - least] = True
    places = np.cumsum(there) - 1
    return np.flatnonzero(there) + least if len(column) else column, places[column - least]


def firsts(places: IntColumn, count: int) -> IntColumn:
    """Return where each place from 0 occurs first in a column of places."""
    found = np.full(count, len(places), dtype=np.int64)
    np.minimum.at(found, places, np.arange(len(places)))
    return found


def in_groups(groups: npt.NDArray[Any]) -> IntColumn:
    """Return the order that brings equal ones together, each group in the order that it had."""
    if len(groups) and groups.min() >= 0 and groups.max() <= np.iinfo(np.uint16).max:
        groups = groups.astype(np.uint16)  # numpy sorts these by counting
    return np.argsort(groups, kind="stable")
