"""Histories of one object, simulated, so that they are linearizable.

Each operation takes effect at one moment within its interval. Processes wait a little between
operations. One that changes something may crash: half of these took effect, and the process goes on
under a new number. Values are unique, times are microseconds written as nanoseconds.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Any

_INVOKE, _EFFECT, _COMPLETE = range(3)
_READS = ("dequeue", "read", "get", "contains")


@dataclass(slots=True)
class _Call:
    f: str
    asked: Any
    answer: Any = None
    outcome: str = "ok"


State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How operations on one kind of object are drawn and carried out.

    `draw` gets a number that no other operation has, and whether the process holds the lock.
    """

    model: str
    draw: Callable[[Random, int, bool], tuple[str, Any]]
    apply: Callable[[Random, State, _Call], None]


def write(kind: str, operations: int, processes: int, crash: float, seed: int, path: Path) -> None:
    """Write a history of a kind (a key of `KINDS`) in JSON Lines."""
    with path.open("w", encoding="ascii") as file:
        for event in events(kind, operations, processes, crash, seed):
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


def events(
    kind: str, operations: int, processes: int, crash: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the events of a history; `crash` is the share of changes that are never answered."""
    random, object_ = Random(repr((kind, operations, processes, crash, seed))), KINDS[kind]
    state: State = {"items": [], "set": set(), "sum": 0, "text": "", "held": False}
    names, next_name, begun = list(range(processes)), processes, 0
    holds = [False] * processes
    agenda: list[tuple[float, int, int, _Call | None]] = []
    for slot in range(processes):
        heappush(agenda, (random.random(), slot, _INVOKE, None))
    while agenda:
        now, slot, what, call = heappop(agenda)
        if call is None:
            if begun == operations:
                continue
            begun += 1
            call = _Call(*object_.draw(random, begun, holds[slot]))
            yield _event(now, "invoke", names[slot], call.f, call.asked)
            heappush(agenda, (now + random.random(), slot, _EFFECT, call))
        elif what == _EFFECT:
            changes = call.f == "dequeue" or call.f not in (*_READS, "acquire", "release")
            crashes = changes and random.random() < crash
            if not crashes or random.random() < 0.5:
                object_.apply(random, state, call)
            if crashes:
                call.outcome = "info"
            holds[slot] = call.f == "acquire" and call.outcome == "ok"
            heappush(agenda, (now + random.random(), slot, _COMPLETE, call))
        else:
            answers = call.f in _READS and call.outcome == "ok"
            value = call.answer if answers else call.asked
            yield _event(now, call.outcome, names[slot], call.f, value)
            if call.outcome == "info":
                names[slot], next_name = next_name, next_name + 1
            heappush(agenda, (now + 0.2 * random.random(), slot, _INVOKE, None))


def _event(now: float, type_: str, process: int, f: str, value: Any) -> dict[str, Any]:
    return {"time": int(now * 1e6), "type": type_, "process": process, "f": f, "value": value}


def _draw_queue(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("enqueue", number) if random.random() < 0.5 else ("dequeue", None)


def _apply_queue(random: Random, state: State, call: _Call) -> None:
    items = state["items"]
    if call.f == "enqueue":
        items.append(call.asked)
    elif items:
        call.answer = items.pop(0)


def _apply_bag(random: Random, state: State, call: _Call) -> None:
    items = state["items"]
    if call.f == "dequeue" and items:
        call.answer = items.pop(random.randrange(len(items)))
    else:
        _apply_queue(random, state, call)


def _draw_set(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    # So rarely that at 100,000 operations ten million elements are read.
    return ("read", None) if random.random() < 0.002 else ("add", number)


def _draw_members(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return random.choice(["add", "remove", "contains", "contains"]), random.randrange(50)


def _apply_set(random: Random, state: State, call: _Call) -> None:
    elements = state["set"]
    if call.f == "add":
        elements.add(call.asked)
    elif call.f == "remove":
        elements.discard(call.asked)
    else:
        call.answer = sorted(elements) if call.f == "read" else call.asked in elements


def _draw_counter(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("add", 1) if random.random() < 0.5 else ("read", None)


def _apply_counter(random: Random, state: State, call: _Call) -> None:
    if call.f == "add":
        state["sum"] += call.asked
    else:
        call.answer = state["sum"]


def _draw_put(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("put", f"v{number}") if random.random() < 0.5 else ("get", None)


def _apply_put(random: Random, state: State, call: _Call) -> None:
    if call.f == "put":
        state["text"] = call.asked
    else:
        call.answer = state["text"]


def _draw_register(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("write", number) if random.random() < 0.5 else ("read", None)


def _apply_register(random: Random, state: State, call: _Call) -> None:
    if call.f == "write":
        state["text"] = call.asked
    else:
        call.answer = state["text"] or None


def _draw_mutex(random: Random, number: int, holds: bool) -> tuple[str, Any]:
    return ("release", None) if holds else ("acquire", None)


def _apply_mutex(random: Random, state: State, call: _Call) -> None:
    if call.f == "acquire" and state["held"]:
        call.outcome = "fail"
    state["held"] = call.f == "acquire"


KINDS = {
    "fifo-queue": Kind("fifo-queue", _draw_queue, _apply_queue),
    "unordered-queue": Kind("unordered-queue", _draw_queue, _apply_bag),
    "members": Kind("set", _draw_members, _apply_set),
    "counter": Kind("counter", _draw_counter, _apply_counter),
    "kv": Kind("kv", _draw_put, _apply_put),
    "register": Kind("cas-register", _draw_register, _apply_register),
    "mutex": Kind("mutex", _draw_mutex, _apply_mutex),
    "set": Kind("set", _draw_set, _apply_set),
}
