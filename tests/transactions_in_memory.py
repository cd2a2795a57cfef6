"""Transactions in the tests' own memory, which fail as they are told to."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from partita.workloads.capabilities.transactions import MicroOp, Seen, Snapshot
from partita.workloads.client import Answer, Mismatch


class Memory:
    """Keys with versions. Each call first takes the next of `troubles`, if any.

    `settled`: whether it says that a snapshot is of one moment. `slow` is how long a commit takes
    to begin, so that others come in between.
    """

    def __init__(
        self, *troubles: Exception | None, settled: bool = True, slow: float = 0.0
    ) -> None:
        self.values: dict[str, Seen] = {}
        self.version = 0
        self.settled, self.slow = settled, slow
        self.troubles = list(troubles)
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        self._trouble("snapshot")
        with self._lock:
            seen = [self.values.get(key, Seen(None)) for key in keys]
            return Snapshot(seen, self.version, self.settled)

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        time.sleep(self.slow)
        self._trouble("commit")
        assert len(dict(writes)) == len(writes)
        with self._lock:
            if any(self.values.get(key, Seen(None)) != seen for key, seen in guards):
                raise Mismatch
            self.version += bool(writes)
            self.values |= {key: Seen(text, self.version) for key, text in writes}
            return Answer(version=self.version)

    def close(self) -> None: ...

    def _trouble(self, call: str) -> None:
        self.calls.append(call)
        if self.troubles and (trouble := self.troubles.pop(0)):
            raise trouble


class Database(Memory):
    """The same, with whole transactions too."""

    def execute(self, operations: Sequence[MicroOp]) -> Answer:
        self._trouble("execute")
        with self._lock:
            done = [self._step(*each) for each in operations]
        return Answer(done, 7)

    def _step(self, f: str, key: str, value: Any) -> MicroOp:
        old = json.loads(self.values.get(key, Seen("null")).value or "null")
        if f == "r":
            return [f, key, old]
        new = [*(old or []), value] if f == "append" else value
        self.values[key] = Seen(json.dumps(new))
        return [f, key, value]


def always(trouble: Callable[[], Exception], count: int) -> list[Exception | None]:
    """Return troubles by which so many commits fail, and the snapshots before them do not."""
    return [each for _ in range(count) for each in (None, trouble())]
