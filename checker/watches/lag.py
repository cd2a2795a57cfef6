"""How long after a change was known it was delivered, by everybody who watched then."""

from dataclasses import dataclass

import numpy as np

from partita.checker.history import NEVER, IntColumn
from partita.checker.values import NULL
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
    fired, fired_since = _fired(shots, changes)
    at = np.concatenate([lines.time[line], fired])
    since = np.concatenate([since, fired_since])
    stream = np.concatenate([lines.stream[line], np.full(len(fired), -1)])
    timed = (at >= 0) & (since >= 0) & (since < NEVER)
    return Lags(at[timed], np.maximum(0, at[timed] - since[timed]), stream[timed])


def _fired(shots: Shots, changes: Changes) -> tuple[IntColumn, IntColumn]:
    """Return when watches fired, and when the first change after each was armed was known."""
    others = changes.history.others
    key = changes.keys.of(others.keys, others.key[shots.left])
    there = others.value[shots.left] != NULL
    change = changes.first_above(key, np.where(there, others.version[shots.left], -1))
    known = change >= 0
    since = np.maximum(changes.known_ns[change[known]], others.time[shots.left[known]])
    return others.time[shots.fired[known]], since
