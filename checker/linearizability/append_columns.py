"""The append engine's short way: lists of whole numbers or text, as columns.

It only finds that a history is valid, by what append.py says: the longest list is the order, all
others are beginnings of it, and real time agrees. What contradicts is looked for there, value by
value.
"""

from dataclasses import dataclass

import numpy as np

from partita.checker import _native
from partita.checker.history import OUTCOMES, CodeColumn, History, IntColumn
from partita.checker.linearizability.places import disorder
from partita.checker.verdict import Limits

_OK = OUTCOMES.index("ok")
_LAST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Columns:
    """The adds, the reads that succeeded, and where each stands in the order."""

    adds: IntColumn
    reads: IntColumn
    places: tuple[IntColumn, IntColumn]  # rows of what happened, and their places

    @staticmethod
    def of(history: History, rows: IntColumn, limits: Limits) -> "Columns | None":
        """Return a valid history's; None if it is not valid, or not of this simple kind."""
        f = history.f[rows]
        is_add = (f == history.f_code("append")) | (f == history.f_code("add"))
        is_read = f == history.f_code("read")
        if not (is_add | is_read).all():
            return None
        adds, reads = rows[is_add], rows[is_read & (history.outcome[rows] == _OK)]
        lists, list_of = np.unique(history.output[reads], return_inverse=True)
        numbered = _numbered(history, history.input[adds], lists, limits)
        # Elements are numbered as they were added, so that each has a number of its own.
        if numbered is None or (numbered.added != np.arange(len(adds))).any():
            return None
        lengths = np.diff(numbered.ends, prepend=0)
        order = numbered.list(int(lengths.argmax())) if len(lists) else numbered.elements
        place = np.full(numbered.count, -1, dtype=np.int64)
        place[order] = np.arange(len(order))
        is_once = (place[order] == np.arange(len(order))).all() and numbered.count == len(adds)
        if not is_once or not numbered.are_beginnings(order):
            return None
        seen = place[: len(adds)]
        unseen = np.where(history.outcome[adds] == _OK, _LAST - 1, -1)
        at = np.where(seen >= 0, 2 * seen, unseen)
        placed = (
            np.concatenate([adds[at >= 0], reads]),
            np.concatenate([at[at >= 0], 2 * lengths[list_of] - 1]),
        )
        return None if disorder(history, *placed) else Columns(adds, reads, placed)


@dataclass(frozen=True, slots=True)
class _Numbered:
    """Elements by number: those added, and those of each list, which ends somewhere."""

    added: CodeColumn
    elements: CodeColumn
    ends: IntColumn
    count: int

    def list(self, at: int) -> CodeColumn:
        return self.elements[self.ends[at - 1] if at else 0 : self.ends[at]]

    def are_beginnings(self, order: CodeColumn) -> bool:
        return all(
            np.array_equal(some, order[: len(some)])
            for some in map(self.list, range(len(self.ends)))
        )


def _numbered(
    history: History, added: CodeColumn, lists: CodeColumn, limits: Limits
) -> _Numbered | None:
    values = history.values
    found = _native.elements_of_lists(
        added,
        lists,
        values.payload,
        values.is_text,
        values.pairs,
        values.text_ends,
        values.text,
        limits.deadline,
        limits.memory_bytes,
        limits.stop,
    )
    # A text is the limit that was reached: the long way keeps less.
    return None if found is None or isinstance(found, str) else _Numbered(*found)
