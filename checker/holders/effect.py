"""What became of the thing that a lock protects, without a fence and with one.

The thing is a list of elements. Who adds one reads the list and writes it back with the element
at its end, so that an addition is lost if somebody else wrote in between. Two copies are
followed: one takes every access, the other refuses whose token is below one that it has seen.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from partita.checker.events import Event
from partita.checker.holders.grants import Grant, Holdings
from partita.checker.lives import Unreadable, events_of, refuse_key

_EMPTY: Final = -1


@dataclass(frozen=True, slots=True)
class Access:
    """One access: the event, the grant under which it was made, and whether a fence refused it."""

    event: Event
    grant: Grant
    stale: bool


@dataclass(slots=True)
class _Copy:
    """A list by its versions: each addition follows the version that its writer had read."""

    following: dict[int, int] = field(default_factory=dict)  # by addition, the one before it
    read: dict[Any, int] = field(default_factory=dict)  # by grant, the version that it read
    now: int = _EMPTY

    def access(self, number: int, access: Access) -> None:
        if access.event.value is None:
            self.read[id(access.grant)] = self.now
        else:
            self.following[number] = self.read.get(id(access.grant), self.now)
            self.read[id(access.grant)] = self.now = number

    def lost(self) -> list[int]:
        """Return the additions that are not in the list in the end."""
        kept = set()
        at = self.now
        while at != _EMPTY:
            kept.add(at)
            at = self.following[at]
        return [number for number in self.following if number not in kept]


@dataclass(frozen=True, slots=True)
class Effect:
    """What came of all accesses to the things of all locks; `lost…` are places in `accesses`."""

    accesses: Sequence[Access]
    lost: Sequence[int]
    lost_fenced: Sequence[int]

    @property
    def additions(self) -> int:
        return sum(access.event.value is not None for access in self.accesses)

    @property
    def stale(self) -> list[Access]:
        """The writes that came after an access with a larger token: a fence refuses them."""
        return [each for each in self.accesses if each.stale and each.event.value is not None]

    def stale_by(self, until: Callable[[Grant], int]) -> int:
        """Count the stale writes of those who believed by a rule that they hold the lock."""
        return sum(each.event.time < until(each.grant) for each in self.stale)

    @property
    def refused_fresh(self) -> int:
        """Count what a fence refused though the store owed the lock to who asked."""
        owed = [min(each.grant.owed, each.grant.freed) for each in self.accesses]
        return sum(
            each.stale and each.event.time < end
            for each, end in zip(self.accesses, owed, strict=True)
        )


def effect_of(holdings: Holdings) -> Effect:
    """Follow every access. Raises `Unreadable` for one without a token, or without a grant."""
    accesses = _accesses(holdings)
    bare: dict[Any, _Copy] = defaultdict(_Copy)
    fenced: dict[Any, _Copy] = defaultdict(_Copy)
    for number, access in enumerate(accesses):
        bare[access.grant.key].access(number, access)
        if not access.stale:
            fenced[access.grant.key].access(number, access)
    return Effect(accesses, _lost(bare.values()), _lost(fenced.values()))


def _lost(copies: Any) -> list[int]:
    return sorted(number for copy in copies for number in copy.lost())


def _accesses(holdings: Holdings) -> list[Access]:
    granted = {(grant.process, grant.key, grant.token): grant for grant in holdings.grants}
    top: dict[Any, int] = {}
    found = []
    for event in events_of(holdings.history, "resource"):
        refuse_key(event)
        grant = granted.get((event.process, event.key, event.version))
        if grant is None:
            raise Unreadable(
                f"event {event.rank + 1}: process {event.process} accesses what a lock protects "
                f"with {holdings.number} {event.version}, which it was never granted"
            )
        stale = event.version < top.get(event.key, event.version)
        top[event.key] = max(event.version, top.get(event.key, event.version))
        found.append(Access(event, grant, stale))
    return found
