"""Stores that live in the controller's memory, to test the run and not the store.

Given to the command as `stores.py:Good` and so on, as a user would give one's own.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from partita.workloads.client import Client, Definite, Mismatch

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


class Cancelled(Good):
    """Its client is cancelled now and then, as asyncio does it: by what is no Exception."""

    def client(self, node: Any, timeout: float) -> Client:
        return Troubled(lambda number: asyncio.CancelledError if number % 5 == 4 else None)


class Unreadable(Good):
    """Answers no read that comes after the load, which three clients make."""

    clients = 0

    def client(self, node: Any, timeout: float) -> Client:
        self.clients += 1
        late = self.clients > 3
        return Troubled(lambda number: Definite if late else None)


class Hanging(Good):
    """A call into its client may never return, whatever its time-out."""

    def client(self, node: Any, timeout: float) -> Client:
        return Troubled(lambda number: time.sleep(3600) if number == 20 else None)


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


class Troubled(MemoryClient):
    """Before each call asks `trouble(number)`, which returns an error to raise, or nothing."""

    def __init__(self, trouble: Callable[[int], type[BaseException] | None]) -> None:
        super().__init__(stale=False)
        self.trouble, self.calls = trouble, 0

    def read(self, key: str) -> str | None:
        self.calls += 1
        if error := self.trouble(self.calls):
            raise error("trouble")
        return super().read(key)
