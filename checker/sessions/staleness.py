"""How old what was read was: the age of each read, in seconds and in versions.

A read is stale if a newer version of its key was known to somebody before the read was invoked.
Its age is the time since then; its lag is how many versions of the key it was behind.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker.history import NEVER, IntColumn
from partita.checker.sessions.observed import READ, BoolColumn
from partita.checker.sessions.placing import Placed


@dataclass(frozen=True, slots=True)
class Staleness:
    """By read: its row in the history, its age in seconds and its lag in versions.

    A current one has 0 of both; the age is NaN where the history has no times.
    """

    rows: IntColumn
    age_s: npt.NDArray[np.float64]
    lag: IntColumn

    @property
    def stale(self) -> BoolColumn:
        return self.lag > 0


def staleness(placed: Placed) -> Staleness:
    """Measure every read that has a place."""
    seen, history = placed.seen, placed.seen.history
    reads = np.flatnonzero((seen.kind == READ) & placed.taking)
    rows = seen.rows[reads]
    ranks, ends_ns, bounds = _known(placed)
    if not len(bounds):
        return Staleness(rows, np.zeros(len(rows)), np.zeros(len(rows), dtype=np.int64))
    # The largest place that was known when the read was invoked, and when its next one was known.
    before = np.searchsorted(ranks, history.invoked_rank[rows])
    known = np.where(before > 0, bounds[before - 1], 0)
    next_place = placed.next[reads]
    stale = next_place <= known
    since = ends_ns[np.minimum(np.searchsorted(bounds, next_place), len(bounds) - 1)]
    began = history.invoked_ns[rows]
    timed = (since >= 0) & (began >= 0)
    age = np.where(stale, np.where(timed, (began - since) / 1e9, np.nan), 0.0)
    return Staleness(rows, age, _lags(placed, reads, known))


def figures(placed: Placed) -> dict[str, Any]:
    """Return the share of stale reads and the worst of them, over all and by node."""
    found = staleness(placed)
    history = placed.seen.history
    nodes = history.node[found.rows]
    return {
        **_summary(found, np.ones(len(nodes), dtype=bool)),
        "nodes": {
            history.nodes[code]: _summary(found, nodes == code)
            for code in np.unique(nodes[nodes >= 0]).tolist()
        },
    }


def _summary(found: Staleness, chosen: BoolColumn) -> dict[str, Any]:
    reads, stale = int(chosen.sum()), int((found.stale & chosen).sum())
    age = found.age_s[chosen & found.stale]
    worst = float(np.nanmax(age)) if stale and not np.isnan(age).all() else None
    return {
        "reads": reads,
        "stale": stale,
        "oldest_s": (0.0 if not stale else None) if worst is None else round(worst, 6),
        "most_behind": int(found.lag[chosen].max(initial=0)),
    }


def _known(placed: Placed) -> tuple[IntColumn, IntColumn, IntColumn]:
    """Return, by completion in their order, its rank, its time, and the largest place by then."""
    seen, history = placed.seen, placed.seen.history
    answered = np.flatnonzero(placed.taking & (history.completed_rank[seen.rows] != NEVER))
    order = answered[np.argsort(history.completed_rank[seen.rows[answered]], kind="stable")]
    rows = seen.rows[order]
    bounds = np.maximum.accumulate(placed.place[order]) if len(order) else order
    return history.completed_rank[rows], history.completed_ns[rows], bounds


def _lags(placed: Placed, reads: IntColumn, known: IntColumn) -> IntColumn:
    """Count, by read, the updates of its key above its own place and up to the known one."""
    seen, updates = placed.seen, placed.updates
    width = len(updates) + 2
    line = np.sort(seen.key[updates] * width + placed.place[updates])
    own = seen.key[reads] * width
    newest = np.searchsorted(line, own + known, side="right")
    oldest = np.searchsorted(line, own + placed.place[reads], side="right")
    lags: IntColumn = np.maximum(0, newest - oldest)
    return lags
