"""Blocking queries, as Consul has them: an answer has an index, and the next waits for a later one.

Nothing is promised about what is in between. An index never falls, and whoever asks on sees the
last value in the end.
"""

from collections.abc import Iterator, Mapping, Sequence

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.lives import Unreadable, labelled
from partita.checker.watches.changes import Changes, at_time
from partita.checker.watches.coding import NONE
from partita.checker.watches.violation import ARRIVES, ORDERED, Violation


def polls_of(told: Mapping[str, Sequence[Event]]) -> Sequence[Event]:
    """Read all answers to blocking queries. Raises `Unreadable`."""
    for event in told["poll"]:
        modified = event.fields.get("modified")
        if event.version < 0 or (event.value is not None and type(modified) is not int):
            raise Unreadable(
                f"event {event.rank + 1}: a poll needs its version and, if something is there, "
                "`modified`, which are whole numbers"
            )
    return told["poll"]


def falling(polls: Sequence[Event]) -> Iterator[Violation]:
    """Yield answers whose index is below that of an earlier answer to the same query."""
    last: dict[object, Event] = {}
    for event in polls:
        stream = labelled(event.fields, "stream")
        before = last.get(stream)
        if before is not None and event.version < before.version:
            text = (
                f"Query {stream} was answered with index {event.version}{at_time(event)}, after it"
                f" had been answered with index {before.version}{at_time(before)}."
            )
            yield Violation(ORDERED, text, event.key, (), event)
        last[stream] = event


def behind(
    told: Mapping[str, Sequence[Event]], changes: Changes, settled: int, settle_ns: int
) -> Iterator[tuple[Event, int, int, bool]]:
    """Yield live queries whose last answer is not the last value: as `shots.overdue` does."""
    history = changes.history
    ended = {labelled(event.fields, "stream") for event in told["ended"]}
    latest: dict[int, int] = {}
    for change, key in enumerate(changes.key.tolist()):
        latest[key] = change
    deleted = changes.deleted_unseen()
    lasts = {labelled(event.fields, "stream"): event for event in told["poll"]}
    for stream, event in lasts.items():
        key = changes.keys.code(event.key)
        change = latest.get(key, -1)
        if stream in ended or change < 0:
            continue
        if event.value is None and (key in deleted or changes.value(change) == NONE):
            continue  # which is how it should be, for all we know
        known = -1 if event.value is None else int(event.fields["modified"])
        if known >= changes.version[change]:
            continue
        since = int(changes.known_ns[change])
        if 0 <= since <= history.end:
            yield event, change, since, history.end - max(since, settled) >= settle_ns


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
