"""The decision: each operation at the least place that it can have, in one pass over the events.

A session that has seen place 19 is at 19 or later; so is, at a level that orders it, whatever is
invoked after somebody's operation at 19 was over. A read of an update at 12 stands at the least
place that is not below either, and contradicts the order if another update of its key lies in
between. An update has its own place, which must be above all that it must follow. The least
place is the best one for all that comes later, which is why the first contradiction is one.
"""

from dataclasses import dataclass

import numpy as np

from partita.checker import _native
from partita.checker.history import NEVER, IntColumn
from partita.checker.sessions.placing import Placed

# Which operations each level orders in real time: none, updates, all (see native/sessions).
LEVELS = ("linearizable", "ordered-sequential", "sequential")


@dataclass(frozen=True, slots=True)
class Violation:
    """An operation that has no place, and what it would have to follow (None: nothing does).

    Both are indexes of `Observed`; `bound` is the least place that the operation could have.
    """

    operation: int
    cause: int | None
    bound: int


def first_violation(placed: Placed, level: str) -> Violation | None:
    """Return the first operation that breaks a level, None if the history keeps it."""
    seen = placed.seen
    line = placed.updates[np.argsort(seen.key[placed.updates], kind="stable")]
    begins, ends = _spans(placed, line)
    operation, cause, bound = _native.sessions(
        _events(placed),
        seen.kind,
        placed.place,
        placed.next,
        seen.session,
        seen.old,
        begins,
        ends,
        placed.place[line],
        seen.value[line],
        LEVELS[::-1].index(level),
    )
    return None if operation < 0 else Violation(operation, None if cause < 0 else cause, bound)


def _events(placed: Placed) -> IntColumn:
    """Return invocations (the operation's number + 1) and completions (its negative) in order."""
    chosen = np.flatnonzero(placed.taking)
    history, rows = placed.seen.history, placed.seen.rows[chosen]
    completed = history.completed_rank[rows]
    over = completed != NEVER
    ranks = np.concatenate([history.invoked_rank[rows], completed[over]])
    events = np.concatenate([chosen + 1, -chosen[over] - 1])
    return events[np.argsort(ranks, kind="stable")]


def _spans(placed: Placed, line: IntColumn) -> tuple[IntColumn, IntColumn]:
    """Return, by operation, where its key's updates begin and end in the line of all by key."""
    keys = placed.seen.key[line]
    begins = np.searchsorted(keys, placed.seen.key, side="left")
    return begins, np.searchsorted(keys, placed.seen.key, side="right")
