"""How long after a change was known it was delivered, by everybody who watched then."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.history import NEVER, IntColumn
from partita.checker.watches.changes import Changes
from partita.checker.watches.shots import Shots
from partita.checker.watches.streams import Delivered


@dataclass(frozen=True, slots=True)
class Lags:
    """By delivery: when (ns since the run began), after how many ns, and by which stream.

    `stream` is its number among the names of all streams, -1 for a one-shot watch.
    """

    at: IntColumn
    ns: IntColumn
    stream: IntColumn


def lags_of(found: Delivered, shots: Shots, changes: Changes) -> Lags:
    """Measure every delivery whose change was acknowledged, or was delivered to somebody first.

    What was there before a stream began counts from its beginning, and what fired a watch from the
    first change after it was armed.
    """
    lines = found.lines
    fresh = ~found.repeated
    line, change = found.line[fresh], found.change[fresh]
    begun = lines.time[lines.begin[found.piece[fresh]]]
    since = np.maximum(changes.known_ns[change], begun)
    at = lines.time[line]
    fired = [
        times
        for shot in shots.fired
        if (times := _fired(shot.armed, shot.fired, changes)) is not None
    ]
    at = np.concatenate([at, np.array([each[0] for each in fired], dtype=np.int64)])
    since = np.concatenate([since, np.array([each[1] for each in fired], dtype=np.int64)])
    stream = np.concatenate([lines.stream[line], np.full(len(fired), -1)])
    timed = (at >= 0) & (since >= 0) & (since < NEVER)
    return Lags(at[timed], np.maximum(0, at[timed] - since[timed]), stream[timed])


def _fired(armed: Any, fired: Any, changes: Changes) -> tuple[int, int] | None:
    """Return when a watch fired, and when the first change after it was armed was known."""
    mine = changes.under_key(changes.keys.code(armed.key))
    version = armed.version if armed.value is not None else -1
    place = int(np.searchsorted(changes.version[mine], version, "right"))
    if place == len(mine):
        return None
    known = int(changes.known_ns[mine[place]])
    return fired.time, max(known, armed.time)
