"""Operations whose order is known, alone or up to ties: real time has its say."""

from collections.abc import Sequence

import numpy as np

from partita.checker.history import History, IntColumn


def disorder(history: History, rows: IntColumn, places: IntColumn) -> tuple[int, int] | None:
    """Find an operation that was over before one of an earlier place was invoked.

    Adds have even places and reads odd ones. Returns the one of the earlier place, rather a read,
    and the one that was over before it; None if there are none.
    """
    by_place = np.argsort(places, kind="stable")
    rows, places = rows[by_place], places[by_place]
    invoked, completed = history.invoked_rank[rows], history.completed_rank[rows]
    starts = np.searchsorted(places, places, side="left")
    latest = np.maximum.accumulate(invoked)[np.maximum(starts - 1, 0)] if len(rows) else invoked
    wrong = np.flatnonzero((starts > 0) & (completed < latest))
    if not len(wrong):
        return None
    late = int(wrong[0])
    early = np.flatnonzero(invoked[: starts[late]] > completed[late])
    reads = early[places[early] % 2 != 0]
    chosen = reads[np.argmin(invoked[reads])] if len(reads) else early[0]
    return int(rows[chosen]), int(rows[late])


def together(history: History, orders: Sequence[IntColumn]) -> IntColumn:
    """Put orders of rows that know nothing of each other into one that respects real time.

    Each operation's moment is the latest beginning of those up to it in its own order. It is not
    later than its end, or its own order would not respect real time.
    """
    if not orders:
        return np.empty(0, dtype=np.int64)
    moments = [np.maximum.accumulate(history.invoked_rank[order]) for order in orders]
    rows: IntColumn = np.concatenate(orders)[np.argsort(np.concatenate(moments), kind="stable")]
    return rows


def in_places(history: History, rows: IntColumn, places: IntColumn) -> IntColumn:
    """Return rows by their places; of one place the one that was invoked first comes first."""
    found: IntColumn = rows[np.lexsort((history.invoked_rank[rows], places))]
    return found
