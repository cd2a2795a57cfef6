"""Histories of one register, simulated, whose verdict is known by construction.

So many processes in a closed loop read, write and compare-and-set one linearizable register.
Each operation takes effect at one moment within its interval; a crashed one ends as info when
its timeout has passed, and took effect before that or never. Near the end stands a *scene*, the
same in all histories: when no write and no cas is running any more, one process writes *a*, then,
after that was acknowledged, another one writes *b*, and a read is invoked after that was
acknowledged too. All others only read meanwhile. A violation changes what happens in the scene:

stale    that read returns a
lost     the write of b has no effect, though it is acknowledged
phantom  that read returns a value that nobody ever writes

These are violations whatever the crashed operations do, because no operation that crashes
ever writes a (of a small domain it is the one value kept from them; unique ones are fresh): the
read returns a, every operation that could have produced a ended before b's write began, and that
ended before the read began.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Literal

Domain = Literal["small", "unique"]
Violation = Literal["none", "stale", "lost", "phantom"]

# Unit of time: the mean latency.
THINKING, TIMEOUT = 0.2, 5.0
SMALL = 5
_KEPT = SMALL - 1
_START, _EFFECT, _OK, _INFO = range(4)
# The scene's stages, in their order.
_BEFORE, _DRAINING, _FIRST, _FIRST_DONE, _SECOND, _SECOND_DONE, _READ, _OVER = range(8)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a history is like; the same shape always gives the same history."""

    operations: int
    processes: int
    crash: float
    domain: Domain
    violation: Violation
    seed: int


def write(shape: Shape, path: Path) -> None:
    """Write a history in JSON Lines: process, type, f and value."""
    with path.open("w", encoding="ascii") as file:
        file.writelines(_Simulation(shape).lines())


class _Op:
    """One running operation. `seen` is what it found when it took effect."""

    __slots__ = ("f", "new", "old", "process", "seen", "stage")

    def __init__(self, process: int, f: str, old: int | None, new: int | None) -> None:
        self.process, self.f, self.old, self.new = process, f, old, new
        self.seen: int | None = None
        self.stage = _BEFORE


class _Simulation:
    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        drawn = (shape.operations, shape.processes, shape.crash, shape.domain, shape.seed)
        self.random = Random(repr(drawn))
        self.state: int | None = None
        self.process = list(range(shape.processes))
        self.known: list[int | None] = [None] * shape.processes
        self.begun = self.fresh = self.changing = self.serial = 0
        self.stage = _BEFORE
        # Room for the scene: to drain takes a timeout, and there are three operations to wait for.
        room = max(shape.operations * 3 // 100, 12 * shape.processes)
        self.scene = shape.operations - room
        self.heap: list[tuple[float, int, int, int, _Op | None]] = []
        for slot in range(shape.processes):
            self.schedule(self.random.random(), _START, slot, None)

    def lines(self) -> Iterator[str]:
        heap = self.heap
        while heap:
            now, _, what, slot, op = heappop(heap)
            if op is None:
                if self.begun < self.shape.operations:
                    yield self.start(now, slot)
            elif what == _EFFECT:
                self.take_effect(op)
            else:
                yield self.end(now, slot, op, crashed=what == _INFO)
        if self.stage != _OVER:
            raise ValueError(f"too few operations for so many processes: {self.shape}")

    def schedule(self, at: float, what: int, slot: int, op: _Op | None) -> None:
        self.serial += 1
        heappush(self.heap, (at, self.serial, what, slot, op))

    def start(self, now: float, slot: int) -> str:
        crashes = self.shape.crash > 0 and self.random.random() < self.shape.crash
        if self.begun >= self.scene and self.stage < _OVER:
            op = self.next_in_scene(slot)
            crashes = crashes and op.stage == _BEFORE
        else:
            op = self.draw(slot, crashes)
        self.begun += 1
        if op.f != "read":
            self.changing += 1
        if crashes:
            if self.random.random() < 0.5:
                self.schedule(now + TIMEOUT * self.random.random(), _EFFECT, slot, op)
            self.schedule(now + TIMEOUT, _INFO, slot, op)
        else:
            latency = 0.1 + self.random.expovariate(1 / 0.9)
            self.schedule(now + latency * self.random.random(), _EFFECT, slot, op)
            self.schedule(now + latency, _OK, slot, op)
        return _line(op, "invoke")

    def draw(self, slot: int, crashes: bool) -> _Op:
        which = int(self.random.random() * 3)
        if which == 0:
            return _Op(self.process[slot], "read", None, None)
        new = self.value(crashes)
        if which == 1:
            return _Op(self.process[slot], "write", None, new)
        small = self.shape.domain == "small"
        old = int(self.random.random() * SMALL) if small else self.known[slot]
        return _Op(self.process[slot], "cas", old, new)

    def value(self, crashes: bool) -> int:
        if self.shape.domain == "small":
            return int(self.random.random() * (_KEPT if crashes else SMALL))
        self.fresh += 1
        return self.fresh

    def next_in_scene(self, slot: int) -> _Op:
        self.stage = max(self.stage, _DRAINING)
        small = self.shape.domain == "small"
        op = _Op(self.process[slot], "read", None, None)
        if self.stage == _DRAINING and not self.changing:
            op.f, op.new = "write", _KEPT if small else self.value(False)
            self.first = op.new
        elif self.stage == _FIRST_DONE:
            op.f, op.new = "write", 0 if small else self.value(False)
        elif self.stage != _SECOND_DONE:
            return op
        self.stage += 1
        op.stage = self.stage
        return op

    def take_effect(self, op: _Op) -> None:
        op.seen = self.state
        if op.f == "cas" and op.seen != op.old:
            return
        if op.f != "read" and not (op.stage == _SECOND and self.shape.violation == "lost"):
            self.state = op.new

    def end(self, now: float, slot: int, op: _Op, *, crashed: bool) -> str:
        if op.f != "read":
            self.changing -= 1
        if op.stage:
            self.stage += 1
            self.violate(op)
        self.schedule(now + self.random.expovariate(1 / THINKING), _START, slot, None)
        if crashed:
            self.process[slot] += self.shape.processes
            self.known[slot] = None
            return _line(op, "info")
        if op.f == "cas" and op.seen != op.old:
            return _line(op, "fail")
        self.known[slot] = op.seen if op.f == "read" else op.new
        return _line(op, "ok")

    def violate(self, op: _Op) -> None:
        if op.stage == _READ and self.shape.violation == "stale":
            op.seen = self.first
        elif op.stage == _READ and self.shape.violation == "phantom":
            op.seen = self.shape.operations + SMALL


def _line(op: _Op, kind: str) -> str:
    if op.f == "cas":
        value = f"[{_json(op.old)},{op.new}]"
    elif op.f == "write":
        value = str(op.new)
    else:
        value = _json(op.seen) if kind == "ok" else "null"
    return f'{{"process":{op.process},"type":"{kind}","f":"{op.f}","value":{value}}}\n'


def _json(value: int | None) -> str:
    return "null" if value is None else str(value)
