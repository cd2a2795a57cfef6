"""Small histories of one-shot watches and blocking queries for the tests, good ones and any."""

from random import Random
from typing import Any

from held_histories import Event, event, in_order, operation

Log = list[tuple[float, int, str, Any]]  # when, revision, key, value (None: deleted)
KEYS = "ab"


def fired(random: Random, *, honest: bool) -> list[Event]:
    """Return a log and sessions that arm watches on it; if not `honest`, some tell otherwise."""
    log, events = _written(random)
    for process in range(50, 50 + random.randint(1, 3)):
        named = {"session": f"s{process % 2}"} if random.random() < 0.3 and not honest else {}
        for each in _session(random, process, log):
            events.append(each | named)
    return _any(random, events, honest)


def polled(random: Random, *, honest: bool) -> list[Event]:
    """Return a log and queries on it; if not `honest`, some answer otherwise."""
    log, events = _written(random)
    for process in range(50, 50 + random.randint(1, 3)):
        key, now, index = random.choice(KEYS), 0.2, 0
        stream = f"q{process}"
        while True:
            before = [each for each in log if each[0] <= now]
            mine = [each for each in before if each[2] == key]
            last = mine[-1] if mine else (0.0, 0, key, None)
            index = max(index, before[-1][1] if before else 1)
            more = {} if last[3] is None else {"modified": last[1]}
            events.append(
                event(
                    now,
                    process,
                    "poll",
                    value=last[3],
                    key=key,
                    version=index,
                    stream=stream,
                    **more,
                )
            )
            later = [each for each in log if each[0] > now and each[2] == key]
            if not later or (not honest and random.random() < 0.2):
                break
            now = random.choice(later)[0] + random.random() / 4
        if random.random() < 0.3:
            events.append(event(now + 0.1, process, "ended", value="enough", stream=stream))
    return _any(random, events, honest)


def _written(random: Random) -> tuple[Log, list[Event]]:
    log: Log = []
    events: list[Event] = []
    there: set[str] = set()
    revision = random.randint(1, 5)
    for number in range(random.randint(1, 8)):
        key, time = random.choice(KEYS), number + 1.0
        deletes = key in there and random.random() < 0.3
        value = None if deletes else number
        (there.discard if deletes else there.add)(key)
        revision += random.randint(1, 2)
        log.append((time, revision, key, value))
        f = "delete" if deletes else "write"
        events += operation(time, time, 10 + number, f, key, value=value, version=revision)
    return log, events


def _session(random: Random, process: int, log: Log) -> list[Event]:
    """Read keys, leave watches, and be told, as a connection sees it."""
    told: list[Event] = []
    armed: set[str] = set()
    state: dict[str, tuple[int, Any]] = {}

    def read(f: str, key: str, now: float) -> None:
        version, value = state.get(key, (-1, None))
        more = {} if value is None else {"version": version}
        told.append(event(now, process, f, value=value, key=key, **more))
        if f == "arm":
            armed.add(key)

    for key in KEYS:
        if random.random() < 0.8:
            read("arm", key, 0.1)
    for time, revision, key, value in log:
        state[key] = (revision, value)
        if key in armed:
            armed.discard(key)
            told.append(event(time + 0.1, process, "fire", key=key))
        if random.random() < 0.1:
            armed.clear()
            told.append(event(time + 0.2, process, "disarmed"))
        for each in KEYS:
            if random.random() < 0.6:
                read(random.choice(["arm", "arm", "seen"]), each, time + 0.3)
    return told


def _any(random: Random, events: list[Event], honest: bool) -> list[Event]:
    """Add where the history ends; unless it is `honest`, change some of what was told."""
    end = random.choice([9, 15, 19, 25, 40])
    events = [*in_order(events), event(end, 99, "told")]
    for _ in range(0 if honest else random.randint(1, 2)):
        places = [at for at, each in enumerate(events) if each["process"] in range(50, 60)]
        if not places:
            break
        at = random.choice(places)
        what = random.choice(["drop", "drop", "repeat", "move", "version", "absent"])
        if what == "drop":
            del events[at]
        elif what == "repeat":
            events.insert(at + 1, dict(events[at]))
        elif what == "move":
            other = random.choice(places)
            line, time = events.pop(at), events[other % len(events)]["time"]
            events.insert(other, line | {"time": time})
        elif what == "version" and events[at].get("version", -1) > 1:
            events[at] = events[at] | {"version": events[at]["version"] - random.randint(1, 2)}
        elif what == "absent" and events[at]["f"] in ("arm", "seen"):
            events[at] = {**events[at], "value": None}
            events[at].pop("version", None)
    return events
