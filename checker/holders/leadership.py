"""For how long exactly one, nobody, or several believed to lead, and the longest time without."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.history import History
from partita.checker.holders.grants import Grant, Holdings


@dataclass(frozen=True, slots=True)
class Leadership:
    """Shares of the time from the first claim to the end of the load; times in ns.

    `gaps` are the stretches without a leader.
    """

    one: float
    none: float
    several: float
    gaps: Sequence[tuple[int, int]]

    @property
    def longest_gap(self) -> int:
        return max((end - begin for begin, end in self.gaps), default=0)


def leadership_of(holdings: Holdings, key: Any, until: Callable[[Grant], int]) -> Leadership | None:
    """Measure one election by a rule of belief; None if nobody ever led in it."""
    grants = holdings.by_key().get(key)
    if not grants:
        return None
    begin = min(grant.got for grant in grants)
    end = load_end(holdings.history)
    if end <= begin:
        return None
    spans = [(grant.got, min(until(grant), end)) for grant in grants]
    spans = [(first, last) for first, last in spans if last > first]
    times = np.array([time for span in spans for time in span] + [begin, end], dtype=np.int64)
    steps = np.array([1, -1] * len(spans) + [0, 0], dtype=np.int64)
    order = np.argsort(times, kind="stable")
    times, count = times[order], np.cumsum(steps[order])
    length = np.diff(times)
    one, none, several = (
        float(length[chosen].sum()) / (end - begin)
        for chosen in (count[:-1] == 1, count[:-1] == 0, count[:-1] > 1)
    )
    return Leadership(one, none, several, _gaps(times, count))


def load_end(history: History) -> int:
    """Return when the load ended: where the final reads began, else at the last event."""
    phases = history.others.of("phase")
    return next((each.time for each in phases if each.value == "final reads"), history.end)


def _gaps(times: Any, count: Any) -> list[tuple[int, int]]:
    gaps: list[tuple[int, int]] = []
    for at in np.flatnonzero((count[:-1] == 0) & (np.diff(times) > 0)).tolist():
        begin, end = int(times[at]), int(times[at + 1])
        if gaps and gaps[-1][1] == begin:
            gaps[-1] = (gaps[-1][0], end)
        else:
            gaps.append((begin, end))
    return gaps
