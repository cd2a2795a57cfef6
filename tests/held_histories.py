"""Small histories of locks for the tests: of a store that keeps its word, and of one that need not.

Times are small whole numbers of seconds, so that things often happen at the same moment.
"""

from random import Random
from typing import Any

SECOND = 1_000_000_000
Event = dict[str, Any]


def event(time: float, process: int, f: str, **more: Any) -> Event:
    """Return what a client was told beside its answers."""
    line = {"time": round(time * SECOND), "type": "event", "process": process, "f": f}
    if "sent" in more:
        more["sent"] = round(more["sent"] * SECOND)
    return {"value": None, **line, **more}


def operation(
    begin: float, end: float, process: int, f: str, key: str | None, type_: str = "ok", **more: Any
) -> list[Event]:
    """Return the two events of an operation; further fields stand on its completion."""
    both = {"process": process, "f": f, "key": key, "value": more.pop("value", None)}
    answer = {"value": more.pop("answer")} if "answer" in more else {}
    return [
        {**both, "time": round(begin * SECOND), "type": "invoke"},
        {**both, **more, **answer, "time": round(end * SECOND), "type": type_},
    ]


def in_order(events: list[Event]) -> list[Event]:
    """Return events by time; of one process they stay in their order."""
    return sorted(events, key=lambda each: each["time"])


def wild(random: Random) -> list[Event]:
    """Return any history of locks that could be written down."""
    events: list[Event] = []
    token = random.randint(1, 9)
    for process in range(random.randint(2, 4)):
        time, session = random.randint(0, 8), f"s{process}"
        limits = random.choice([{}, {"ttl": 3.0}, {"ttl": 4.0, "grace": random.choice([0, 1.0])}])
        for _ in range(random.randint(0, 3)):
            sent = random.randint(0, 14)
            value = random.choice([True, True, None, False])
            at = sent + random.randint(0, 3)
            events.append(event(at, process, "beat", sent=sent, value=value, session=session))
        for f in random.choices(["told", "suspended"], k=random.randint(0, 2)):
            key = random.choice([None, None, "a", "b"])
            named = {} if key is None else {"key": key}
            events.append(event(random.randint(3, 16), process, f, session=session, **named))
        if random.random() < 0.15:
            sent = random.randint(8, 16)
            events.append(event(sent + 1, process, "close", sent=sent, value=True, session=session))
            continue_until = sent
        else:
            continue_until = 99
        for _ in range(random.randint(1, 2)):
            key = random.choice("aab")
            got = time + random.randint(0, 4)
            if got >= continue_until:
                break
            token += random.choice([1, 1, 1, 1, -1, 0])
            fields = {"session": session, "version": max(token, 0), **limits}
            events += operation(time, got, process, "acquire", key, **fields)
            events += _uses(random, got, process, key, max(token, 0), session)
            left = got + random.randint(1, 6)
            if random.random() < 0.25:
                break
            outcome = random.choice(["ok", "ok", "fail"])
            end = left + random.randint(0, 2)
            events += operation(left, end, process, "release", key, outcome, session=session)
            time = end + random.randint(0, 2)
    return in_order(events)


def _uses(
    random: Random, got: float, process: int, key: str, token: int, session: str
) -> list[Event]:
    found = []
    for _ in range(random.randint(0, 2)):
        time = got + random.randint(0, 4)
        fields = {"key": key, "version": token, "session": session}
        found.append(event(time, process, "resource", **fields))
        value = f"{process}-{token}-{random.randint(0, 10**9)}"
        found.append(event(time + random.randint(0, 3), process, "resource", value=value, **fields))
    return found


def kept(random: Random) -> list[Event]:
    """Return a history of a store that keeps its word, whose clients are slow to notice.

    A holder that is silent for longer than its time to live loses the lock to the next.
    """
    ttl, grace = 3.0, 1.0
    events: list[Event] = []
    free, token = 0.0, 0
    for process in range(random.randint(2, 6)):
        session = f"s{process}"
        asked = max(0.0, free - random.choice([0, 0, 1, 2.5]))
        granted = max(free, asked) + random.random() / 4
        got = granted + random.random() / 4
        token += random.randint(1, 5)
        said = {"session": session, "ttl": ttl, "grace": grace, "version": token}
        # Renewed while it waits, and for a while after that.
        begin, silent = asked, got + random.choice([0, 1, 4])
        last = begin
        while begin <= silent:
            arrived = begin + random.random() / 4
            last = arrived
            answered = random.random() < 0.9
            beat = {"sent": begin, "value": True if answered else None, "session": session}
            events.append(event(arrived + random.random() / 4, process, "beat", **beat))
            begin += random.choice([0.5, 1, 1.5])
        events += operation(asked, got, process, "acquire", "a", **said)
        expires = last + ttl + random.random() * (grace - 0.1)
        left = got + random.choice([0.2, 1, 3, 9])
        if left < expires:
            arrives = left + random.random() / 4
            free = min(arrives, expires)
        else:
            free = expires
            events.append(event(expires + 2, process, "told", session=session))
        events += operation(left, left + 0.5, process, "release", "a", session=session)
    return in_order(events)
