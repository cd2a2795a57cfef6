"""The truth: all changes of keys that anybody knows of, by revision and key.

It is put together from the answers to those who wrote and read, and from what watches delivered.
Where two of them contradict each other, or nobody can have made what was seen, that is said here;
the rules of streams then compare each stream with all of it.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import capital, quoted, who
from partita.checker.history import NEVER, OUTCOMES, History, IntColumn
from partita.checker.lives import Unreadable, rows_of
from partita.checker.values import as_json
from partita.checker.watches.coding import NONE, Codes, firsts, in_groups, ranked
from partita.checker.watches.violation import PHANTOM, TRUTH, Violation

_OK, _FAIL = OUTCOMES.index("ok"), OUTCOMES.index("fail")
WRITES, READS = ("write", "ephemeral"), ("read",)


class Unfit(Exception):
    """The check has nothing to say about such a history: why."""


@dataclass(slots=True)
class Attempts:
    """Who tried to change what: columns by attempt, a deletion has the value `NONE`."""

    row: IntColumn
    key: IntColumn
    value: IntColumn


@dataclass(slots=True)
class Seen:
    """What is known of changes, as columns: first what writers were told, then all others.

    `row` is the operation that says it, -1 if it is an event: then `event` says which of the
    history's others. `by_writer` counts those that a writer was told. `known_ns` is when it became
    known, -1 if the history has no times.
    """

    version: IntColumn
    key: IntColumn
    value: IntColumn
    rank: IntColumn
    known_ns: IntColumn
    row: IntColumn
    event: IntColumn
    by_writer: int


@dataclass(slots=True)
class Changes:
    """The changes, in the order of their revisions, as columns of one length.

    `of` says for each line of `seen` which change it is of. `known_ns` is when somebody was told of
    it first, a writer if one was. `writer` is the row of who made it, -1 if that one was not told.
    """

    history: History
    keys: Codes
    values: Codes
    attempts: Attempts
    seen: Seen
    version: IntColumn
    key: IntColumn
    first: IntColumn
    of: IntColumn
    known_ns: IntColumn
    writer: IntColumn
    versions: IntColumn  # all that there are, ascending
    place: IntColumn  # of the version of each among them
    _by_prefix: dict[int, tuple[IntColumn, IntColumn]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.version)

    def under(self, prefix: int) -> tuple[IntColumn, IntColumn]:
        """Return the changes of all keys that begin with a prefix (its code), and their revisions.

        They are in their order.
        """
        if prefix not in self._by_prefix:
            chosen = np.flatnonzero(np.isin(self.key, self.keys_under(prefix)))
            self._by_prefix[prefix] = chosen, self.version[chosen]
        return self._by_prefix[prefix]

    def first_above(self, key: IntColumn, version: IntColumn) -> IntColumn:
        """Return the first change of each key (its code) above a revision, -1 if there is none."""
        width = len(self.versions) + 1
        order = in_groups(self.key)
        mine = self.key[order] * width + self.place[order]
        place = np.searchsorted(
            mine, key * width + np.searchsorted(self.versions, version, "right")
        )
        found = np.append(order, -1)[place]
        keys = np.append(self.key, NONE - 1)  # the last is that of no change
        return np.where(keys[found] == key, found, -1)

    def latest(self) -> IntColumn:
        """Return the last change of each key, by its code; -1 for one that never changed."""
        found = np.full(len(self.keys), -1, dtype=np.int64)
        np.maximum.at(found, self.key, np.arange(len(self)))
        return found

    def keys_under(self, prefix: int) -> IntColumn:
        """Return the codes of the keys that begin with a prefix, of all if it is none."""
        if prefix == NONE:
            return np.arange(len(self.keys))
        text = str(self.keys.values[prefix])
        codes = [code for code, key in enumerate(self.keys.values) if str(key).startswith(text)]
        return np.array(codes, dtype=np.int64)

    def deleted_unseen(self) -> set[int]:
        """Return the keys (codes) that may have been deleted after all changes that are known."""
        rows, outcome = self.attempts.row, self.history.outcome
        unknown = (outcome[rows] != _FAIL) & ~(
            (outcome[rows] == _OK) & (self.history.version[rows] >= 0)
        )
        return set(self.attempts.key[(self.attempts.value == NONE) & unknown].tolist())

    def said(self, change: int) -> str:
        """Name a change: `the write of 7 under "k" (revision 12)`."""
        value = self.values.values[code] if (code := self.value(change)) != NONE else None
        what = "the deletion" if code == NONE else f"the write of {quoted(value)}"
        key = quoted(self.keys.values[self.key[change]])
        return f"{what} of {key} (revision {self.version[change]})".replace(
            f"{quoted(value)} of", f"{quoted(value)} under"
        )

    def value(self, change: int) -> int:
        """Return the code of what a change left, `NONE` for a deletion."""
        return int(self.seen.value[self.first[change]])

    def rows(self, change: int) -> list[int]:
        """Return the operations that tell of a change."""
        writer = int(self.writer[change])
        if writer >= 0:
            return [writer]
        found = attempt_rows(self.attempts, int(self.key[change]), self.value(change))
        return found[:1]


def changes_of(
    history: History, keys: Codes, values: Codes, attempts: Attempts, seen: Seen
) -> Changes:
    """Put the changes together."""
    versions, place = ranked(seen.version)
    found, of = ranked(place * (len(keys) + 1) + seen.key)
    first = firsts(of, len(found))
    known = np.full(len(found), NEVER, dtype=np.int64)
    np.minimum.at(known, of, np.where(seen.known_ns < 0, NEVER, seen.known_ns))
    writer = np.full(len(found), -1, dtype=np.int64)
    told = slice(0, seen.by_writer)
    writer[of[told]] = seen.row[told]
    known[of[told]] = seen.known_ns[told]
    return Changes(
        history, keys, values, attempts, seen, seen.version[first], seen.key[first], first,
        of, known, writer, versions, place[first],
    )  # fmt: skip


def attempts_of(history: History, keys: Codes, values: Codes) -> Attempts:
    """Read who tried to change what. Raises `Unfit` if a value was written twice."""
    writes, deletes = rows_of(history, *WRITES), rows_of(history, "delete")
    batches = [(row, key, value) for row in rows_of(history, "write-all")
               for key, value in pairs_of(history, row)]  # fmt: skip
    singles = np.array([*writes, *deletes], dtype=np.int64)
    key = keys.of(history.keys, history.key[singles])
    value = np.full(len(singles), NONE, dtype=np.int64)
    value[: len(writes)] = values.of(history.values, history.input[singles[: len(writes)]])
    found = Attempts(
        np.concatenate([singles, np.array([each[0] for each in batches], dtype=np.int64)]),
        np.concatenate([key, keys.column([each[1] for each in batches])]),
        np.concatenate([value, values.column([each[2] for each in batches])]),
    )
    kept = found.value != NONE
    pairs = found.key[kept] * (len(values) + 1) + found.value[kept]
    order = np.argsort(pairs, kind="stable")
    for at in np.flatnonzero(np.diff(pairs[order]) == 0)[:1]:
        row = int(found.row[kept][order[at + 1]])
        raise Unfit(f"{who(history, row)} writes a value that was written before")
    return found


def attempt_rows(attempts: Attempts, key: int, value: int) -> list[int]:
    """Return the rows of the attempts to leave a value under a key."""
    found: list[int] = attempts.row[(attempts.key == key) & (attempts.value == value)].tolist()
    return found


def pairs_of(history: History, row: int) -> list[tuple[Any, Any]]:
    """Return the keys and values of a `write-all`. Raises `Unreadable`."""
    pairs = history[row].input
    fits = isinstance(pairs, list) and all(isinstance(each, list) and len(each) == 2
                                           for each in pairs)  # fmt: skip
    if not fits:
        raise Unreadable(
            f"event {history.invoked_rank[row] + 1}: the value of write-all is a list of "
            f"[key, value], and not {as_json(pairs).decode()}"
        )
    return [(key, value) for key, value in pairs]


def told_by_operations(
    history: History, keys: Codes, values: Codes, attempts: Attempts
) -> tuple[IntColumn, IntColumn, IntColumn, IntColumn, int]:
    """Return what answers tell of changes (version, key, value, row), and how many are writers'."""
    succeeded = (history.outcome == _OK) & (history.version >= 0)
    made = succeeded[attempts.row]
    rows = np.array(rows_of(history, *READS), dtype=np.int64)
    reads = rows[succeeded[rows] & (history.output[rows] >= 0)]
    row = np.concatenate([attempts.row[made], reads])
    key = np.concatenate([attempts.key[made], keys.of(history.keys, history.key[reads])])
    read = values.of(history.values, history.output[reads])
    value = np.concatenate([attempts.value[made], read])
    return history.version[row], key, value, row, int(made.sum())


