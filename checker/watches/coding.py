"""Numbers for keys, values and whatever else is compared: columns of a million need them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from partita.checker.explain import quoted
from partita.checker.history import IntColumn

NONE = -1
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
