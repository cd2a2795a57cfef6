"""Adds to a counter whose copies may differ for a while, and reads: what two workloads share."""

import threading
from collections.abc import Iterator
from random import Random
from typing import Any

from partita.checker.convergence.counters import Sums
from partita.workloads.capabilities.counters import Counters
from partita.workloads.client import Answer, Definite, answer_of
from partita.workloads.settling import Settling

KEY = "counter"


class Adding:
    """Draws and carries out operations on one counter, and adds up what its clients know."""

    def __init__(self, least: int, most: int, reads: float, settle: float) -> None:
        self._least, self._most, self._reads = least, most, reads
        self._settling = Settling(settle, self._allows)
        self._certain = 0
        self._unknown: list[int] = []
        self._lock = threading.Lock()

    def draw(self, random: Random) -> tuple[str, str, Any]:
        if random.random() < self._reads:
            return "read", KEY, None
        return "add", KEY, random.randint(self._least, self._most)

    def invoke(self, client: Counters, f: str, key: str, value: Any) -> Answer:
        if f == "add":
            return self._add(client, key, value)
        answer = answer_of(client.value(key))
        self._settling.saw(answer.value)
        return answer

    def final(self) -> Iterator[tuple[str, str | None]]:
        return self._settling.reads("read", KEY)

    def _add(self, client: Counters, key: str, delta: int) -> Answer:
        try:
            answer = answer_of(client.add(key, delta))
        except Definite:
            raise
        except BaseException:
            with self._lock:
                self._unknown.append(delta)
            raise
        with self._lock:
            self._certain += delta
        return answer

    def _allows(self, shown: Any) -> bool:
        """Say whether the adds can have come to what was shown."""
        with self._lock:
            return shown in Sums(self._certain, self._unknown)
