"""What holders believed: four rules by which clients stop, and where two of them believed at once.

A client believes from the moment the answer came. Which rule it follows is its own affair, and it
is the rule, not the store, that decides for how long two believe: so all four are told.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from partita.checker.holders.grants import Grant, Holdings
from partita.checker.lives import SECOND


def naive(grant: Grant) -> int:
    """Until its own release."""
    return grant.left


def told(grant: Grant) -> int:
    """Until it is told that it is lost."""
    return min(grant.left, grant.told)


def suspended(grant: Grant) -> int:
    """Until it is told that nobody knows."""
    return min(told(grant), grant.suspended)


def deadline(grant: Grant) -> int:
    """Until its time to live is over by its own clock."""
    return min(told(grant), grant.life.kept_until(grant.got))


BELIEFS: Final[Mapping[str, Callable[[Grant], int]]] = {
    "naive": naive,
    "told": told,
    "suspended": suspended,
    "deadline": deadline,
}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two that believed to hold one lock from `begin` to `end` (ns); `later` came second.

    It is the `store`'s doing if the one with the larger token got it while the store still owed it
    to the other.
    """

    earlier: Grant
    later: Grant
    begin: int
    end: int

    @property
    def seconds(self) -> float:
        return (self.end - self.begin) / SECOND

    @property
    def store(self) -> bool:
        first, second = sorted((self.earlier, self.later), key=lambda grant: grant.token)
        return second.got < min(first.owed, first.freed)


def overlaps(grants: Iterable[Grant], until: Callable[[Grant], int], horizon: int) -> list[Overlap]:
    """Return, for each grant of one lock, its overlap with whoever then believed the longest.

    Together they are all the time in which two or more believed. `grants` are in the order of
    their answers; what lasts for ever ends at `horizon`.
    """
    found = []
    longest: Grant | None = None
    end = -1
    for grant in grants:
        mine = min(until(grant), horizon)
        if longest is not None and min(mine, end) > grant.got:
            found.append(Overlap(longest, grant, grant.got, min(mine, end)))
        if mine > end:
            longest, end = grant, mine
    return found


def overlaps_of(holdings: Holdings, rule: str) -> list[Overlap]:
    """Return the overlaps of all locks by one rule, in the order in which they began."""
    until = BELIEFS[rule]
    found = [
        overlap
        for grants in holdings.by_key().values()
        for overlap in overlaps(grants, until, holdings.horizon)
    ]
    return sorted(found, key=lambda each: each.begin)


def joined(overlaps: Sequence[Overlap]) -> list[tuple[int, int]]:
    """Return the stretches of time in which two or more believed, of one lock's overlaps."""
    stretches: list[tuple[int, int]] = []
    for each in overlaps:
        if stretches and each.begin <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(stretches[-1][1], each.end))
        else:
            stretches.append((each.begin, each.end))
    return stretches
