"""One-shot watches, as ZooKeeper has them: a read leaves a watch, and the next change fires it.

There is no log, so that changes between a fire and the next read are no gap. What is promised is
that whoever watches is told of a change before it sees it, by each watch once, and at all.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.lives import labelled
from partita.checker.watches.changes import Changes, at_time
from partita.checker.watches.coding import NONE
from partita.checker.watches.violation import AFTER, ARMED, ARRIVES, Violation

FS = ("arm", "seen", "fire", "disarmed")
_ABSENT = -1


@dataclass(frozen=True, slots=True)
class Shot:
    """A watch that fired: when it was armed and when it fired, and what it had seen."""

    armed: Event
    fired: Event


@dataclass(slots=True)
class Shots:
    """What became of all one-shot watches: violations, those that fired, those still armed."""

    violations: list[Violation]
    fired: list[Shot]
    armed: list[Event]


def shots_of(told: Mapping[str, Sequence[Event]]) -> Shots:
    """Follow each session through what its connection saw."""
    found = Shots([], [], [])
    armed: dict[Any, dict[Any, Event]] = {}
    seen = sorted((event for f in FS for event in told[f]), key=lambda event: event.rank)
    for event in seen:
        session = labelled(event.fields, "session")
        mine = armed.setdefault(event.process if session is None else ("s", session), {})
        if event.f == "disarmed":
            mine.clear()
        elif event.f == "fire":
            if event.key in mine:
                found.fired.append(Shot(mine.pop(event.key), event))
            else:
                found.violations.append(_unarmed(event))
        else:
            before = mine.get(event.key)
            if before is not None and _newer(before, event):
                found.violations.append(_unfired(before, event))
            if event.f == "arm":
                mine[event.key] = event
    found.armed = [event for mine in armed.values() for event in mine.values()]
    return found


def overdue(
    shots: Shots, changes: Changes, settled: int, settle_ns: int
) -> Iterator[tuple[Event, int, int, bool]]:
    """Yield watches that are armed though their key has changed: the change, and since when.

    The last says whether they had time enough.
    """
    latest: dict[int, int] = {}
    for change, key in enumerate(changes.key.tolist()):
        latest[key] = change
    deleted = changes.deleted_unseen()
    for event in shots.armed:
        key = changes.keys.code(event.key)
        change = latest.get(key, -1)
        if change < 0 or changes.version[change] <= _version(event):
            continue
        if event.value is None and (key in deleted or changes.value(change) == NONE):
            continue  # which is how it should be, for all we know
        since = max(int(changes.known_ns[change]), event.time)
        if 0 <= since <= changes.history.end:
            waited = changes.history.end - max(since, settled)
            yield event, change, since, waited >= settle_ns


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


def _newer(before: Event, event: Event) -> bool:
    """Whether what was read can only be there because what was seen before has changed."""
    if event.value is None:
        return before.value is not None
    return event.version > _version(before)


def _unarmed(event: Event) -> Violation:
    text = (
        f"A watch of process {event.process} on {quoted(event.key)} fired{at_time(event)}, though"
        " none was armed: each fires once."
    )
    return Violation(ARMED, text, event.key, (), event)


def _unfired(before: Event, event: Event) -> Violation:
    text = (
        f"Process {event.process} saw {_state(event)} of {quoted(event.key)}{at_time(event)},"
        f" though the watch that it had left at {_state(before)}{at_time(before)} had not fired."
    )
    return Violation(AFTER, text, event.key, (), event)


def _state(event: Event) -> str:
    return "the absence" if event.value is None else f"version {event.version}"
