"""Stores that live in the controller's memory, to test the run and not the store.

Given to the command as `stores.py:Good` and so on, as a user would give one's own.
"""

import time
from collections.abc import Sequence
from typing import Any

from workloads.client import Client, Definite, Mismatch

VALUES: dict[str, list[str]] = {}


class Good:
    """A linearizable store, for it is one dictionary."""

    name = "memory"

    def install(self, node: Any) -> None: ...
    def start(self, node: Any, nodes: Sequence[Any]) -> None: ...
    def stop(self, node: Any) -> None: ...
    def kill(self, node: Any) -> None: ...
    def wipe(self, node: Any) -> None: ...

    def healthy(self, node: Any) -> bool:
        return True

    def logs(self, node: Any) -> Sequence[str]:
        return []

    def versions(self, node: Any) -> str:
        return "1"

    def client(self, node: Any, timeout: float) -> Client:
        return MemoryClient(stale=False)


class Stale(Good):
    """Now and then a read returns what was replaced two writes ago."""

    def client(self, node: Any, timeout: float) -> Client:
        return MemoryClient(stale=True)


class Refusing(Good):
    """Never does anything, so that nothing can be wrong with it."""

    def client(self, node: Any, timeout: float) -> Client:
        raise Definite("closed today")


class Tenacious(Good):
    """Takes its time to die."""

    def kill(self, node: Any) -> None:
        time.sleep(2)


class Sick(Good):
    """Never becomes healthy."""

    def healthy(self, node: Any) -> bool:
        return False


class MemoryClient:
    def __init__(self, *, stale: bool) -> None:
        self.stale = stale

    def read(self, key: str) -> str | None:
        past = VALUES.get(key, [])
        return past[-3 if self.stale and len(past) % 10 > 5 else -1] if past else None

    def write(self, key: str, value: str) -> None:
        VALUES.setdefault(key, []).append(value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        actual = (VALUES.get(key) or [None])[-1]
        if actual != old:
            raise Mismatch(actual, known=True)
        self.write(key, new)

    def close(self) -> None: ...
