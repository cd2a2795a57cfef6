"""Which operation comes next, and when it is due: pure and seeded.

Open loop: due times come at a constant total rate, spread evenly over the nodes, whatever the
store does. A worker that is free asks for its node's next operation, so there is no hand-off
thread. What a node is asked to do depends on the seed, on the node's place and on how many
operations it was given before, never on how the threads happened to run.
"""

import threading
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

NS = 1_000_000_000


class Request(NamedTuple):
    """An operation to be invoked: what, with what input, and when it is due (ns)."""

    f: str
    key: str | None
    input: Any
    due: int


# Draws an operation: (random generator, a number that no other draw gets) -> f, key, input.
Draw = Callable[[Random, int], tuple[str, str | None, Any]]


class Generator:
    """Hands out one node's operations; safe to ask from several threads.

    The k-th operation (from 0) of node i of n is due at (k * n + i) / rate seconds. `rate` 0
    means as fast as the workers are.
    """

    def __init__(
        self, draw: Draw, *, place: int, places: int, rate: float, time_limit: float, seed: int
    ) -> None:
        self._draw = draw
        self._random = Random(f"{seed}/{place}")
        self._place, self._places = place, places
        self._gap = NS / rate if rate else 0.0
        self._end = int(time_limit * NS)
        self._count = 0
        self._lock = threading.Lock()

    def next(self, now: int) -> Request | None:
        """Return the next operation, None once the time is up. `now` is ns since the start."""
        with self._lock:
            number = self._count * self._places + self._place
            due = int(number * self._gap) if self._gap else now
            if due >= self._end:
                return None
            self._count += 1
            return Request(*self._draw(self._random, number), due)
