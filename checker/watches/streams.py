"""Streams of changes, as etcd has them: each compared with all changes that anybody knows of.

What was delivered since a stream began, or began again, is a *piece*: the rules hold in each. All
is done on columns, sorted by stream and by the order in which it was delivered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.history import NEVER, IntColumn
from partita.checker.lives import Unreadable
from partita.checker.others import Others
from partita.checker.values import ABSENT, NULL
from partita.checker.watches.changes import Changes, at_time
from partita.checker.watches.coding import NONE, Codes, in_groups, ranked
from partita.checker.watches.violation import (
    ARRIVES,
    ATOMIC,
    BOOKMARK,
    GAP,
    ORDERED,
    PHANTOM,
    START,
    UNIQUE,
    Violation,
)

_KINDS: Final = ("event", "progress", "resume", "compacted", "ended")
EVENT, PROGRESS, RESUME, COMPACTED, ENDED = range(5)
NOWHERE: Final = -1


@dataclass(slots=True)
class Lines:
    """All that streams said, sorted by stream and by rank, as columns of one length.

    `row` is where each stands in `others`. `piece` numbers the pieces of all streams; `begin`,
    `ended` and `last` are by piece: its line of `resume` (or its first), whether it ended, and
    whether it is the last of its stream. `prefix` is by piece the code of the key, `start` the
    revision that it began with, -1 if from now on.
    """

    others: Others
    row: IntColumn
    kind: IntColumn
    stream: IntColumn
    key: IntColumn
    value: IntColumn
    version: IntColumn
    batch: IntColumn
    time: IntColumn
    rank: IntColumn
    piece: IntColumn
    begin: IntColumn
    ended: Any
    last: Any
    prefix: IntColumn
    start: IntColumn
    names: Sequence[Any]

    @property
    def delivered(self) -> IntColumn:
        """The lines that are changes."""
        return np.flatnonzero(self.kind == EVENT)

    def event(self, line: int) -> Event:
        """Return the event of a line."""
        return self.others[int(self.row[line])]


def lines_of(others: Others, polls: IntColumn, keys: Codes, values: Codes) -> Lines:
    """Read what streams said; `polls` are the events of queries. Raises `Unreadable`."""
    rows = others.rows(*_KINDS, type="event")
    label = others.field("stream", rows)
    mine = label != ABSENT
    if len(polls):  # the end of a query is told in the same word as that of a stream
        mine &= ~np.isin(np.where(mine, label, NULL), others.labels("stream", polls))
    names, stream = ranked(label[mine].astype(np.int64))
    order = in_groups(stream)
    rows = rows[mine][order]
    kinds = [_KINDS.index(f) if f in _KINDS else ENDED for f in others.fs]
    kind = np.array(kinds, dtype=np.int64)[others.f[rows]]
    version = others.version[rows]
    _refuse_unversioned(others, rows, kind, version)
    lines = Lines(
        others=others,
        row=rows,
        kind=kind,
        stream=stream[order],
        key=keys.of(others.keys, others.key[rows]),
        value=values.of(others.values, np.where(kind == EVENT, others.value[rows], NULL)),
        version=version,
        batch=_batches(others, rows),
        time=others.time[rows],
        rank=others.rank[rows],
        piece=kind, begin=kind, ended=kind, last=kind, prefix=kind, start=kind,
        names=others.extras.values.several(names.astype(np.int32)),
    )  # fmt: skip
    _cut(lines)
    return lines


def _refuse_unversioned(
    others: Others, rows: IntColumn, kind: IntColumn, version: IntColumn
) -> None:
    """A change, and a mark, say where they are in the order of all changes.

    A change names what it changes besides.
    """
    for at in np.flatnonzero((version < 0) & (kind != RESUME) & (kind != ENDED))[:1].tolist():
        event = others[int(rows[at])]
        raise Unreadable(
            f"event {event.rank + 1}: {event.f} of stream {event.fields['stream']} is without its "
            "version, which is to be a whole number from 0"
        )
    for at in np.flatnonzero((kind == EVENT) & (others.key[rows] == NULL))[:1].tolist():
        event = others[int(rows[at])]
        raise Unreadable(
            f"event {event.rank + 1}: event of stream {event.fields['stream']} is without its key"
        )
    # To begin at none is to begin now, but this one was to begin somewhere.
    named = others.field("version", rows) >= 0
    for at in np.flatnonzero((kind == RESUME) & (version < 0) & named)[:1].tolist():
        event = others[int(rows[at])]
        shown = quoted(event.fields["version"])
        raise Unreadable(
            f"event {event.rank + 1}: resume of stream {event.fields['stream']} has the version "
            f"{shown}, which is to be a whole number from 0"
        )


def _batches(others: Others, rows: IntColumn) -> IntColumn:
    batch, whole = others.numbers("batch", rows)
    absent = others.field("batch", rows) == ABSENT
    for at in np.flatnonzero(~whole & ~absent)[:1].tolist():
        event = others[int(rows[at])]
        shown = quoted(event.fields["batch"])
        raise Unreadable(f"event {event.rank + 1}: batch is {shown}, and must be a whole number")
    return np.where(whole, batch, NOWHERE)


def _cut(lines: Lines) -> None:
    """Find the pieces, and leave out what came after their end."""
    count = len(lines.kind)
    fresh = np.ones(count, dtype=bool)
    fresh[1:] = np.diff(lines.stream) != 0
    fresh |= lines.kind == RESUME
    lines.piece = np.cumsum(fresh) - 1
    lines.begin = np.flatnonzero(fresh)
    ends = np.flatnonzero((lines.kind == ENDED) | (lines.kind == COMPACTED))
    closed = np.full(len(lines.begin), count, dtype=np.int64)
    np.minimum.at(closed, lines.piece[ends], ends)
    lines.ended = closed < count
    lines.last = np.ones(len(lines.begin), dtype=bool)
    lines.last[:-1] = np.diff(lines.stream[lines.begin]) != 0
    resumes = lines.kind[lines.begin] == RESUME
    lines.prefix = np.where(resumes, lines.key[lines.begin], NONE)
    lines.start = np.where(resumes, lines.version[lines.begin], NOWHERE)
    # Whoever ended a stream is owed nothing, and may be told a little more all the same.
    late = np.arange(count) > closed[lines.piece] if count else np.zeros(0, dtype=bool)
    lines.kind[late & (lines.kind < RESUME)] = ENDED


@dataclass(slots=True)
class Delivered:
    """The changes that were delivered, as columns: their line, piece and change, in order.

    `place` is that of the revision among all revisions. `repeated` says what the piece had been
    told before.
    """

    lines: Lines
    changes: Changes
    line: IntColumn
    piece: IntColumn
    change: IntColumn
    place: IntColumn
    repeated: Any


def delivered(lines: Lines, changes: Changes, change: IntColumn) -> Delivered:
    """Gather what was delivered; `change` says by delivered line which change it is."""
    line = lines.delivered
    piece = lines.piece[line]
    pair = piece * (len(changes) + 1) + change
    repeated = np.zeros(len(line), dtype=bool)
    if (np.diff(pair) <= 0).any():
        _, first, of = np.unique(pair, return_index=True, return_inverse=True)
        repeated = first[of] != np.arange(len(line))
    return Delivered(lines, changes, line, piece, change, changes.place[change], repeated)


def broken(found: Delivered) -> Iterator[Violation]:
    """Yield what streams delivered twice, in a wrong order, or that nobody had asked for."""
    yield from _unasked(found)
    yield from _repeated(found)
    yield from _disordered(found)
    yield from _split(found)
    yield from _below_marks(found)


def _unasked(found: Delivered) -> Iterator[Violation]:
    lines = found.lines
    before = lines.version[found.line] < lines.start[found.piece]
    for at, times in _first(before & ~found.repeated):
        start = lines.start[found.piece[at]]
        yield _at(found, START, at, f"though it began at revision {start}", times)
    for prefix in np.unique(lines.prefix).tolist():
        if prefix == NONE:
            continue
        mine = np.flatnonzero(lines.prefix[found.piece] == prefix)
        known = found.changes.keys_under(prefix)
        for at, times in _first(~np.isin(lines.key[found.line[mine]], known)):
            asked = quoted(found.changes.keys.values[prefix])
            why = f"though only what begins with {asked} was asked for"
            yield _at(found, PHANTOM, int(mine[at]), why, times)


def _repeated(found: Delivered) -> Iterator[Violation]:
    for at, times in _first(found.repeated):
        yield _at(found, UNIQUE, at, "which it had delivered before", times)


def _disordered(found: Delivered) -> Iterator[Violation]:
    """Compare each with the greatest before it in its piece."""
    width = len(found.changes.versions) + 1
    top = np.maximum.accumulate(found.piece * width + found.place)
    behind = (top - found.piece * width > found.place) & ~found.repeated
    for at, times in _first(behind):
        highest = found.changes.versions[top[at] - found.piece[at] * width]
        yield _at(found, ORDERED, at, f"after it had delivered revision {highest}", times)


def _split(found: Delivered) -> Iterator[Violation]:
    """Find neighbours of one revision that came in two batches."""
    batch = found.lines.batch[found.line]
    same = (np.diff(found.piece) == 0) & (np.diff(found.place) == 0) & ~found.repeated[1:]
    parted = same & (np.diff(batch) != 0) & (batch[1:] != NOWHERE) & (batch[:-1] != NOWHERE)
    for at, times in _first(parted):
        first = found.changes.said(int(found.change[at]))
        why = f"and in another batch {first}, of the same revision"
        yield _at(found, ATOMIC, at + 1, why, times)


def _below_marks(found: Delivered) -> Iterator[Violation]:
    """Compare each change with the greatest progress that its piece had told before."""
    lines, versions = found.lines, found.changes.versions
    width = len(versions) + 2
    marks = np.where(lines.kind == PROGRESS, np.searchsorted(versions, lines.version, "right"), 0)
    top = np.maximum.accumulate(lines.piece * width + marks) - lines.piece * width
    below = found.place < top[found.line]
    for at, times in _first(below & ~found.repeated):
        why = "though it had told that all up to there was delivered"
        yield _at(found, BOOKMARK, at, why, times)


def _first(wrong: Any) -> Iterator[tuple[int, int]]:
    """Yield the first place that is wrong, if any is, and how many are."""
    places = np.flatnonzero(wrong)
    for at in places[:1].tolist():
        yield at, len(places)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a piece skipped, and what it has not reached; `begin` and `end` are its places."""

    piece: int
    begin: int
    end: int
    skipped: IntColumn
    behind: IntColumn


