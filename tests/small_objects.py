"""Small histories of queues, bags, sets, counters and text, for the tests of their monitors.

Half are *simulated*: each operation takes effect at one moment in its interval (a crashed one
perhaps long after it was given up), and then most of them are disturbed. The other half are
*plausible*: each answer is possible by itself, all of them together often are not. The second
sort finds the mistakes that leave nearly every simulated history valid.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

Event = dict[str, Any]
State = list[Any]


@dataclass(slots=True)
class Call:
    """One operation that is being drawn."""

    f: str
    asked: Any
    begin: float
    effect: float
    end: float
    type: str
    answer: Any = None


@dataclass(frozen=True, slots=True)
class Kind:
    """How operations on one kind of object are drawn, carried out, and answered at random."""

    draw: Callable[[Random, int, bool], tuple[str, Any]]
    apply: Callable[[Random, State, Call], Any]
    guess: Callable[[Random, list[Call], Call], Any]


# What may be equal though it is written differently, or looks like something else.
ODD = [0, 1, 2, True, "1", 1.5, [1, 2]]


def object_events(
    random: Random, name: str, operations: int, initial: Sequence[Any] = ()
) -> list[Event]:
    """Return the events of a small history of an object of this kind (a key of `KINDS`).

    `initial` is what the object begins with, in pieces.
    """
    kind = KINDS[name]
    unique = random.random() < 0.8
    crash = random.choice([0, 0.1, 0.25, 0.45])
    spread = random.choice([0.5, 1.5, 4])
    calls = []
    for number in range(operations):
        f, asked = kind.draw(random, number, unique)
        begin = random.random() * operations
        effect = begin + random.random() * spread
        end = effect + random.random() * spread
        type_ = (
            "ok" if random.random() >= crash else random.choice(["info", "info", "info", "fail"])
        )
        if type_ == "info":
            effect = random.choice([effect, begin + random.random() * operations, 1e9])
        calls.append(Call(f, asked, begin, effect, end, type_))
    if random.random() < 0.5:
        _simulate(random, kind, calls, list(initial))
        disturbed = 0.7
    else:
        for call in calls:
            call.answer = kind.guess(random, calls, call)
        disturbed = 0.25
    if random.random() < disturbed:
        _disturb(random, kind, calls)
    return _events(calls)


def _simulate(random: Random, kind: Kind, calls: list[Call], state: State) -> None:
    for call in sorted(calls, key=lambda call: call.effect):
        if call.type != "fail" and call.effect < 1e9:
            call.answer = kind.apply(random, state, call)


def _disturb(random: Random, kind: Kind, calls: list[Call]) -> None:
    for _ in range(random.randrange(1, 4)):
        call, other = random.choice(calls), random.choice(calls)
        change = random.randrange(5)
        if change == 0:
            call.answer = kind.guess(random, calls, call)
        elif change == 1 and (call.f, call.type) == (other.f, other.type):
            call.answer, other.answer = other.answer, call.answer
        elif change == 2:
            call.end = random.uniform(call.begin, call.end)
        elif change == 3:
            call.begin = random.uniform(call.begin, call.end)
        else:
            shift = random.uniform(-3, 3)
            call.begin, call.end = call.begin + shift, call.end + shift


def _events(calls: list[Call]) -> list[Event]:
    events: list[tuple[float, Event]] = []
    for number, call in enumerate(calls):
        asked = {"process": number, "type": "invoke", "f": call.f, "value": call.asked}
        events.append((call.begin, asked))
        answered = call.asked if call.answer is None or call.type != "ok" else call.answer
        value = call.answer if call.asked is None and call.type == "ok" else answered
        events.append((call.end, {**asked, "type": call.type, "value": value}))
    events.sort(key=lambda event: event[0])
    return [event for _, event in events]


def long_events(
    random: Random, name: str, operations: int, processes: int, crash: float
) -> list[Event]:
    """Return the events of processes that wait for each answer; linearizable.

    `crash` is the probability that an operation is never answered; half of these happen.
    """
    kind = KINDS[name]
    events: list[Event] = []
    running: dict[int, tuple[Call, bool]] = {}
    names = list(range(processes))
    state: State = []
    begun = 0
    while begun < operations or running:
        slot = random.randrange(processes)
        if slot not in running:
            if begun < operations:
                f, asked = kind.draw(random, begun, True)
                f = "dequeue" if f == "drain" else f
                events.append({"process": names[slot], "type": "invoke", "f": f, "value": asked})
                running[slot] = Call(f, asked, 0, 0, 0, "ok"), False
                begun += 1
            continue
        call, done = running[slot]
        crashes = random.random() < crash / 2
        if not done and not crashes:
            call.answer = kind.apply(random, state, call)
            running[slot] = call, True
            continue
        del running[slot]
        value = call.asked if crashes or call.answer is None else call.answer
        type_ = "info" if crashes else "ok"
        events.append({"process": names[slot], "type": type_, "f": call.f, "value": value})
        names[slot] += processes if crashes else 0
    return events


def plant(name: str, events: list[Event]) -> None:
    """Make a valid long history invalid, for certain, near its end."""
    reading = {"fifo-queue": "dequeue", "unordered-queue": "dequeue"}
    f = reading.get(name, "get" if name.startswith("kv") else "read")
    answers = [each for each in events if each["type"] == "ok" and each["f"] == f]
    answers = [each for each in answers if each["value"] not in (None, "")]
    if name == "members":
        add = {"process": -1, "f": "add", "value": 99}
        ask = {"process": -1, "f": "contains", "value": 99}
        events += [add | {"type": "invoke"}, add | {"type": "ok"}]
        events += [ask | {"type": "invoke"}, ask | {"type": "ok", "value": False}]
        return
    late, early = answers[-5], answers[-65]
    if name == "set":
        late["value"] = [each for each in late["value"] if each not in early["value"][:1]]
    elif name == "counter":
        late["value"] -= 40  # by far more additions than are under way at once
    elif name == "kv-append":
        late["value"] = late["value"].partition(".")[2]
    elif name == "unordered-queue":
        late["value"] = early["value"]
    else:
        late["value"], early["value"] = early["value"], late["value"]


def _draw_queue(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.5:
        return "enqueue", number if unique else random.choice(ODD)
    return "dequeue", None


def _apply_queue(random: Random, state: State, call: Call) -> Any:
    if call.f == "enqueue":
        state.append(call.asked)
        return None
    return state.pop(0) if state else None


def _apply_bag(random: Random, state: State, call: Call) -> Any:
    if call.f == "drain":
        answer = list(state)
        state.clear()
        return answer
    if call.f == "dequeue" and state:
        return state.pop(random.randrange(len(state)))
    return _apply_queue(random, state, call)


def _guess_taken(random: Random, calls: list[Call], call: Call) -> Any:
    if call.f == "enqueue":
        return None
    values = [each.asked for each in calls if each.f == "enqueue" and each.begin < call.end]
    if call.f == "drain":
        return [value for value in values if random.random() < 0.5]
    return random.choice(values) if values and random.random() < 0.8 else None


def _draw_bag(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.02:
        return "drain", None
    return _draw_queue(random, number, unique)


def _draw_set(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.6:
        return "add", number if unique else random.choice(ODD)
    return "read", None


def _apply_set(random: Random, state: State, call: Call) -> Any:
    if call.f == "read":
        answer = list({repr(each): each for each in state}.values())
        random.shuffle(answer)
        return answer
    state.append(call.asked)
    return None


def _guess_set(random: Random, calls: list[Call], call: Call) -> Any:
    if call.f != "read":
        return None
    shares = {True: random.choice([0.5, 0.8, 1]), False: random.choice([0, 0.3])}
    early = [each for each in calls if each.f == "add" and each.begin < call.end]
    return [each.asked for each in early if random.random() < shares[each.end < call.begin + 1]]


def _draw_members(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    return random.choice(["add", "remove", "contains", "contains"]), random.choice([1, 1, 1, 2])


def _apply_members(random: Random, state: State, call: Call) -> Any:
    if call.f == "contains":
        return call.asked in state
    if call.f == "add":
        state.append(call.asked)
    else:
        state[:] = [each for each in state if each != call.asked]
    return None


def _guess_member(random: Random, calls: list[Call], call: Call) -> Any:
    return random.random() < 0.5 if call.f == "contains" else None


def _draw_counter(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.55:
        return "add", 2 if unique else random.choice([2, 2, 2, 0, -2, 3])
    return "read", None


def _apply_counter(random: Random, state: State, call: Call) -> Any:
    if call.f == "read":
        return sum(state)
    state.append(call.asked)
    return None


def _guess_sum(random: Random, calls: list[Call], call: Call) -> Any:
    if call.f != "read":
        return None
    sure = sum(each.asked for each in calls if each.f == "add" and each.end < call.begin)
    open_ = [each.asked for each in calls if each.f == "add" and each.begin < call.end <= each.end]
    return (
        sure + sum(each for each in open_ if random.random() < 0.5) + random.choice([0] * 9 + [1])
    )


def _draw_text(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.55:
        piece = f"{'xyz'[number % 3]}{number}." if unique else random.choice(["a", "b", "ab"])
        return "append", piece
    return "get", None


def _draw_kv(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    f, piece = _draw_text(random, number, unique)
    return ("put", piece) if f == "append" and (unique or random.random() < 0.9) else (f, piece)


def _draw_kv_mixed(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    f, piece = _draw_text(random, number, unique)
    if f == "get" and number < 2:
        return _draw_kv_mixed(random, number, unique)
    is_put = f == "append" and (not number or (number > 1 and random.random() < 0.35))
    return ("put", piece) if is_put else (f, piece)


def _apply_text(random: Random, state: State, call: Call) -> Any:
    if call.f == "get":
        return "".join(state) or random.choice(["", None])
    if call.f == "put":
        state.clear()
    state.append(call.asked)
    return None


def _guess_text(random: Random, calls: list[Call], call: Call) -> Any:
    if call.f != "get":
        return None
    pieces = [each for each in calls if each.f == "append" and each.begin < call.end]
    puts = [each for each in calls if each.f == "put" and each.begin < call.end]
    if puts and (not pieces or random.random() < 0.8):
        begin = random.choice(puts)
        pieces = [each for each in pieces if each.end > begin.begin and random.random() < 0.5]
        pieces.sort(key=lambda each: each.effect)
        return "".join(each.asked for each in (begin, *pieces))
    pieces.sort(key=lambda each: each.effect)
    chosen = [each.asked for each in pieces if random.random() < 0.8]
    return "".join(chosen)[: 99 if random.random() < 0.95 else 2]


KINDS: Mapping[str, Kind] = {
    "fifo-queue": Kind(_draw_queue, _apply_queue, _guess_taken),
    "unordered-queue": Kind(_draw_bag, _apply_bag, _guess_taken),
    "set": Kind(_draw_set, _apply_set, _guess_set),
    "members": Kind(_draw_members, _apply_members, _guess_member),
    "counter": Kind(_draw_counter, _apply_counter, _guess_sum),
    "kv": Kind(_draw_kv, _apply_text, _guess_text),
    "kv-mixed": Kind(_draw_kv_mixed, _apply_text, _guess_text),
    "kv-append": Kind(_draw_text, _apply_text, _guess_text),
}
