"""The oracle of the check `holders`: its definitions, tried out one moment after the other.

Short enough to be believed by reading, and slow. The check is compared with it in the tests;
nothing else uses it, and it shares no code with it.

**Exclusive.** The grants of a lock, in the order of their tokens, which all differ, can be given
moments so that each was granted between its request and its answer, not after its session was
certainly over, and not before the grant before it ended. A grant ends when its release (or the
close of its session) was sent or later, or when its session may be over: the time to live after
the last answered renewal was sent, or later; where no time to live is known, at any moment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from partita.checker.history import History

NEVER = 10**18


@dataclass(frozen=True)
class Held:
    """A grant: what stands in the history about it, or follows from it by adding seconds."""

    key: Any
    token: int
    asked: int
    got: int
    freed: int  # a release was sent that may have happened
    owed: int  # the session may be over from here on
    over: int  # it is over for certain
    believed: Mapping[str, int]  # until when, by rule


def keeps(held: list[Held]) -> bool:
    """Say whether the locks (or elections) of a small history were granted one at a time."""
    for key in {each.key for each in held}:
        mine = sorted((each for each in held if each.key == key), key=lambda each: each.token)
        if len({each.token for each in mine}) < len(mine) or not _placed(mine, -1):
            return False
    return True


def _placed(mine: list[Held], free: int) -> bool:
    """Try each moment for the first of them, and each for its end, and so on."""
    if not mine:
        return True
    first, *rest = mine
    moments = {t for each in mine for t in (each.asked, each.got, each.freed, each.owed)} | {free}
    for at in sorted(moments):
        if not max(first.asked, free) <= at <= min(first.got, first.over):
            continue
        for end in sorted(t for t in moments if t >= at):
            if (end >= first.freed or end >= first.owed) and _placed(rest, end):
                return True
    return False


def together(held: list[Held], end_of_run: int, rule: str) -> dict[Any, int]:
    """Return for how many ns two or more believed to hold each lock."""
    total: dict[Any, int] = {}
    spans = [(each, each.got, min(each.believed[rule], end_of_run)) for each in held]
    times = sorted({time for _, begin, end in spans for time in (begin, end)})
    for key in {each.key for each in held}:
        for now, then in pairwise(times):
            count = sum(each.key == key and begin <= now < end for each, begin, end in spans)
            total[key] = total.get(key, 0) + (then - now if count > 1 else 0)
    return total


def lost(history: History, *, fence: bool) -> set[Any]:
    """Return the elements that were added and are in no list in the end."""
    lists: dict[Any, list[Any]] = {}
    read: dict[Any, list[Any]] = {}
    added, highest = set(), dict[Any, int]()
    for event in history.others:
        if event.f != "resource":
            continue
        if fence and event.version < highest.get(event.key, -1):
            continue
        highest[event.key] = max(event.version, highest.get(event.key, -1))
        now, who = lists.setdefault(event.key, []), (event.process, event.key, event.version)
        if event.value is not None:
            now = lists[event.key] = [*read.get(who, now), event.value]
            added.add(event.value)
        read[who] = now
    return added - {element for each in lists.values() for element in each}


def grants(history: History) -> list[Held]:
    """Read the grants: one session a process, which all its lines name."""
    found = []
    named = history.extra("session")
    for op in history:
        if op.f not in ("acquire", "campaign") or op.outcome != "ok":
            continue
        session = named[op.index]
        life = _life(history, session, [row for row in named if named[row] == session])
        got = op.completed or 0
        ends = [
            each
            for each in history
            if each.f in ("release", "resign")
            and (each.process, each.key) == (op.process, op.key)
            and each.index > op.index
        ]
        left = min([each.invoked for each in ends[:1]] + [max(life.closed, got)])
        may_end = [each.invoked for each in ends[:1] if each.outcome != "fail"]
        told = _told(history, session, op.key, "told", op.invoked)
        suspended = _told(history, session, op.key, "suspended", got)
        believed = {
            "naive": left,
            "told": min(left, told),
            "suspended": min(left, told, suspended),
            "deadline": min(left, told, life.own_end(got)),
        }
        freed = min([*may_end, max(life.closed, op.invoked)])
        found.append(
            Held(op.key, op.version, op.invoked, got, freed, life.owed, life.over, believed)
        )
    return found


@dataclass(frozen=True)
class _Session:
    owed: int
    over: int
    closed: int
    own_end: Callable[[int], int]


def _life(history: History, session: Any, rows: list[int]) -> _Session:
    """Add the time to live to what was sent, to what may have arrived, and to what was known."""
    events = [each for each in history.others if each.fields.get("session") == session]
    ttls, graces = (
        [value for row, value in history.extra(name).items() if row in rows]
        for name in ("ttl", "grace")
    )
    beats = [each for each in events if each.f == "beat"]
    closed = min([each.fields["sent"] for each in events if each.f == "close"], default=NEVER)
    answered = [(each.fields["sent"], each.time) for each in beats if each.value is True]
    tried = [each.time for each in beats if each.value is not False]
    if not ttls:
        return _Session(-1, NEVER, closed, lambda time: NEVER)
    ttl = round(ttls[0] * 10**9)
    owed = max((sent + ttl for sent, _ in answered), default=-1)
    over = max(tried) + ttl + round(graces[0] * 10**9) if tried and graces else NEVER

    def own_end(since: int) -> int:
        """Go through time: it ends where nothing that was answered by then reaches further."""
        time = since
        while True:
            reach = max((sent + ttl for sent, at in answered if at <= time), default=-1)
            later = [at for _, at in answered if time < at < reach]
            if not later:
                return max(reach, since)
            time = min(later)

    return _Session(owed, over, closed, own_end)


def _told(history: History, session: Any, key: Any, f: str, since: int) -> int:
    said = [each for each in history.others if each.f == f and each.time >= since]
    mine = [each for each in said if each.fields.get("session") == session]
    return min((each.time for each in mine if each.key in (None, key)), default=NEVER)