def missing(found: Delivered) -> Iterator[Lack]:
    """Yield each piece that lacks something.

    Of the last revision that a piece delivered all counts only if it went on: whoever was told it
    may have ended before it had written down the rest.
    """
    lines, changes = found.lines, found.changes
    begins = np.searchsorted(found.piece, np.arange(len(lines.begin) + 1)).tolist()
    reached = _reached(found)
    for piece in range(len(lines.begin)):
        begin, end = begins[piece], begins[piece + 1]
        start = int(lines.start[piece])
        if start < 0:
            if begin == end:
                continue
            start = int(lines.version[found.line[begin]])
        known, own = changes.under(int(lines.prefix[piece]))
        until = len(known)
        if lines.ended[piece] or not lines.last[piece]:
            until = int(np.searchsorted(own, reached[piece], "right"))
        owed = known[int(np.searchsorted(own, start)) : until]
        told = found.change[begin:end][~found.repeated[begin:end]]
        if np.array_equal(owed, told):
            continue
        absent = np.setdiff1d(owed, told, assume_unique=True)
        if len(absent):
            skips = changes.version[absent] <= reached[piece]
            yield Lack(piece, begin, end, absent[skips], absent[~skips])


def _reached(found: Delivered) -> IntColumn:
    """Return, by piece, up to which revision it must have delivered everything."""
    lines = found.lines
    reached = np.full(len(lines.begin), NOWHERE, dtype=np.int64)
    np.maximum.at(reached, found.piece, lines.version[found.line] - 1)
    marks = np.flatnonzero(lines.kind == PROGRESS)
    np.maximum.at(reached, lines.piece[marks], lines.version[marks])
    return reached


