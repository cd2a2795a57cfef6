"""Blocking queries, as Consul has them: an answer has an index, and the next waits for a later one.

Nothing is promised about what is in between. An index never falls, and whoever asks on sees the
last value in the end.
"""

from collections.abc import Iterator

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.history import IntColumn
from partita.checker.lives import Unreadable, labelled
from partita.checker.others import Others
from partita.checker.values import NULL
from partita.checker.watches.changes import Changes, at_time
from partita.checker.watches.coding import NONE, in_groups, ranked
from partita.checker.watches.violation import ARRIVES, ORDERED, Violation


def polls_of(others: Others) -> IntColumn:
    """Return where all answers to blocking queries are. Raises `Unreadable`."""
    rows = others.rows("poll", type="event")
    modified, whole = others.numbers("modified", rows)
    unmodified = (others.value[rows] != NULL) & ~(whole & (modified >= 0))
    nameless = (others.key[rows] == NULL) | (others.labels("stream", rows) == NULL)
    for at in np.flatnonzero(nameless | (others.version[rows] < 0) | unmodified)[:1].tolist():
        rank = others.rank[rows[at]]
        raise Unreadable(
            f"event {rank + 1}: a poll needs its stream, its key, its version and, if something is "
            "there, `modified`: the last two are to be whole numbers from 0"
        )
    return rows


def falling(others: Others, polls: IntColumn) -> Iterator[Violation]:
    """Yield that answers had an index below that of an earlier answer to the same query."""
    label = others.labels("stream", polls)
    order = in_groups(label)
    label, rows = label[order], polls[order]
    falls = (np.diff(label) == 0) & (np.diff(others.version[rows]) < 0)
    wrong = rows[np.flatnonzero(falls) + 1]
    if not len(wrong):
        return
    first = int(np.flatnonzero(rows == wrong.min())[0])
    before, event = others.at(rows[first - 1 : first + 1])
    text = (
        f"Query {labelled(event.fields, 'stream')} was answered with index {event.version}"
        f"{at_time(event)}, after it had been answered with index {before.version}"
        f"{at_time(before)}."
    )
    yield Violation(ORDERED, text, event.key, (), event, len(wrong))


def behind(
    others: Others, polls: IntColumn, changes: Changes, settled: int, settle_ns: int
) -> Iterator[tuple[Event, int, int, bool]]:
    """Yield live queries whose last answer is not the last value: as `shots.overdue` does."""
    history, latest, deleted = changes.history, changes.latest(), changes.deleted_unseen()
    for event in others.at(_lasts(others, polls)):
        key = changes.keys.code(event.key)
        change = int(latest[key]) if 0 <= key < len(latest) else NONE
        if change < 0:
            continue
        if event.value is None and (key in deleted or changes.value(change) == NONE):
            continue  # which is how it should be, for all we know
        known = -1 if event.value is None else int(event.fields["modified"])
        if known >= changes.version[change]:
            continue
        since = int(changes.known_ns[change])
        if 0 <= since <= history.end:
            yield event, change, since, history.end - max(since, settled) >= settle_ns


def _lasts(others: Others, polls: IntColumn) -> IntColumn:
    """Return the last answer to each query that nobody ended, in the order of their first ones."""
    different, query = ranked(others.labels("stream", polls).astype(np.int64))
    last = np.full(len(different), -1, dtype=np.int64)
    np.maximum.at(last, query, polls)
    ended = others.labels("stream", others.rows("ended", type="event"))
    return last[~np.isin(different, ended)]


def late(event: Event, change: int, changes: Changes, since: int) -> Violation:
    """Return the violation that a query never saw the last value."""
    waited = (changes.history.end - since) / 1e9
    found = "nothing" if event.value is None else quoted(event.value)
    text = (
        f"Query {labelled(event.fields, 'stream')} never saw {changes.said(change)}, though it was"
        f" known for {waited:.3f} s when the run ended: its last answer{at_time(event)} was"
        f" {found}."
    )
    return Violation(ARRIVES, text, event.key, changes.rows(change), event)
