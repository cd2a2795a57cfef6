"""Small histories for the tests: drawn at random, from valid ones by small changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import Any

from partita.checker.history import Op
from partita.checker.models.model import Model, State

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


def wild_events(random: Random, operations: int) -> list[Event]:
    """Return events of a register whose values, answers and times have nothing to do with another.

    Every value is written by at most two operations. Hardly any of these histories is
    linearizable, and they are so for every reason that there is.
    """
    written = list(range(1, operations + 1))
    seen = [None, *written[: random.randrange(1, operations + 1)]]
    if random.random() < 0.1:
        written[0] = 2
    random.shuffle(written)
    events = []
    spread = random.choice([0.3, 1, 3])
    for number, new in enumerate(written):
        f = random.choice(["read", "read", "write", "cas"])
        kind = random.choice(["ok"] * 6 + ["info", "fail"])
        old = random.choice(seen)
        value = {"read": old, "write": new, "cas": [old, new]}[f]
        begin = random.random() * operations
        op = {"process": number, "f": f, "value": value, "type": kind}
        if kind == "fail" and f == "cas":
            op["error"] = random.choice(["mismatch", "timeout"])
            if random.random() < 0.3:
                op["actual"] = random.choice(seen)
        asked = {**op, "type": "invoke", "value": None if f == "read" else value}
        events += [(begin, asked), (begin + random.random() * operations * spread, op)]
    return [event for _, event in sorted(events, key=lambda each: each[0])]


def keyed(histories: Iterable[list[Event]]) -> Iterator[Event]:
    """Put many histories into one, each under a key of its own: much is cheaper in bulk."""
    for key, events in enumerate(histories):
        for event in events:
            yield {**event, "key": key, "process": 1000 * key + event["process"]}


def run_events(
    random: Random,
    operations: int,
    processes: int,
    *,
    unique: bool,
    violation: str = "",
    crash: float = 0.02,
) -> list[Event]:
    """Return events of a register used by processes that wait for each answer.

    `crash` is the probability that an operation is never answered; half of these happen. A
    `violation` gives a read near the end a value from long before ("stale"; provably wrong if
    values are unique) or a value never written ("phantom"). Otherwise half of the histories
    get a few changed outputs.
    """
    events: list[Event] = []
    open_ops: dict[int, tuple[Event, bool]] = {}
    names = list(range(processes))
    state, fresh, begun = None, 0, 0
    while begun < operations or open_ops:
        slot = random.randrange(processes)
        if slot not in open_ops:
            if begun == operations:
                continue
            begun += 1
            fresh += 1
            new = fresh if unique else random.randrange(5)
            f = random.choice(["read", "write", "cas"])
            old = state if unique or random.random() < 0.5 else random.randrange(5)
            asked = {"read": None, "write": new, "cas": [old, new]}[f]
            op: Event = {"process": names[slot], "f": f, "value": asked}
            events.append({**op, "type": "invoke"})
            open_ops[slot] = op, False
            continue
        op, done = open_ops[slot]
        crashes = random.random() < crash / 2 and op.get("type") != "fail"
        if not done and not crashes:
            state = _effect(op, state)
            open_ops[slot] = op, True
            continue
        del open_ops[slot]
        if crashes:
            names[slot] += processes
            op |= {"type": "info"}
        events.append({"type": "ok", **op})
    reads = [each for each in events if each["f"] == "read" and each["type"] == "ok"]
    late = len(reads) * 19 // 20
    if violation:
        reads[late]["value"] = "odd" if violation == "phantom" else reads[late // 2]["value"]
    elif random.random() < 0.5:
        for read in random.sample(reads, min(2, len(reads))):
            read["value"] = random.choice(reads)["value"]
    return events


def _effect(op: Event, state: Any) -> Any:
    """Carry an operation out, and note what it answers."""
    if op["f"] == "write":
        return op["value"]
    if op["f"] == "read":
        op["value"] = state
        return state
    if op["value"][0] == state:
        return op["value"][1]
    op |= {"type": "fail", "error": "mismatch"}
    return state


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


def model_events(random: Random, model: Model, operations: int) -> list[Event]:
    """Return events of any model's operations, in the same way."""
    times = _times(random, operations)
    state: State = model.initial
    ops: dict[int, Event] = {}
    for _, _, _, number in sorted(times, key=lambda each: each[1]):
        f, asked, answered = random.choice(_OPERATIONS[model.name])(random, state)
        op: Event = {"process": number, "f": f, "type": "ok", "asked": asked, "value": answered}
        if random.random() < 0.2:
            op |= {"type": "info", "value": asked}
        if op["type"] == "ok" or random.random() < 0.5:
            after = model.step(state, _op(op))
            if after is None:
                op |= {"type": "fail", "value": asked}
            state = state if after is None else after
        ops[number] = op
    if random.random() < 0.6:
        _change_values(random, [op for op in ops.values() if op["type"] == "ok"])
    events = []
    for begin, _, end, number in times:
        op = ops[number]
        asked = op.pop("asked")
        events += [(begin, {**op, "type": "invoke", "value": asked}), (end, op)]
    for _ in range(random.randrange(3)):
        number = random.randrange(0, len(events), 2)
        shift = random.uniform(-4, 4)
        events[number : number + 2] = [(at + shift, op) for at, op in events[number : number + 2]]
    return [event for _, event in sorted(events, key=lambda each: each[0])]


def _change_values(random: Random, ops: list[Event]) -> None:
    """Give some operations what others of the same f returned."""
    for op in random.sample(ops, min(len(ops), 2)):
        op["value"] = random.choice([each["value"] for each in ops if each["f"] == op["f"]])


def _op(op: Event) -> Op:
    output = op["value"] if op["type"] == "ok" else None
    return Op(0, 0, op["f"], None, op["asked"], output, op["type"], 0, 1)


_Asked = tuple[str, Any, Any]


def _transaction(random: Random, state: State) -> _Asked:
    registers = dict(state)
    asked, answered = [], []
    for key in random.sample("xyz", random.randrange(1, 3)):
        value = random.randrange(3)
        if random.random() < 0.5:
            asked.append([":write", key, value])
            answered.append([":write", key, value])
        else:
            asked.append([":read", key, None])
            answered.append([":read", key, registers.get(key)])
    return "txn", asked, answered


def _same(f: str, make: Callable[[Random], Any]) -> Callable[[Random, State], _Asked]:
    def asked(random: Random, state: State) -> _Asked:
        value = make(random)
        return f, value, value

    return asked


_OPERATIONS: Mapping[str, list[Callable[[Random, State], _Asked]]] = {
    "multi-register": [_transaction],
    "mutex": [_same("acquire", lambda random: None), _same("release", lambda random: None)],
    "fifo-queue": [
        _same("enqueue", lambda random: random.randrange(3)),
        lambda random, state: ("dequeue", None, state[0] if state else None),
    ],
    "set": [
        _same("add", lambda random: random.randrange(4)),
        lambda random, state: ("read", None, sorted(state)),
    ],
    "counter": [
        _same("add", lambda random: random.randrange(-2, 3)),
        lambda random, state: ("read", None, state),
    ],
    "kv": [
        _same("put", lambda random: random.choice("ab")),
        _same("append", lambda random: random.choice("ab")),
        lambda random, state: ("get", None, state),
    ],
}


def _times(random: Random, operations: int) -> list[tuple[float, float, float, int]]:
    """Return each operation's beginning, effect and end, and its number."""
    times = []
    for number in range(operations):
        begin = random.random() * operations
        effect = begin + random.random() * 2
        times.append((begin, effect, effect + random.random() * 2, number))
    return times
