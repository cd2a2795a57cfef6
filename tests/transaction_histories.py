"""Small histories of transactions for the tests: simulated and then disturbed, or plausible.

Those that are simulated are of a store that is more or less careful. In plausible ones each answer
is possible by itself at its time; hardly any of them hangs together, and for every reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

Event = dict[str, Any]
Kind = Literal["append", "register"]
State = dict[str, Any]


@dataclass(slots=True)
class Planned:
    """A transaction before it is known what came of it."""

    process: int
    micro_ops: list[list[Any]]
    outcome: str
    begin: float
    end: float
    answer: list[list[Any]] = field(default_factory=list)

    def events(self) -> list[tuple[float, Event]]:
        asked = [[f, key, None if f == "r" else value] for f, key, value in self.micro_ops]
        line: Event = {"process": self.process, "f": "txn", "value": asked}
        answer = self.answer if self.outcome == "ok" else asked
        return [
            (self.begin, {**line, "type": "invoke"}),
            (self.end, {**line, "type": self.outcome, "value": answer}),
        ]


def random_history(random: Random, kind: Kind, *, final: bool, most: int = 5) -> list[Event]:
    """Return the events of one history, half of them simulated, half plausible.

    `final`: at the end all keys are read, so that the order of all values is known.
    """
    make = random.choice([_simulated, _plausible])
    return make(random, kind, random.randint(2, most), final)


def _simulated(random: Random, kind: Kind, count: int, final: bool) -> list[Event]:
    planned = _planned(random, kind, count)
    store = random.choice([_serial, _snapshots, _careless])
    state = store(random, kind, planned)
    if random.random() < 0.6:
        _disturb(random, planned)
    return _in_order(planned, state if final else None)


def _plausible(random: Random, kind: Kind, count: int, final: bool) -> list[Event]:
    """Under each key the values stand in some order, and who reads finds one of these states."""
    planned = _planned(random, kind, count)
    order = _orders(random, planned)
    for each in planned:
        own: dict[str, list[Any]] = {}
        for f, key, value in each.micro_ops:
            if f != "r":
                own.setdefault(key, []).append(value)
        done: set[Any] = set()
        last: State = {}
        for f, key, value in each.micro_ops:
            if f != "r":
                done.add((key, value))
                each.answer.append([f, key, value])
                continue
            line = order.get(key, [])
            cuts = range(len(line) + 1)
            fitting = [cut for cut in cuts if all(
                ((key, value) in done) == (value in line[:cut]) for value in own.get(key, [])
            )] if random.random() < 0.9 else cuts  # fmt: skip
            cut = random.choice(list(fitting) or list(cuts))
            if key in last and random.random() < 0.9:
                mine = [value for value in line if (key, value) in done]
                found = max([line.index(value) + 1 for value in mine], default=0)
                cut = max(last[key], found)
            last[key] = cut
            each.answer.append(["r", key, _state(kind, line[:cut])])
    state = {key: _state(kind, line) for key, line in order.items()}
    return _in_order(planned, state if final else None)


def _orders(random: Random, planned: Sequence[Planned]) -> dict[str, list[Any]]:
    """Return all that was written under each key, roughly by time; each key's own order."""
    order: dict[str, list[tuple[float, Any]]] = {}
    for each in planned:
        keep = {"ok": 1.0, "info": 0.5, "fail": 0.05}[each.outcome]
        happened = random.random() < keep
        commit = random.uniform(each.begin, each.end)
        for place, (f, key, value) in enumerate(each.micro_ops):
            shift = random.choice([0, 0, 0, 0, 1]) * random.uniform(-2, 2)
            if f != "r" and happened:
                order.setdefault(key, []).append((commit + shift + place * 1e-6, value))
    return {key: [value for _, value in sorted(line)] for key, line in order.items()}


def _state(kind: Kind, line: Sequence[Any]) -> Any:
    if kind == "append":
        return list(line)
    return line[-1] if line else None


def _planned(random: Random, kind: Kind, count: int) -> list[Planned]:
    """Return transactions of processes that wait for their answers, without answers as yet."""
    keys = ["x", "y", "z"][: random.choice([1, 2, 2, 2, 3])]
    last = dict.fromkeys(keys, 0)
    next_: dict[int, float] = {
        process: random.random() for process in range(random.choice([1, 2, 3, 4, 4]))
    }
    spread, skewed = random.choice([0.3, 2, 5]), random.random() < 0.4
    planned = []
    for _ in range(count):
        process = min(next_, key=lambda each: next_[each])
        begin = next_.pop(process)
        micro_ops = []
        for f, key in _shape(random, keys, skewed):
            last[key] += f == "write"
            name = "r" if f == "read" else "append" if kind == "append" else "w"
            micro_ops.append([name, key, None if f == "read" else last[key]])
        outcome = random.choice(["ok"] * 8 + ["info", "fail"])
        end = begin + random.random() * spread
        planned.append(Planned(process, micro_ops, outcome, begin, end))
        next_[process + 10 if outcome == "info" else process] = end + random.random() * 0.5
    return planned


