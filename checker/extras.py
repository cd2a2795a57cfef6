"""Further fields of events: kept for those who ask, and decoded only then.

What a client of your own adds to an event (`"session": "0x1f"`) stands here and in no column:
most histories have no such field, and those that have many need no table as long as the history.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker.values import ABSENT, Decoded, Values


@dataclass(frozen=True, slots=True)
class Extras:
    """Fields by the rank of their event, in the order of the file.

    `name` and `value` are positions in `names` and `values` (-1: null).
    """

    rank: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    name: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    value: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    names: tuple[str, ...] = ()
    values: Values = field(default_factory=Values.empty)

    def __len__(self) -> int:
        return len(self.rank)

    def of(self, rank: int) -> Mapping[str, Any]:
        """Return the further fields of one event."""
        begin, end = np.searchsorted(self.rank, [rank, rank + 1])
        return {
            self.names[self.name[at]]: self.values.decoded(int(self.value[at]))
            for at in range(begin, end)
        }

    def column(self, name: str, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
        """Return one field of these events, by its place in `values`; `ABSENT` where there is none.

        Where an event has it twice, the last counts.
        """
        number = self.names.index(name) if name in self.names else ABSENT
        own = np.flatnonzero(self.name == number)
        # By rank, up to one more than the last that has it: those behind it have none either.
        by_rank = np.full(int(self.rank[own].max(initial=-1)) + 2, ABSENT, dtype=np.int32)
        by_rank[self.rank[own]] = self.value[own]
        return by_rank[np.minimum(ranks, len(by_rank) - 1)]

    def of_each(self, ranks: npt.NDArray[np.int64]) -> Iterator[dict[str, Any]]:
        """Yield the further fields of these events, one after the other: `of`, for very many."""
        begins = np.searchsorted(self.rank, ranks).tolist()
        ends = np.searchsorted(self.rank, ranks, "right").tolist()
        names, values, decoded = self.name.tolist(), self.value.tolist(), Decoded(self.values)
        for begin, end in zip(begins, ends, strict=True):
            yield {self.names[names[at]]: decoded[values[at]] for at in range(begin, end)}

    def by_rank(self, name: str) -> dict[int, Any]:
        """Return one field of all events that have it, by their rank."""
        if name not in self.names:
            return {}
        found = self.name == self.names.index(name)
        values = self.values.several(self.value[found])
        return dict(zip(self.rank[found].tolist(), values, strict=True))

    def at(self, ranks: npt.NDArray[np.int64]) -> "Extras":
        """Return the fields of these events alone."""
        if not len(self):
            return self
        kept = np.isin(self.rank, ranks)
        return replace(self, rank=self.rank[kept], name=self.name[kept], value=self.value[kept])
