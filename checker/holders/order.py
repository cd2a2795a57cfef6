"""The store's answer: did it grant to one at a time, and only to sessions that were alive?

Each grant of a lock happened at some moment, after it was asked for and before it was answered. In
the order of the tokens, every grant is put at the earliest moment that it can have: that is best
for all that follow, so that the first that has no moment is a contradiction.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.events import Event
from partita.checker.holders.grants import Grant, Holdings

# What is wrong, in the order in which a page lists it.
EXCLUSIVE, ALIVE, ONCE, ONE_LEADER, NO_RETURN = (
    "exclusive", "alive", "once", "one leader a term", "no return",
)  # fmt: skip
RULES = (EXCLUSIVE, ALIVE, ONCE, ONE_LEADER, NO_RETURN)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken by a grant, or by what was observed, and what it contradicts.

    `by_ns` is how far it is from possible. An observation is an event, or the row of an operation.
    """

    rule: str
    key: Any
    grant: Grant | None
    before: Grant | None = None
    by_ns: int = 0
    seen: Event | int | None = None
    seen_before: Event | int | None = None


def broken(holdings: Holdings) -> list[Violation]:
    """Return what the store did wrong, lock by lock."""
    found: list[Violation] = []
    for grants in holdings.by_key().values():
        found += misgranted(grants)
    return found + list(misobserved(holdings)) if holdings.takes == "campaign" else found


def misgranted(grants: Iterable[Grant]) -> Iterator[Violation]:
    """Yield the grants of one lock that have no moment.

    After one of them it goes on as if it had happened when it was answered.
    """
    last: Grant | None = None
    blocking: Grant | None = None  # which one keeps the lock until `free`
    free = -1
    for grant in sorted(grants, key=lambda each: (each.token, each.got)):
        at = max(grant.asked, free)
        if last is not None and grant.token == last.token:
            yield Violation(ONCE, grant.key, grant, last)
        elif at > grant.got:
            yield Violation(EXCLUSIVE, grant.key, grant, blocking, at - grant.got)
        elif at > grant.over:
            before = blocking if at > grant.asked else None
            yield Violation(ALIVE, grant.key, grant, before, at - grant.over)
        at = min(at, grant.got)
        end = max(at, min(grant.owed, grant.freed))
        if end >= free or blocking is None:
            blocking = grant
        free = max(free, end)
        last = grant


def misobserved(holdings: Holdings) -> Iterator[Violation]:
    """Yield second leaders of a term, and earlier terms that a process saw after later ones."""
    leaders: dict[tuple[Any, int], tuple[Any, Grant | None, Event | int | None]] = {}
    history = holdings.history
    rows = np.array([each.row for each in holdings.grants], dtype=np.int64)
    names = history.values.several(history.input[rows])
    for each, name in zip(holdings.grants, names, strict=True):
        leaders.setdefault((each.key, each.token), (name, each, None))
    latest: dict[tuple[Any, int | str], tuple[int, Event | int]] = {}
    for _, seen, key, name, term, process in holdings.observed:
        if name is None:
            continue
        known, grant, before = leaders.setdefault((key, term), (name, None, seen))
        if known != name:
            yield Violation(ONE_LEADER, key, grant, seen=seen, seen_before=before)
        top, when = latest.get((key, process), (term, seen))
        if term < top:
            yield Violation(NO_RETURN, key, None, seen=seen, seen_before=when)
        elif term >= top:
            latest[key, process] = (term, seen)
