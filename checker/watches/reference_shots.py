"""The oracle of the check `watches` for one-shot watches and for blocking queries.

Each rule as it is defined, for small histories; it shares no code with the check. What is known of
changes are the answers to writers and what was read: none may contradict another.
"""

from itertools import pairwise
from typing import Any, NamedTuple

from partita.checker.events import Event
from partita.checker.history import History


class Change(NamedTuple):
    """A change of a key, and when somebody was told of it first: its writer, if that one was."""

    version: int
    value: Any
    known: int


def rules_broken(history: History, settle_ns: int) -> set[str]:
    """Return the rules that one-shot watches and queries of a small history break."""
    events = [each for each in history.others if each.type == "event"]
    return {
        *_of_shots(history, events, settle_ns),
        *_of_queries(history, [each for each in events if each.f == "poll"], events, settle_ns),
    }


def _of_shots(history: History, events: list[Event], settle_ns: int) -> set[str]:
    found = set()
    for at, event in enumerate(events):
        left = _left(events[:at], event)
        if event.f == "fire" and left is None:
            found.add("armed")
        if event.f in ("arm", "seen") and left is not None:
            gone = event.value is None and left.value is not None
            if gone or (event.value is not None and event.version > _seen_version(left)):
                found.add("after")
        if event.f == "arm" and _is_live(event, events[at + 1 :]):
            last = _last_change(history, event.key)
            if last is None or last.version <= _seen_version(event):
                continue
            if event.value is None and last.value is None:
                continue
            if history.end - max(last.known, event.time) >= settle_ns:
                found.add("arrives")
    return found


def _session(event: Event) -> tuple[bool, Any]:
    named = event.fields.get("session")
    return (True, named) if named is not None else (False, event.process)


def _left(before: list[Event], event: Event) -> Event | None:
    """Return the watch that is armed on the key of an event, in its session."""
    for each in reversed(before):
        if _session(each) != _session(event) or each.f not in ("arm", "fire", "disarmed"):
            continue
        if each.f == "disarmed":
            return None
        if each.key == event.key:
            return each if each.f == "arm" else None
    return None


def _is_live(armed: Event, after: list[Event]) -> bool:
    mine = [each for each in after if _session(each) == _session(armed)]
    own = [each for each in mine if each.f in ("arm", "fire") and each.key == armed.key]
    return not own and all(each.f != "disarmed" for each in mine)


def _of_queries(
    history: History, polls: list[Event], events: list[Event], settle_ns: int
) -> set[str]:
    found = set()
    ended = [each.fields.get("stream") for each in events if each.f == "ended"]
    for query in {each.fields["stream"] for each in polls}:
        mine = [each for each in polls if each.fields["stream"] == query]
        versions = [each.version for each in mine]
        if any(later < before for before, later in pairwise(versions)):
            found.add("ordered")
        last, change = mine[-1], _last_change(history, mine[-1].key)
        if query in ended or change is None or (last.value is None and change.value is None):
            continue
        known = -1 if last.value is None else last.fields["modified"]
        if known < change.version and history.end - change.known >= settle_ns:
            found.add("arrives")
    return found


def _seen_version(event: Event) -> int:
    return -1 if event.value is None else event.version


def _last_change(history: History, key: Any) -> Change | None:
    """Return the last change of a key that anybody knows of."""
    found: dict[int, Change] = {}
    for op in history:
        if op.f in ("write", "delete") and op.key == key and op.outcome == "ok":
            assert op.completed is not None
            found[op.version] = Change(op.version, op.input, op.completed)
    return found[max(found)] if found else None