@dataclass(frozen=True, slots=True)
class Owed:
    """What a live stream never delivered: since when it was known, and for how long it waited."""

    stream: Any
    change: int
    since: int
    waited: int


def gaps(found: Delivered, settled: int, settle_ns: int) -> tuple[list[Violation], list[Owed]]:
    """Return what is missing, and what was not delivered and need not be for all we know.

    `settled` is when the last fault was over; what became known before that, or less than
    `settle_ns` before the end, is no violation.
    """
    violations: list[Violation] = []
    waiting: list[Owed] = []
    end = found.changes.history.end
    for lack in missing(found):
        lines, piece = found.lines, lack.piece
        if len(lack.skipped):
            violations.append(_gap(found, lack))
        if not len(lack.behind):
            continue
        change = int(lack.behind[0])
        since = max(int(found.changes.known_ns[change]), int(lines.time[lines.begin[piece]]))
        if since >= NEVER or since < 0:
            continue
        waited = end - max(since, settled)
        stream = lines.names[lines.stream[lines.begin[piece]]]
        if waited >= settle_ns:
            violations.append(_late(found, stream, lack.behind, end - since))
        waiting.append(Owed(stream, change, since, waited))
    return violations, waiting


def _gap(found: Delivered, lack: Lack) -> Violation:
    lines, changes, piece, skipped = found.lines, found.changes, lack.piece, lack.skipped
    first = int(skipped[0])
    mine = np.arange(lack.begin, lack.end)
    versions = lines.version[found.line[mine]]
    after = mine[versions > changes.version[first]]
    before = mine[versions < changes.version[first]]
    name = lines.names[lines.stream[lines.begin[piece]]]
    began = f"it was to deliver all from revision {lines.start[piece]} on"
    if len(before):
        last = int(before[-1])
        began = f"it had delivered revision {lines.version[found.line[last]]}"
    went = "told that all up to a later revision was delivered"
    event = None
    if len(after):
        line = int(found.line[after[0]])
        event = lines.event(line)
        went = f"delivered revision {lines.version[line]}{at_time(event)}"
    more = f" {len(skipped) - 1:,} more are missing." if len(skipped) > 1 else ""
    said = changes.said(first)
    text = f"Stream {name} never delivered {said}: {began}, and {went} without it.{more}"
    key = changes.keys.values[changes.key[first]]
    return Violation(GAP, text, key, changes.rows(first), event, len(skipped))


def _late(found: Delivered, stream: Any, behind: IntColumn, waited: int) -> Violation:
    changes, first = found.changes, int(behind[0])
    more = f", nor {len(behind) - 1:,} more" if len(behind) > 1 else ""
    text = (
        f"Stream {stream}, which never ended, never delivered {changes.said(first)}{more}, though"
        f" it was known for {waited / 1e9:.3f} s when the run ended."
    )
    key = changes.keys.values[changes.key[first]]
    return Violation(ARRIVES, text, key, changes.rows(first), times=len(behind))


def _at(found: Delivered, rule: str, at: int, why: str, times: int) -> Violation:
    lines, change = found.lines, int(found.change[at])
    line = int(found.line[at])
    event = lines.event(line)
    name = lines.names[lines.stream[line]]
    text = f"Stream {name} delivered {found.changes.said(change)}{at_time(event)}, {why}."
    key = found.changes.keys.values[found.changes.key[change]]
    return Violation(rule, text, key, found.changes.rows(change), event, times)
