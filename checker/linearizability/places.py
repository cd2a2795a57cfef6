"""Operations whose order is known up to ties: does it respect real time?"""

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