def _shape(random: Random, keys: Sequence[str], skewed: bool) -> list[tuple[str, str]]:
    """Return which keys a transaction reads and writes; `skewed`: it reads some, writes others."""
    if skewed and len(keys) > 1:
        first, *others = random.sample(keys, len(keys))
        return [*(("read", key) for key in others), ("write", first)]
    count = random.choice([1, 2, 2, 2, 3, 4])
    return [(random.choice(["read", "write"]), random.choice(keys)) for _ in range(count)]


def _in_order(planned: Sequence[Planned], state: Mapping[str, Any] | None) -> list[Event]:
    events = [event for each in planned for event in each.events()]
    if state is not None:
        last = max(time for time, _ in events) + 1
        keys = sorted({key for each in planned for _, key, _ in each.micro_ops})
        reads = [["r", key, state.get(key)] for key in keys]
        events += Planned(99, reads, "ok", last, last + 1, answer=reads).events()
    return [event for _, event in sorted(events, key=lambda each: each[0])]


# Stores ------------------------------------------------------------------------------------------


def _apply(kind: Kind, state: State, micro_op: Sequence[Any]) -> list[Any]:
    f, key, value = micro_op
    if f == "r":
        found = state.get(key)
        return [f, key, list(found or ()) if kind == "append" else found]
    state[key] = [*(state.get(key) or ()), value] if f == "append" else value
    return [f, key, value]


def _happens(random: Random, planned: Planned) -> bool:
    return planned.outcome == "ok" or (planned.outcome == "info" and random.random() < 0.5)


def _serial(random: Random, kind: Kind, planned: Sequence[Planned]) -> State:
    """Each transaction takes effect at once, within its time."""
    moments = {id(each): random.uniform(each.begin, each.end) for each in planned}
    state: State = {}
    for each in sorted(planned, key=lambda each: moments[id(each)]):
        if _happens(random, each):
            each.answer = [_apply(kind, state, micro_op) for micro_op in each.micro_ops]
    return state


def _snapshots(random: Random, kind: Kind, planned: Sequence[Planned]) -> State:
    """Reads are of the state at the beginning, perhaps an older one; writes are put in at the end.

    Where another has written the same key in between, the transaction fails, mostly.
    """
    careful, lag = random.random() < 0.7, random.choice([0, 0, 2])
    points = []
    for each in planned:
        start, commit = sorted(random.uniform(each.begin, each.end) for _ in range(2))
        points.append((max(0.0, start - lag * random.random()), commit, each))
    history: list[tuple[float, State]] = [(-1.0, {})]
    for start, commit, each in sorted(points, key=lambda point: point[1]):
        if not _happens(random, each):
            continue
        snapshot = dict([state for time, state in history if time <= start][-1])
        now = dict(history[-1][1])
        written = {key for f, key, _ in each.micro_ops if f != "r"}
        if careful and any(snapshot.get(key) != now.get(key) for key in written):
            each.outcome = random.choice(["fail", "info"])
            continue
        each.answer = [_apply(kind, snapshot, micro_op) for micro_op in each.micro_ops]
        for micro_op in each.micro_ops:
            _apply(kind, now, micro_op)
        history.append((commit, now))
    return history[-1][1]


def _careless(random: Random, kind: Kind, planned: Sequence[Planned]) -> State:
    """Each micro-operation takes effect by itself, and what fails may have done half of it."""
    steps = []
    for each in planned:
        moments = sorted(random.uniform(each.begin, each.end) for _ in each.micro_ops)
        happens = len(moments) if _happens(random, each) else random.choice([0, 0, 0, 1])
        steps += [(moment, place, each) for place, moment in enumerate(moments[:happens])]
    state: State = {}
    for _, place, each in sorted(steps, key=lambda step: step[0]):
        each.answer.append(_apply(kind, state, each.micro_ops[place]))
    return state


def _disturb(random: Random, planned: list[Planned]) -> None:
    """Change one thing or two: what was read, when something happened, how it ended."""
    for _ in range(random.choice([1, 1, 2])):
        each = random.choice(planned)
        change = random.randrange(4)
        if change == 0:
            _change_read(random, each, planned)
        elif change == 1:
            shift = random.uniform(-2, 2)
            alone = sum(other.process == each.process for other in planned) == 1
            if alone:
                each.begin, each.end = max(0.0, each.begin + shift), max(0.1, each.end + shift)
        elif change == 2 and each.outcome == "ok":
            each.outcome = random.choice(["info", "fail"])
        elif change == 3:
            alone = sum(other.process == each.process for other in planned) == 1
            if alone:
                process = random.choice([each.process, 20 + random.randrange(3)])
                if all(other.process != process for other in planned):
                    each.process = process


def _change_read(random: Random, each: Planned, planned: Sequence[Planned]) -> None:
    reads = [micro_op for micro_op in each.answer if micro_op[0] == "r"]
    if not reads:
        return
    changed = random.choice(reads)
    others = [
        micro_op[2] for other in planned for micro_op in other.answer if micro_op[:2] == changed[:2]
    ]
    value = random.choice(others)
    if isinstance(value, list) and value and random.random() < 0.5:
        value = value[: random.randrange(len(value))]
    changed[2] = value
