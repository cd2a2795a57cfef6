"""Small histories with versions for the tests: of a store that lags, then changed, or wild."""

from random import Random
from typing import Any

Event = dict[str, Any]


def simulated(random: Random, operations: int, lists: bool = False) -> list[Event]:
    """Return a history of a store whose sessions read old versions, but ever newer ones.

    It keeps ordered-sequential, and often more. `changed` spoils it.
    """
    store = _Store(random, lists)
    events: list[tuple[float, Event]] = []
    begins = {process: random.random() for process in range(random.randint(1, 3))}
    for number in range(1, operations + 1):
        process = min(begins, key=lambda each: begins[each])
        begin = begins.pop(process)
        end = begin + random.choice([0.2, 1, 3]) * random.random()
        asked, answered = store.carry_out(process, number)
        crashed = answered["type"] == "info"
        if crashed:
            answered.pop("version", None)
        begins[process + 10 if crashed else process] = end + random.random()
        events += [(begin, asked), (end, answered)]
    return [event for _, event in sorted(events, key=lambda each: each[0])]


class _Store:
    """One line of updates; each session has seen a beginning of it."""

    def __init__(self, random: Random, lists: bool) -> None:
        self._random, self._lists = random, lists
        self._line: list[tuple[str, Any, int]] = []  # key, value, version
        self._seen: dict[int, int] = {}
        self._keys = ["x", "y"][: random.randint(1, 2)]

    def carry_out(self, process: int, number: int) -> tuple[Event, Event]:
        random, key = self._random, self._random.choice(self._keys)
        f = random.choice(
            ["read", "read", "add"] if self._lists else ["read", "read", "write", "cas"]
        )
        crashed, happens = random.random() < 0.2, random.random() < 0.6
        asked = {"process": process, "type": "invoke", "f": f, "key": key, "value": None}
        answered = {**asked, "type": "info" if crashed else "ok"}
        if f == "read":
            position = random.randint(self._seen.get(process, 0), len(self._line))
            self._seen[process] = position
            value, version = self._at(key, position)
            answered["value"] = value
            return asked, answered | ({} if version < 0 else {"version": version})
        value = self._at(key, len(self._line))[0]
        asked["value"] = answered["value"] = number
        if f == "cas":
            right = random.random() < 0.7
            old = value if right else random.choice([None, number - 1])
            asked["value"] = answered["value"] = [old, number]
            if old != value:
                answered |= {"type": "fail", "error": "mismatch"}
                self._seen[process] = len(self._line)
                if random.random() < 0.4 and value is not None:
                    version = self._at(key, len(self._line))[1]
                    answered |= {"actual": value, "version": version}
                return asked, answered
        if crashed and not happens:
            return asked, answered
        version = len(self._line) + 11
        self._line.append((key, [*(value or []), number] if self._lists else number, version))
        self._seen[process] = len(self._line)
        return asked, answered | {"version": version}

    def _at(self, key: str, position: int) -> tuple[Any, int]:
        found = [(v, z) for k, v, z in self._line[:position] if k == key]
        return found[-1] if found else (([] if self._lists else None), -1)


def changed(random: Random, events: list[Event]) -> list[Event]:
    """Return the history with one thing or two of it changed, so that it is often invalid."""
    events = [dict(event) for event in events]
    versions = [event["version"] for event in events if "version" in event]
    for _ in range(random.choice([1, 1, 2])):
        event = random.choice(events)
        kind = random.randrange(6)
        if kind == 0 and event["type"] == "ok" and versions:
            event["version"] = random.choice([*versions, *versions, 99])
        elif kind == 1 and event["f"] == "read" and event["type"] == "ok":
            _change_read(random, event, events)
        elif kind == 2:
            event.pop("version", None)
        elif kind == 3:
            _move(random, events)
        elif kind == 4 and event["type"] == "ok" and event["f"] != "read":
            event["type"] = random.choice(["info", "fail"])
        elif kind == 5 and event["f"] == "cas":
            _change_cas(random, event, events)
    return events


def _change_read(random: Random, event: Event, events: list[Event]) -> None:
    reads = [each for each in events if each["f"] == "read" and each["type"] == "ok"]
    other = random.choice(reads)
    event.pop("version", None)
    event["value"] = other["value"]
    if "version" in other:
        event["version"] = other["version"]


def _change_cas(random: Random, event: Event, events: list[Event]) -> None:
    old = random.choice([None, 77, *range(1, 8)])
    for each in events:
        if each["f"] == "cas" and each["value"][1] == event["value"][1]:
            each["value"] = [old, event["value"][1]]


def _move(random: Random, events: list[Event]) -> None:
    """Let a completion come earlier or later, within its process."""
    at = random.randrange(len(events))
    event = events[at]
    bounds = [i for i, each in enumerate(events) if each["process"] == event["process"] and i != at]
    low = max((i for i in bounds if i < at), default=-1) + 1
    high = min((i for i in bounds if i > at), default=len(events)) - 1
    events.insert(random.randint(low, max(low, high)), events.pop(at))


def wild(random: Random, operations: int) -> list[Event]:
    """Return operations on registers whose values and versions have nothing to do with another."""
    events: list[tuple[float, Event]] = []
    clocks = {process: 0.0 for process in range(random.randint(1, 3))}
    few = random.random() < 0.3
    keys = ["x", "y"][: random.randint(1, 2)]
    for number in range(1, operations + 1):
        process = random.choice(list(clocks))
        begin = clocks.pop(process) + random.random()
        end = begin + random.choice([0.2, 1, 3]) * random.random()
        f = random.choice(["read", "read", "write", "cas"])
        new = random.randint(1, 2) if few else number
        some = random.choice([None, *range(1, operations + 1)])
        value = {"read": None, "write": new, "cas": [some, new]}[f]
        asked = {"process": process, "type": "invoke", "f": f, "key": random.choice(keys)}
        asked["value"] = value
        kind = random.choice(["ok"] * 5 + ["info", "fail"])
        answered = {**asked, "type": kind}
        if f == "read":
            answered["value"] = some
        if kind == "fail" and f == "cas":
            answered["error"] = "mismatch"
            if random.random() < 0.5:
                answered["actual"] = random.choice([None, number])
        if random.random() < 0.85 and kind != "info":
            answered["version"] = random.randint(1, operations + 1)
        clocks[process if kind != "info" else process + 10] = end
        events += [(begin, asked), (end, answered)]
    return [event for _, event in sorted(events, key=lambda each: each[0])]


def with_sessions(random: Random, events: list[Event]) -> list[Event]:
    """Name sessions in some completions: a process moves to another, or two share one."""
    names = ["a", "b", "c"]
    return [
        {**event, "session": random.choice(names)}
        if event["type"] in ("ok", "fail") and random.random() < 0.5
        else event
        for event in events
    ]
