"""Histories of one object of some kind (see `kinds.py`), simulated, so that they are linearizable.

Each operation takes effect at one moment within its interval. Processes wait a little between
operations. One that changes something may crash: half of these took effect, and the process goes on
under a new number. Values are unique, times are microseconds written as nanoseconds.
"""

import json
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Any

from kinds import KINDS, READS, Call, Kind, State, begun_state
from planting import plant

_INVOKE, _EFFECT, _COMPLETE = range(3)
_LONG = 20_000.0  # milliseconds: by then all must be the same


def write(kind: str, operations: int, processes: int, crash: float, seed: int, path: Path) -> None:
    """Write a history of a kind (a key of `KINDS`) in JSON Lines."""
    _write(events(kind, operations, processes, crash, seed), path)


def write_both(
    kind: str, operations: int, processes: int, crash: float, seed: int, valid: Path, planted: Path
) -> None:
    """Write a history, and once more with one violation near its end."""
    found = list(events(kind, operations, processes, crash, seed))
    _write(found, valid)
    plant(kind, found)
    _write(found, planted)


def _write(found: Iterable[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="ascii") as file:
        for event in found:
            file.write(json.dumps(event, separators=(",", ":")) + "\n")


def events(
    kind: str, operations: int, processes: int, crash: float, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the events of a history; `crash` is the share of changes that are never answered."""
    random, object_ = Random(repr((kind, operations, processes, crash, seed))), KINDS[kind]
    state: State = begun_state()
    names, next_name, begun = list(range(processes)), processes, 0
    holds = [False] * processes
    about = [_about(object_, slot) for slot in range(processes)]
    agenda: list[tuple[float, int, int, Call | None]] = []
    for slot in range(processes):
        heappush(agenda, (random.random(), slot, _INVOKE, None))
    while agenda:
        now, slot, what, call = heappop(agenda)
        if call is None:
            if begun == operations:
                continue
            begun += 1
            call = Call(*object_.draw(random, begun, holds[slot]))
            yield _event(now, "invoke", names[slot], call) | about[slot]
            heappush(agenda, (now + random.random(), slot, _EFFECT, call))
        elif what == _EFFECT:
            changes = call.f == "dequeue" or call.f not in (*READS, "acquire", "release")
            crashes = changes and random.random() < crash
            if not crashes or random.random() < 0.5:
                object_.apply(random, state, call)
            if crashes:
                call.outcome = "info"
            holds[slot] = call.f == "acquire" and call.outcome == "ok"
            heappush(agenda, (now + random.random(), slot, _COMPLETE, call))
        else:
            answers = call.f in READS and call.outcome == "ok"
            value = call.answer if answers else call.asked
            yield _event(now, call.outcome, names[slot], call, value) | about[slot]
            if call.outcome == "info":
                names[slot], next_name = next_name, next_name + 1
            heappush(agenda, (now + 0.2 * random.random(), slot, _INVOKE, None))
    if object_.ending == "drained":
        yield from _drained(now, next_name, state)
    elif object_.ending == "looked-at":
        for slot in range(processes):
            now = now + (1 if slot else _LONG)
            call = Call("read", None)
            object_.apply(random, state, call)
            yield _event(now, "invoke", names[slot], call) | about[slot]
            yield _event(now, "ok", names[slot], call, call.answer) | about[slot]


def _about(kind: Kind, slot: int) -> dict[str, Any]:
    """Return what the events of a process have besides: its node, if nodes are told apart."""
    node = {"node": f"n{slot}"} if kind.ending == "looked-at" else {}
    return node | ({"key": kind.key} if kind.key else {})


def _drained(now: float, process: int, state: State) -> Iterator[dict[str, Any]]:
    """Take out what is left, until nothing is."""
    while True:
        now += 1
        call = Call("dequeue", None, state["items"].pop(0) if state["items"] else None)
        yield _event(now, "invoke", process, call)
        yield _event(now, "ok", process, call, call.answer)
        if call.answer is None:
            return


def _event(now: float, type_: str, process: int, call: Call, value: Any = None) -> dict[str, Any]:
    asked = call.asked if type_ == "invoke" else value
    event = {"time": int(now * 1e6), "type": type_, "process": process, "f": call.f, "value": asked}
    is_told = type_ == "ok" and call.version >= 0
    return event | ({"version": call.version} if is_told else {})