def contradictions(changes: Changes) -> Iterator[Violation]:
    """Yield what cannot be true, whoever saw it: made up, or told in two ways."""
    yield from _untrue(changes)
    yield from _made_up(changes)
    yield from _deletions_made_up(changes)


def _untrue(changes: Changes) -> Iterator[Violation]:
    seen = changes.seen
    wrong = seen.value != seen.value[changes.first[changes.of]]
    for line in (lines := np.flatnonzero(wrong))[:1].tolist():
        first = int(changes.first[changes.of[line]])
        text = f"{capital(_teller(changes, line))}, but {_teller(changes, first)}."
        yield _violation(changes, TRUTH, text, line, first, times=len(lines))
    left = np.flatnonzero(seen.value != NONE)
    pair = seen.key[left] * (len(changes.values) + 1) + seen.value[left]
    different, of = ranked(pair)
    before = left[firsts(of, len(different))[of]]
    twice = np.flatnonzero(seen.version[left] != seen.version[before])
    for at in twice[:1].tolist():
        line, first = int(left[at]), int(before[at])
        text = (
            f"{capital(_teller(changes, line))}, but {_teller(changes, first)}: it was written"
            " only once."
        )
        yield _violation(changes, TRUTH, text, line, first, times=len(twice))


def _made_up(changes: Changes) -> Iterator[Violation]:
    """Yield values that nobody wrote, whose write failed, or that were seen before it began."""
    seen, attempts, history = changes.seen, changes.attempts, changes.history
    width = len(changes.values) + 1
    written = attempts.key * width + attempts.value
    order = np.argsort(written, kind="stable")
    lines = np.flatnonzero(seen.value != NONE)
    wanted, of = ranked(seen.key[lines] * width + seen.value[lines])
    place = np.searchsorted(written[order], wanted)
    writer = np.full(len(wanted), -1, dtype=np.int64)
    inside = np.flatnonzero(place < len(order))
    met = inside[written[order[place[inside]]] == wanted[inside]]
    writer[met] = attempts.row[order[place[met]]]
    rows = writer[of]
    hit = rows >= 0
    failed = hit & (history.outcome[rows] == _FAIL) if len(history) else hit
    early = hit & ~failed & (history.invoked_rank[rows] > seen.rank[lines]) if len(history) else hit
    for at in (wrong := np.flatnonzero(~hit | failed | early))[:1].tolist():
        line, row = int(lines[at]), int(rows[at])
        why = "which nobody ever wrote"
        if failed[at]:
            why = f"though {who(history, row)} certainly failed"
        elif early[at]:
            why = f"before {who(history, row)} began"
        text = f"{capital(_teller(changes, line))}, {why}."
        found = [row] if row >= 0 else []
        yield _violation(changes, PHANTOM, text, line, rows=found, times=len(wrong))


