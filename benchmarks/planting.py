"""One violation near the end of a simulated history, for certain.

Answers are exchanged, or changed, that lie so far apart that what was under way together cannot
explain it.
"""

from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
# Further apart than operations can be under way together.
_APART = 80
_NAMES = 10**8  # processes that the history does not have


def plant(kind: str, events: list[Event]) -> None:
    """Make a history of a kind (of `kinds.KINDS`) invalid."""
    _PLANTS[kind](events)


def swap_two_dequeues(events: list[Event]) -> None:
    """Exchange what two dequeues took, one long after the other."""
    _swap("dequeue", events)


def take_again(events: list[Event]) -> None:
    """Let a dequeue take what was taken long before."""
    late, early = _late_and_early("dequeue", events)
    late["value"] = early["value"]


def drop_an_element(events: list[Event]) -> None:
    """Let the last read miss an element that the first read had."""
    reads = _answered("read", events)
    late, early = reads[-1], next(each for each in reads if len(each["value"]) > 1)
    late["value"] = [each for each in late["value"] if each != early["value"][0]]


def read_one_too_many(events: list[Event]) -> None:
    """Let a late read of a counter tell more than was ever added before it was over."""
    late = _answered("read", events)[-1]
    begun = events[: _place(late, events)]
    adds = [each["value"] for each in begun if (each["type"], each["f"]) == ("invoke", "add")]
    late["value"] = sum(adds) + 1


def _swap(f: str, events: list[Event]) -> None:
    late, early = _late_and_early(f, events)
    late["value"], early["value"] = early["value"], late["value"]
    if "version" in late:
        late["version"], early["version"] = early["version"], late["version"]


def _late_and_early(f: str, events: list[Event]) -> tuple[Event, Event]:
    answers = _answered(f, events)
    late = answers[-3]
    return late, next(each for each in reversed(answers[:-_APART]) if _differ(each, late))


def _differ(one: Event, other: Event) -> bool:
    return bool(one["value"] != other["value"])


def _answered(f: str, events: list[Event]) -> list[Event]:
    done = (each for each in events if (each["type"], each["f"]) == ("ok", f))
    return [each for each in done if each["value"] not in (None, "", [])]


def _place(event: Event, events: list[Event]) -> int:
    return next(at for at, each in enumerate(events) if each is event)


def _told(f: str, value: Any) -> Callable[[list[Event]], None]:
    """Let a late answer be what was never written."""

    def say(events: list[Event]) -> None:
        _answered(f, events)[-3]["value"] = value

    return say


def _cut(f: str) -> Callable[[list[Event]], None]:
    """Let a late text miss its first letter."""

    def cut(events: list[Event]) -> None:
        late = _answered(f, events)[-3]
        late["value"] = late["value"][1:]

    return cut


def _make_money(events: list[Event]) -> None:
    """Let a late read find a coin too many."""
    _answered("read", events)[-3]["value"]["0"] += 1


def _swap_transactions(events: list[Event]) -> None:
    """Let a late transaction read what was replaced long before."""
    reading = [
        each
        for each in _answered("txn", events)
        if all(f == "r" and value is not None for f, _, value in each["value"])
    ]
    late = reading[-3]
    early = next(
        each
        for each in reversed(reading[:-_APART])
        if [part[1] for part in each["value"]] == [part[1] for part in late["value"]]
    )
    late["value"], early["value"] = early["value"], late["value"]


def _lack_an_element(events: list[Event]) -> None:
    """Let one node lack an element in the end."""
    _answered("read", events)[-1]["value"].pop()


def _give_again(events: list[Event]) -> None:
    """Let a late taker be given an id that was given long before."""
    late, early = _late_and_early("generate", events)
    late["value"] = early["value"]


def _skip_a_message(events: list[Event]) -> None:
    """Let a late poll leave out a message."""
    polls = [pairs for each in _answered("poll", events) for pairs in each["value"].values()]
    next(pairs for pairs in reversed(polls) if len(pairs) > 2).pop(1)


def _acquire_twice(events: list[Event]) -> None:
    """Let two have the lock, one after the other, and none release it."""
    for process in (_NAMES, _NAMES + 1):
        _do(events, process, "acquire", None, None)


def _forget_member(events: list[Event]) -> None:
    """Let an element be added that is not there afterwards."""
    _do(events, _NAMES, "add", 99, 99)
    _do(events, _NAMES + 1, "contains", 99, False)


def _do(events: list[Event], process: int, f: str, asked: Any, answer: Any) -> None:
    operation = {"time": events[-1]["time"] + 1, "process": process, "f": f}
    events.append({**operation, "type": "invoke", "value": asked})
    events.append({**operation, "type": "ok", "value": answer})


_PLANTS: dict[str, Callable[[list[Event]], None]] = {
    "fifo-queue": swap_two_dequeues,
    "fifo-queue-repeating": _told("dequeue", 999),
    "unordered-queue": take_again,
    "delivery": take_again,
    "set": drop_an_element,
    "append": drop_an_element,
    "members": _forget_member,
    "counter": read_one_too_many,
    "counter-mixed": read_one_too_many,
    "convergence-set": _lack_an_element,
    "convergence-counter": read_one_too_many,
    "uniqueness": _give_again,
    "echo": _told("echo", "something else"),
    "streams": _skip_a_message,
    "kv": lambda events: _swap("get", events),
    "kv-append": _cut("get"),
    "kv-mixed": _cut("get"),
    "register": lambda events: _swap("read", events),
    "register-small": _told("read", 9),
    "sessions": lambda events: _swap("read", events),
    "mutex": _acquire_twice,
    "multi-register": _swap_transactions,
    "bank": _make_money,
}
