"""A log in the tests' own memory, whose watchers are told at once; it may make a mistake."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from partita.workloads.client import Answer, Refused, Tell


@dataclass(slots=True)
class Stream:
    """Whoever watches: the keys that begin so, and what is told of each batch."""

    prefix: str
    since: int
    tell: Any
    batches: int = 0


class Log:
    """Keys with revisions, and all their changes since the last compaction.

    Mistakes: "deletions" are not told to streams that begin at a revision of old; "latest" tells
    only the last change of a batch; "repeats" tells some twice; "deaf" tells old streams nothing
    more; "eager" tells of a change before its revision; "splits" parts a revision.
    """

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.lock = threading.RLock()
        self.log: list[tuple[int, list[tuple[str, str | None]]]] = []
        self.values: dict[str, tuple[str, int]] = {}
        self.revision, self.compacted = 1, 0
        self.streams: dict[str, Stream] = {}

    def change(self, changes: list[tuple[str, str | None]]) -> Answer:
        with self.lock:
            if any(value is None and key not in self.values for key, value in changes):
                raise Refused("there is no such key")
            self.revision += 1
            for key, value in changes:
                if value is None:
                    del self.values[key]
                else:
                    self.values[key] = value, self.revision
            self.log.append((self.revision, changes))
            for number, stream in enumerate(list(self.streams.values())):
                if self.mistake != "deaf" or number % 2 or self.revision < 40:
                    self.deliver(stream, self.revision, changes)
            return Answer(version=self.revision)

    def begin(self, name: str, prefix: str, since: int, tell: Any) -> None:
        with self.lock:
            start = since if since >= 0 else self.revision + 1
            stream = self.streams[name] = Stream(prefix, start, tell)
            tell("resume", key=prefix, version=start)
            if start < self.compacted:
                tell("compacted", version=self.compacted)
                del self.streams[name]
                return
            for revision, changes in self.log:
                self.deliver(stream, revision, list(self.kept(changes)))

    def kept(self, changes: list[tuple[str, str | None]]) -> Iterator[tuple[str, str | None]]:
        yield from (each for each in changes if each[1] is not None or self.mistake != "deletions")

    def deliver(self, stream: Stream, revision: int, changes: list[tuple[str, str | None]]) -> None:
        mine = [each for each in changes if each[0].startswith(stream.prefix)]
        if revision < stream.since:
            return
        if self.mistake == "latest":
            mine = mine[-1:]
        if self.mistake == "repeats" and revision % 20 == 0:
            mine *= 2
        for key, value in mine:
            shown = revision - 1 if self.mistake == "eager" and revision % 20 == 0 else revision
            stream.tell("event", value, key=key, version=shown, batch=stream.batches)
            if self.mistake == "splits":
                stream.batches += 1
        stream.batches += 1

    def end(self, name: str) -> None:
        with self.lock:
            if stream := self.streams.pop(name, None):
                stream.tell("ended", "unwatch")


class Plain:
    """A client of a log, which can neither compact it nor change several keys at once."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.mine: list[str] = []
        self.closed = 0

    def listen(self, tell: Tell) -> None:
        self.tell = tell

    def write(self, key: str, value: str) -> Answer:
        return self.log.change([(key, value)])

    def delete(self, key: str) -> Answer:
        return self.log.change([(key, None)])

    def read(self, key: str) -> Answer:
        with self.log.lock:
            return Answer(*self.log.values.get(key, (None, -1)))

    def watch(self, stream: str, prefix: str, since: int) -> None:
        self.mine.append(stream)
        self.log.begin(stream, prefix, since, partial(self.tell, stream=stream))

    def unwatch(self, stream: str) -> None:
        self.mine.remove(stream)
        self.log.end(stream)

    def close(self) -> None:
        self.closed += 1
        for stream in self.mine:
            self.log.end(stream)


class Able(Plain):
    """One that can do both."""

    def write_all(self, changes: Mapping[str, str | None]) -> Answer:
        return self.log.change(list(changes.items()))

    def compact(self, version: int) -> None:
        with self.log.lock:
            self.log.compacted = max(version, self.log.compacted)
            self.log.log = [each for each in self.log.log if each[0] >= self.log.compacted]
