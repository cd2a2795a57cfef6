"""Where each operation stands in the store's own order of updates.

Updates have places from 1, in the order of their versions; a read has the place of the update
whose value it found, 0 for a register that was never written.
"""

from dataclasses import dataclass

import numpy as np

from partita.checker.history import NEVER, IntColumn
from partita.checker.sessions.observed import MISMATCH, NULL, READ, UPDATE, BoolColumn, Observed


@dataclass(slots=True)
class Placed:
    """`updates` in their order; by operation its `place`, and that of its key's `next` update.

    `taking` says which operations take part: not those that were dropped, not updates that
    crashed and that nobody saw, for which it is as if they had never been sent, and not a cas
    that failed and may have met one of these. `hidden` are the updates of which it is known only
    what they stand directly before.
    """

    seen: Observed
    updates: IntColumn
    place: IntColumn
    next: IntColumn
    taking: BoolColumn
    hidden: list[int]

    def at(self, place: int) -> int:
        """Return the update at a place."""
        return int(self.updates[place - 1])


def place(seen: Observed, following: dict[int, int]) -> Placed:
    """Place operations whose versions are resolved.

    `following` says of each hidden update what it stands directly before.
    """
    order = seen.in_order()
    updates = _inserted(order, following)
    places = np.zeros(len(seen), dtype=np.int64)
    places[updates] = np.arange(1, len(updates) + 1)
    reads = np.flatnonzero((seen.kind == READ) & (seen.value != NULL) & ~seen.dropped)
    if len(reads):
        places[reads] = places[order[np.searchsorted(seen.version[order], seen.version[reads])]]
    taking = ~seen.dropped & ((seen.kind != UPDATE) | (places > 0)) & ~_believed(seen)
    return Placed(seen, updates, places, _next(seen, updates, places), taking, list(following))


def _believed(seen: Observed) -> BoolColumn:
    """Say which failed cas are believed: those that may have met an update of no known place."""
    # Whenever it was sent: a level that keeps no real time may put it before the cas.
    open_updates = (seen.kind == UPDATE) & (seen.crashed | seen.dropped)
    believed: BoolColumn = (seen.kind == MISMATCH) & np.isin(seen.key, seen.key[open_updates])
    return believed


def _inserted(order: IntColumn, following: dict[int, int]) -> IntColumn:
    """Return the order with hidden updates directly before what they lead to."""
    if not following:
        return order
    leading = {later: earlier for earlier, later in following.items()}
    merged: list[int] = []
    for update in order.tolist():
        chain, at = [update], update
        while at in leading:
            chain.append(at := leading[at])
        merged += reversed(chain)
    return np.array(merged, dtype=np.int64)


def _next(seen: Observed, updates: IntColumn, places: IntColumn) -> IntColumn:
    following = np.full(len(seen), NEVER, dtype=np.int64)
    # One line of (key, place): the next entry is the next update, if it is of the same key.
    width = len(updates) + 2
    line = np.sort(seen.key[updates] * width + places[updates])
    if not len(line):
        return following
    after = np.searchsorted(line, seen.key * width + places, side="right")
    found = line[np.minimum(after, len(line) - 1)]
    same = (after < len(line)) & (found // width == seen.key)
    following[same] = found[same] % width
    return following
