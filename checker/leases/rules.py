"""What the store did wrong with an ephemeral entry: gone too soon, there too long, or back again.

Of each entry one moment decides nearly everything: the first by which it was certainly gone. It
was, if a look that began after it was acknowledged did not find it, if a replica that had got so
far did not have it, or if something of a later revision was seen under its key.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from partita.checker.history import NEVER
from partita.checker.leases.entries import ABSENT, LOCAL, WATCHED, Entry, Kept, Look, by_key

EARLY, ORPHAN, DIVERGENCE, FOREVER = "early", "orphan", "divergence", "forever"
RULES = (EARLY, ORPHAN, DIVERGENCE, FOREVER)
# After so many times to live nothing is late any more: it stays for ever.
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Violation:
    """An entry, a rule, by how much, and the look that shows it; `before` is what it contradicts.

    `maker` is the later entry whose creation shows that an entry was gone, in place of a look.
    """

    rule: str
    entry: Entry
    by_ns: int
    look: Look | None
    before: Look | None = None
    maker: Entry | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """By when an entry was certainly gone, `NEVER` if nobody saw that, and who saw it."""

    time: int
    look: Look | None
    maker: Entry | None


@dataclass(slots=True)
class Fate:
    """What became of an entry: by when it was gone, and how late that was at least."""

    entry: Entry
    gone: Gone
    late_ns: int = 0

    @property
    def expired(self) -> bool:
        """Whether somebody saw that its session's end took it along."""
        return self.gone.time < self.entry.end_sent or self.late_ns > 0


def fates(kept: Kept) -> list[Fate]:
    """Say of each entry what became of it."""
    looks = by_key(kept.looks)
    return [
        fate
        for key, entries in by_key(kept.entries).items()
        for fate in _of_key(entries, looks.get(key, []))
    ]


def broken(kept: Kept, fates: Iterable[Fate], final: int) -> list[Violation]:
    """Return what the store did wrong. `final` is when the final reads began (ns)."""
    known = {(each.entry.key, each.entry.revision): each for each in fates}
    found = [each for fate in known.values() for each in _early(fate)]
    for look in kept.looks:
        fate = known.get((look.key, look.revision)) if _shows(look) else None
        if fate is not None:
            found += _too_long(fate, look, final)
    return sorted(found, key=lambda each: (RULES.index(each.rule), each.entry.row))


def _early(fate: Fate) -> Iterator[Violation]:
    gone, entry = fate.gone, fate.entry
    if gone.time < entry.owed:
        yield Violation(EARLY, entry, entry.owed - gone.time, gone.look, maker=gone.maker)


def _too_long(fate: Fate, look: Look, final: int) -> Iterator[Violation]:
    entry, gone = fate.entry, fate.gone
    if look.sent > entry.end_answered:
        yield Violation(ORPHAN, entry, look.sent - entry.end_answered, look)
    if look.sent > gone.time:
        yield Violation(DIVERGENCE, entry, look.sent - gone.time, look, gone.look, gone.maker)
    over = entry.expires + (PATIENCE - 1) * entry.life.ttl_ns if entry.expires < NEVER else NEVER
    if look.sent >= final and look.sent > over:
        yield Violation(FOREVER, entry, look.sent - entry.expires, look)


def _shows(look: Look) -> bool:
    """Whether a look says that its revision was there after it was sent."""
    return look.revision != ABSENT and look.kind not in (LOCAL, WATCHED)


def _of_key(entries: list[Entry], looks: list[Look]) -> Iterator[Fate]:
    missing = [look for look in looks if look.revision == ABSENT]
    whole = _Earliest((look.sent, look.answered, look) for look in missing if look.kind != LOCAL)
    local = _Earliest(
        (look.position, look.answered, look) for look in missing if look.kind == LOCAL
    )
    found = [look for look in looks if look.revision != ABSENT]
    later = _Earliest((look.revision, look.answered, look) for look in found)
    made = _Earliest((entry.revision, entry.made, entry) for entry in entries)
    shown = _by_revision(found)
    for entry in entries:
        mine = shown.get(entry.revision, [])
        # It was made by then, even if its own client was told so later.
        born = min([entry.made, *(look.answered for look in mine)])
        witnesses = [
            whole.above(born), local.above(entry.revision - 1),
            later.above(entry.revision), made.above(entry.revision),
        ]  # fmt: skip
        time, witness = min(witnesses, key=lambda each: each[0])
        gone = Gone(
            time,
            witness if isinstance(witness, Look) else None,
            witness if isinstance(witness, Entry) else None,
        )
        yield Fate(entry, gone, _late(entry, mine))


def _by_revision(looks: Iterable[Look]) -> dict[int, list[Look]]:
    found: dict[int, list[Look]] = {}
    for look in looks:
        if look.kind != WATCHED:
            found.setdefault(look.revision, []).append(look)
    return found


def _late(entry: Entry, looks: Iterable[Look]) -> int:
    """Return for how long an entry was there that should have been gone by itself."""
    sent = [look.sent for look in looks if _shows(look) and look.sent < entry.end_sent]
    return max(0, max(sent, default=0) - entry.expires)


class _Earliest:
    """Finds, among what has a place and a time, the earliest above a place."""

    def __init__(self, those: Iterable[tuple[int, int, Look | Entry]]) -> None:
        ordered = sorted(those, key=lambda each: each[:2])
        self._places = [each[0] for each in ordered]
        self._least: list[tuple[int, Look | Entry | None]] = [(NEVER, None)]
        for _, time, witness in reversed(ordered):
            least = self._least[-1]
            self._least.append((time, witness) if time <= least[0] else least)
        self._least.reverse()

    def above(self, place: int) -> tuple[int, Look | Entry | None]:
        return self._least[bisect_right(self._places, place)]
