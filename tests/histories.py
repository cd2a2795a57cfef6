"""Small histories for the tests: drawn at random, from valid ones by small changes."""

from random import Random
from typing import Any

Event = dict[str, Any]


def register_events(random: Random, operations: int, *, unique: bool) -> list[Event]:
    """Return events of a register: simulated with effects in their intervals, then changed.

    Half of the histories are left as they are, and linearizable; in the others a read's output
    or the place of an event is changed, so that most of them are not.
    """
    times = _times(random, operations)
    state, values = None, iter(range(1, 10 * operations))
    ops: dict[int, Event] = {}
    for _, _, _, number in sorted(times, key=lambda each: each[1]):
        f = random.choice(["read", "read", "write", "cas"])
        op: Event = {"f": f, "process": number, "type": "ok"}
        crashed = random.random() < 0.2
        happens = not crashed or random.random() < 0.5
        new = next(values) if unique else random.randrange(3)
        if f == "write":
            op["value"] = new
            state = new if happens else state
        elif f == "cas":
            right = random.random() < 0.7
            old = state if right else random.choice([None, random.randrange(1, operations + 1)])
            op["value"] = [old, new]
            if old != state:
                op |= {"type": "fail", "error": "mismatch"}
                if random.random() < 0.3 and state is not None:
                    op["actual"] = state
            elif happens:
                state = new
        else:
            op["value"] = state
        if crashed and op["type"] == "ok":
            op["type"] = "info"
        ops[number] = op
    events = []
    for begin, _, end, number in times:
        op = ops[number]
        asked = {**op, "type": "invoke"}
        if op["f"] == "read":
            asked["value"] = None
        events += [(begin, asked), (end, op)]
    if random.random() < 0.6:
        _change(random, events)
    return [event for _, event in sorted(events, key=lambda each: each[0])]


def _change(random: Random, events: list[tuple[float, Event]]) -> None:
    reads = [event for _, event in events if event["f"] == "read" and event["type"] == "ok"]
    reads = [event for event in reads if not isinstance(event["value"], list)]
    written = [event["value"] for _, event in events if event["f"] == "write"]
    if reads and random.random() < 0.7:
        random.choice(reads)["value"] = random.choice([None, 77, *written])
        return
    number = random.randrange(0, len(events), 2)
    (begin, asked), (end, op) = events[number : number + 2]
    shift = random.uniform(-3, 3)
    events[number : number + 2] = [(begin + shift, asked), (end + shift, op)]


def append_events(random: Random, operations: int) -> list[Event]:
    """Return events of a list, in the same way."""
    times = _times(random, operations)
    state: list[int] = []
    ops: dict[int, Event] = {}
    for _, _, _, number in sorted(times, key=lambda each: each[1]):
        op: Event = {"process": number, "f": random.choice(["add", "read"]), "type": "ok"}
        if random.random() < 0.25:
            op["type"] = random.choice(["info", "fail"])
        if op["f"] == "read":
            op["value"] = list(state)
        else:
            op["value"] = number
            if op["type"] == "ok" or (op["type"] == "info" and random.random() < 0.5):
                state.append(number)
        ops[number] = op
    events = []
    for begin, _, end, number in times:
        op = ops[number]
        events += [(begin, {**op, "type": "invoke"}), (end, op)]
    if random.random() < 0.6:
        _change(random, events)
    reads = [event for _, event in events if event["f"] == "read" and event["type"] == "ok"]
    if reads and random.random() < 0.3:
        read = random.choice(reads)["value"]
        read[:] = random.choice([read[:-1], read[::-1], [*read, number], [*read, 77], read * 2])
    return [event for _, event in sorted(events, key=lambda each: each[0])]


def _times(random: Random, operations: int) -> list[tuple[float, float, float, int]]:
    """Return each operation's beginning, effect and end, and its number."""
    times = []
    for number in range(operations):
        begin = random.random() * operations
        effect = begin + random.random() * 2
        times.append((begin, effect, effect + random.random() * 2, number))
    return times
