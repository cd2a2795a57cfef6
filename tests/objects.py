"""Small histories of queues, bags, sets, counters and text, for the tests of their monitors.

Half are *simulated*: each operation takes effect at one moment in its interval (a crashed one
perhaps long after it was given up), and then most of them are disturbed. The other half are
*plausible*: each answer is possible by itself, all of them together often are not. The second
sort finds the mistakes that leave nearly every simulated history valid.
"""

from collections.abc import Callable, Mapping
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


def object_events(random: Random, name: str, operations: int) -> list[Event]:
    """Return the events of a small history of an object of this kind (a key of `KINDS`)."""
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
        _simulate(random, kind, calls)
        disturbed = 0.7
    else:
        for call in calls:
            call.answer = kind.guess(random, calls, call)
        disturbed = 0.25
    if random.random() < disturbed:
        _disturb(random, kind, calls)
    return _events(calls)


def _simulate(random: Random, kind: Kind, calls: list[Call]) -> None:
    state: State = []
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


def _draw_queue(random: Random, number: int, unique: bool) -> tuple[str, Any]:
    if random.random() < 0.5:
        return "enqueue", number if unique else random.randrange(4)
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
        return "add", number if unique else random.randrange(4)
    return "read", None


def _apply_set(random: Random, state: State, call: Call) -> Any:
    if call.f == "read":
        answer = list(dict.fromkeys(state))
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
    return ("put", piece) if f == "append" and random.random() < 0.97 else (f, piece)


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
    if puts:
        return random.choice(puts).asked
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
    "kv-append": Kind(_draw_text, _apply_text, _guess_text),
}
