"""Messages sent to logs and polled from them, by clients that commit how far they have come.

Each client polls from where it stands in each log, and stands behind what it was given. From time
to time it says how far it has come, and it may ask how far anybody has come and go on from there.
"""

import threading
from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.checker.streams.streams import Streams as StreamsCheck
from partita.workloads.capabilities.streams import Streams
from partita.workloads.client import Answer
from partita.workloads.workload import Operation


class Kafka:
    """Messages in logs that only grow: each is at one offset, and no poll leaves any out."""

    name = "kafka"
    capability = "streams"
    operations: Mapping[str, Operation] = {
        "send": Operation(),
        "poll": Operation(reads=True),
        "commit": Operation(needed=False),
        "committed": Operation(reads=True, needed=False),
    }
    checks = (StreamsCheck(),)

    def __init__(
        self,
        keys: Annotated[int, Setting("Logs.", least=1, most=1000)] = 4,
        sends: Annotated[float, Setting("Share of sends.", least=0.01, most=0.9)] = 0.5,
    ) -> None:
        self.keys = [str(number) for number in range(keys)]
        self.sends = sends
        self._mine = threading.local()  # where this worker stands, and what it has not committed

    def draw(self, random: Random, number: int) -> tuple[str, str | None, Any]:
        kind, key = random.random(), self.keys[int(random.random() * len(self.keys))]
        if kind < self.sends:
            return "send", key, number
        rest = (kind - self.sends) / (1 - self.sends)
        if rest < 0.15:
            return "commit", None, None
        return ("committed", None, self.keys) if rest < 0.25 else ("poll", None, None)

    def prepare(self, f: str, key: str | None, value: Any) -> Any:
        """Decide from where to poll, and what to commit: that depends on this worker's polls."""
        if f == "poll":
            return {key: self._at.get(key, 0) for key in self.keys}
        if f == "commit":
            return {key: at - 1 for key, at in self._at.items() if at}
        return value

    def invoke(self, client: Streams, f: str, key: Any, value: Any, until: float) -> Answer:
        if f == "send":
            return client.send(key, str(value))
        if f == "commit":
            client.commit(value)
            return Answer()
        if f == "committed":
            told = client.committed(value)
            self._mine.at = {key: offset + 1 for key, offset in told.items()}
            return Answer(dict(told))
        polled = client.poll(value)
        self._mine.new = self._advance(polled)
        return Answer(
            {key: [[at, _message(each)] for at, each in found] for key, found in polled.items()}
        )

    def final(self) -> Iterator[tuple[str, str | None]]:
        """Poll every log from its beginning, until there is nothing new."""
        self._mine.at, self._mine.new = {}, True
        while self._mine.new:
            yield "poll", None

    @property
    def _at(self) -> dict[str, int]:
        """Where this worker stands: the offset that it wants next, by key."""
        found: dict[str, int] = self._mine.__dict__.setdefault("at", {})
        return found

    def _advance(self, polled: Any) -> bool:
        """Go behind what was polled; say whether that is any further."""
        before = dict(self._at)
        for key, pairs in polled.items():
            last = max((at for at, _ in pairs), default=-1)
            self._at[key] = max(last + 1, self._at.get(key, 0))
        return self._at != before


def _message(text: str) -> Any:
    """Return a message as it was sent; what never was stays what it is."""
    return int(text) if text.isdecimal() else text
