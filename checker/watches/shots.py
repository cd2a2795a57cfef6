"""One-shot watches, as ZooKeeper has them: a read leaves a watch, and the next change fires it.

There is no log, so that changes between a fire and the next read are no gap. What is promised is
that whoever watches is told of a change before it sees it, by each watch once, and at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.history import IntColumn
from partita.checker.lives import Unreadable
from partita.checker.others import Others
from partita.checker.values import NULL
from partita.checker.watches.changes import Changes, at_time
from partita.checker.watches.coding import NONE, in_groups, ranked
from partita.checker.watches.violation import AFTER, ARMED, ARRIVES, Violation

FS: Final = ("arm", "seen", "fire", "disarmed")
_ARM, _SEEN, _FIRE, _DISARMED = range(4)
_ABSENT = -1


@dataclass(slots=True)
class Shots:
    """What became of all one-shot watches: violations, those that fired, those still armed.

    All are places in the history's others: `fired` when a watch fired that was left at `left`.
    """

    violations: list[Violation]
    left: IntColumn
    fired: IntColumn
    armed: IntColumn


def shots_of(others: Others) -> Shots:
    """Follow each session through what its connection saw. Raises `Unreadable`."""
    seen = _seen(others)
    before = _armed_before(seen)
    fires = seen.kind == _FIRE
    fired = np.flatnonzero(fires & (before >= 0))
    newer = np.flatnonzero((seen.kind <= _SEEN) & (before >= 0))
    newer = newer[_newer(seen, before[newer], newer)]
    violations = [
        *_first(others, seen, np.flatnonzero(fires & (before < 0)), before),
        *_first(others, seen, newer, before),
    ]
    order = np.argsort(seen.row[fired], kind="stable")
    left, fired = seen.row[before[fired]], seen.row[fired]
    armed = np.sort(seen.row[_still_armed(seen)])
    return Shots(violations, left[order], fired[order], armed)


@dataclass(slots=True)
class _Seen:
    """What connections saw of keys, sorted by `group`, in the order in which they saw it.

    A group is a key of a session, from one loss of the connection to the next; `is_last` says of
    an event whether no loss comes after it. `version` is `_ABSENT` where nothing was there.
    """

    row: IntColumn
    kind: IntColumn
    group: IntColumn
    is_last: Any
    version: IntColumn
    there: Any


def _seen(others: Others) -> _Seen:
    rows = others.rows(*FS, type="event")
    kinds = [FS.index(f) if f in FS else _DISARMED for f in others.fs]
    kind = np.array(kinds, dtype=np.int64)[others.f[rows]]
    _refuse_bare(others, rows, kind)
    _, session = ranked(_sessions(others, rows))
    order = in_groups(session)
    rows, kind, session = rows[order], kind[order], session[order]
    losses = np.cumsum(kind == _DISARMED)  # grows over all, so that it tells sessions apart too
    _, span = ranked(session + losses)
    last_span = np.zeros(int(session.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(last_span, session, span)
    kept = np.flatnonzero(kind != _DISARMED)
    is_last = (span == last_span[session])[kept]
    key = others.key[rows[kept]].astype(np.int64)
    _, group = ranked(span[kept] * (int(key.max(initial=0)) + 2) + key + 1)
    order = in_groups(group)
    rows, kind = rows[kept][order], kind[kept][order]
    there = others.value[rows] != NULL
    version = np.where(there, others.version[rows], _ABSENT)
    return _Seen(rows, kind, group[order], is_last[order], version, there)


def _refuse_bare(others: Others, rows: IntColumn, kind: IntColumn) -> None:
    """Whatever is seen of a key names it, and says which version of it is there."""
    keyless = (kind != _DISARMED) & (others.key[rows] == NULL)
    there = others.value[rows] != NULL
    unversioned = (kind <= _SEEN) & there & (others.version[rows] < 0)
    for at in np.flatnonzero(keyless | unversioned)[:1].tolist():
        event = others[int(rows[at])]
        lacks = "key" if keyless[at] else "version, which is to be a whole number from 0"
        raise Unreadable(
            f"event {event.rank + 1}: {event.f} of process {event.process} is without its {lacks}"
        )


def _sessions(others: Others, rows: IntColumn) -> IntColumn:
    """Number sessions, each named one by its name, else each process as one."""
    named = others.labels("session", rows).astype(np.int64)
    _, process = ranked(others.process[rows])
    names = int(others.name.max(initial=-1)) + 2
    unnamed = -2 - (process * names + others.name[rows] + 1)
    return np.where(named == NULL, unnamed, named)


def _armed_before(seen: _Seen) -> IntColumn:
    """Return which watch was armed just before each event, -1 if none was."""
    at = np.arange(len(seen.row))
    turns = np.where(seen.kind != _SEEN, at, -1)
    before = np.full(len(at), -1, dtype=np.int64)
    before[1:] = np.maximum.accumulate(turns)[:-1]
    mine = (before >= 0) & (seen.group[before] == seen.group)
    return np.where(mine & (seen.kind[before] == _ARM), before, -1)


def _still_armed(seen: _Seen) -> IntColumn:
    turns = np.flatnonzero(seen.kind != _SEEN)
    lasts = np.ones(len(turns), dtype=bool)
    lasts[:-1] = np.diff(seen.group[turns]) != 0
    lasts &= seen.is_last[turns] & (seen.kind[turns] == _ARM)
    return turns[lasts]


def _newer(seen: _Seen, before: IntColumn, now: IntColumn) -> Any:
    """Whether what was read can only be there because what was seen before has changed."""
    later = seen.version[now] > seen.version[before]
    return np.where(seen.there[now], later, seen.there[before])


def _first(others: Others, seen: _Seen, wrong: IntColumn, before: IntColumn) -> Iterator[Violation]:
    """Yield the first of these violations, and how many there are."""
    if not len(wrong):
        return
    first = wrong[np.argmin(seen.row[wrong])]
    event = others[int(seen.row[first])]
    if seen.kind[first] == _FIRE:
        yield _unarmed(event, len(wrong))
    else:
        yield _unfired(others[int(seen.row[before[first]])], event, len(wrong))


def overdue(
    others: Others, shots: Shots, changes: Changes, settled: int, settle_ns: int
) -> Iterator[tuple[Event, int, int, bool]]:
    """Yield watches that are armed though their key has changed: the change, and since when.

    The last says whether they had time enough.
    """
    latest, deleted, end = changes.latest(), changes.deleted_unseen(), changes.history.end
    for event in others.at(shots.armed):
        key = changes.keys.code(event.key)
        change = int(latest[key]) if 0 <= key < len(latest) else NONE
        if change < 0 or changes.version[change] <= _version(event):
            continue
        if event.value is None and (key in deleted or changes.value(change) == NONE):
            continue  # which is how it should be, for all we know
        since = max(int(changes.known_ns[change]), event.time)
        if 0 <= since <= end:
            yield event, change, since, end - max(since, settled) >= settle_ns


def late(event: Event, change: int, changes: Changes, since: int) -> Violation:
    """Return the violation that a watch never fired."""
    waited = (changes.history.end - since) / 1e9
    text = (
        f"The watch that process {event.process} left on {quoted(event.key)}{at_time(event)} never"
        f" fired, though {changes.said(change)} was known for {waited:.3f} s when the run ended."
    )
    return Violation(ARRIVES, text, event.key, changes.rows(change), event)


def _version(event: Event) -> int:
    return event.version if event.value is not None else _ABSENT


def _unarmed(event: Event, times: int) -> Violation:
    text = (
        f"A watch of process {event.process} on {quoted(event.key)} fired{at_time(event)}, though"
        " none was armed: each fires once."
    )
    return Violation(ARMED, text, event.key, (), event, times)


def _unfired(before: Event, event: Event, times: int) -> Violation:
    text = (
        f"Process {event.process} saw {_state(event)} of {quoted(event.key)}{at_time(event)},"
        f" though the watch that it had left at {_state(before)}{at_time(before)} had not fired."
    )
    return Violation(AFTER, text, event.key, (), event, times)


def _state(event: Event) -> str:
    return "the absence" if event.value is None else f"version {event.version}"