def _deletions_made_up(changes: Changes) -> Iterator[Violation]:
    """Yield deletions that were seen and that nobody can have made.

    A deletion whose client was told its revision is known by that. Each other one that was seen
    needs a deletion of its own whose client was told none, and which began before. An ephemeral
    entry is deleted by nobody.
    """
    seen, history = changes.seen, changes.history
    able = _able_to_delete(changes)
    expiring = changes.keys.of(history.keys, history.key[rows_of(history, "ephemeral")])
    deletions = np.flatnonzero((seen.value == NONE) & ~np.isin(seen.key, expiring))
    writer = changes.writer[changes.of[deletions]]
    known = writer >= 0
    early = known
    if len(history):
        early = known & (history.invoked_rank[writer] > seen.rank[deletions])
    for at in (wrong := np.flatnonzero(early))[:1].tolist():
        line, row = int(deletions[at]), int(writer[at])
        text = f"{capital(_teller(changes, line))}, before {who(history, row)} began."
        yield _violation(changes, PHANTOM, text, line, rows=[row], times=len(wrong))
    unknown = deletions[~known]
    unknown = unknown[np.argsort(seen.rank[unknown], kind="stable")]
    _, first_seen = np.unique(changes.of[unknown], return_index=True)
    by_key: dict[int, list[int]] = defaultdict(list)
    for line in unknown[first_seen].tolist():
        by_key[int(seen.key[line])].append(line)
    for key, lines in by_key.items():
        begun = able.get(key, [])
        for count, line in enumerate(sorted(lines, key=lambda each: int(seen.rank[each])), 1):
            if bisect_left(begun, int(seen.rank[line])) < count:
                text = f"{capital(_teller(changes, line))}, which nobody can have deleted by then."
                yield _violation(changes, PHANTOM, text, line)
                break


