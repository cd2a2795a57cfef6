"""Small histories of ephemeral entries for the tests: of stores that keep their word, or not."""

from random import Random
from typing import Any

from held_histories import Event, event, in_order, operation

TTL = 3.0


def wild(random: Random) -> list[Event]:
    """Return any history of one key or two that could be written down."""
    events: list[Event] = []
    revision = random.randint(2, 6)
    time = 0
    for process in range(random.choice([1, 1, 2])):
        session = f"s{process}"
        key = random.choice("aab")
        made = time + random.randint(0, 2)
        revision += random.choice([1, 1, 1, -1])
        fields = {"version": revision, "session": session, "ttl": TTL}
        events += operation(time, made, process, "ephemeral", key, value=process, **fields)
        for _ in range(random.randint(0, 2)):
            sent = time + random.randint(0, 4)
            value = random.choice([True, True, None, False])
            at = sent + random.randint(0, 2)
            events.append(event(at, process, "beat", sent=sent, value=value, session=session))
        end = made + random.randint(1, 5)
        how = random.choice(["", "", "close", "delete"])
        if how == "close":
            value = random.choice([True, True, None])
            at = end + random.randint(0, 2)
            events.append(event(at, process, "close", sent=end, value=value, session=session))
        if how == "delete":
            outcome = random.choice(["ok", "ok", "fail", "info"])
            over = end + random.randint(0, 2)
            events += operation(end, over, process, "delete", key, outcome)
        time = random.choice([time, end + 2])
    if random.random() < 0.3:
        # Everything after it is part of the final reads.
        at = random.randint(2, 14)
        phase = {"type": "info", "process": "monitor", "f": "phase", "value": "final reads"}
        events.append({"time": at * 10**9, **phase})
    for number in range(random.randint(1, 3)):
        events += _look(random, 20 + number, revision)
    if random.random() < 0.2:
        deleted = {"key": "a", "version": random.randint(1, revision + 3)}
        events.append(event(random.randint(1, 10), 30, "event", **deleted))
    return in_order(events)


def _look(random: Random, process: int, top: int) -> list[Event]:
    sent = random.randint(0, 14)
    answered = sent + random.randint(0, 3)
    found = random.choice([None, top, top, top, top + 1, max(0, top - 1)])
    if random.random() < 0.2:
        listed = [] if found is None else [["a", found]]
        return operation(sent, answered, process, "list", None, answer=listed)
    there: dict[str, Any] = {"answer": None if found is None else "there"}
    if found is not None:
        there["version"] = found
    if random.random() < 0.2:
        there["position"] = random.randint(max(0, top - 2), top + 3)
    return operation(sent, answered, process, "look", random.choice("aab"), **there)


def kept(random: Random) -> list[Event]:
    """Return a history of a store that keeps its word: looks all the time at some entries."""
    events: list[Event] = []
    lives: list[tuple[str, int, float, float]] = []
    for process in range(3):
        key, session, begin = f"e{process}", f"s{process}", random.random()
        came = begin + random.random() / 3
        fields = {"version": process + 5, "session": session, "ttl": TTL}
        answered = came + random.random() / 3
        events += operation(begin, answered, process, "ephemeral", key, value=process, **fields)
        arrived, time = came, begin
        for _ in range(random.randint(1, 6)):
            time += random.uniform(0.5, 2.0)
            arrived = time + random.random() / 3
            value = random.choice([True, True, None])
            at = arrived + random.random() / 3
            events.append(event(at, process, "beat", sent=time, value=value, session=session))
        went = arrived + TTL + random.random() / 2
        if random.random() < 0.4:
            closed = time + random.uniform(0.7, 3.0)
            went = min(went, closed + random.random() / 3)
            sent = {"sent": closed, "value": True, "session": session}
            events.append(event(closed + 0.4, process, "close", **sent))
        lives.append((key, process + 5, came, went))
    for number in range(60):
        sent = random.uniform(0, 18)
        at = sent + random.random() / 3
        key, revision, came, went = lives[number % 3]
        there = came <= at < went
        found = {"version": revision, "answer": "there"} if there else {"answer": None}
        events += operation(sent, at + random.random() / 3, 100 + number, "look", key, **found)
    return in_order(events)