def _able_to_delete(changes: Changes) -> dict[int, list[int]]:
    """Return, by key, when deletions of unknown revision began, in the order of the history."""
    history, attempts = changes.history, changes.attempts
    able: dict[int, list[int]] = defaultdict(list)
    for at in np.flatnonzero(attempts.value == NONE).tolist():
        row = int(attempts.row[at])
        told = history.outcome[row] == _OK and history.version[row] >= 0
        if history.outcome[row] != _FAIL and not told:
            able[int(attempts.key[at])].append(int(history.invoked_rank[row]))
    return {key: sorted(begun) for key, begun in able.items()}


def _teller(changes: Changes, line: int) -> str:
    """Say who told what of a change: `process 3 was told by stream 7 …`."""
    seen, history = changes.seen, changes.history
    key = quoted(changes.keys.values[seen.key[line]])
    code = int(seen.value[line])
    value = None if code == NONE else changes.values.values[code]
    what = f"that {key} was deleted" if code == NONE else f"of {quoted(value)} under {key}"
    revision = f"at revision {seen.version[line]}"
    if seen.row[line] >= 0:
        return f"{who(history, int(seen.row[line]))} was told {revision} ({what})"
    event = history.others[int(seen.event[line])]
    stream = event.fields.get("stream")
    by = f"process {event.process}" if stream is None else f"stream {stream}"
    return f"{by} was told {what} {revision}{at_time(event)}"


def at_time(event: Event) -> str:
    """Say when an event was: ` at 3.2 s`."""
    return f" at {event.time / 1e9:.3f} s" if event.time >= 0 else f" (event {event.rank + 1})"


def _violation(
    changes: Changes, rule: str, text: str, *lines: int, rows: Sequence[int] = (), times: int = 1
) -> Violation:
    seen = changes.seen
    shown = {int(seen.row[line]) for line in lines if seen.row[line] >= 0} | set(rows)
    event = int(seen.event[lines[0]])
    key = changes.keys.values[seen.key[lines[0]]]
    found = changes.history.others[event] if event >= 0 else None
    return Violation(rule, text, key, sorted(shown), found, times)
