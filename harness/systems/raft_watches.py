"""Watches in the raft example: a stream is a position in the log, and goes on from there.

A client asks for the changes from a position on, and the node answers when there are some.
"""

import itertools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from partita.workloads.client import Answer, Definite, Indefinite, Tell

if TYPE_CHECKING:
    from partita.harness.systems.raft import RaftClient

# How long a node waits for changes before it answers that there are none.
WAIT_S = 1.0
AGAIN_S = 0.2


class RaftWatches:
    """A client of watches: `client` makes the changes, and `connect` one for each stream."""

    def __init__(self, client: "RaftClient", connect: Callable[[], "RaftClient"]) -> None:
        self._client = client
        self._connect = connect
        self._tell: Tell | None = None
        self._streams: dict[str, Stream] = {}

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, key: str, value: str) -> Answer:
        return self._client.write(key, value)

    def delete(self, key: str) -> Answer:
        return Answer(version=self._client.ask("delete", key=key)["version"])

    def write_all(self, changes: Mapping[str, str | None]) -> Answer:
        said = self._client.transact([["w", key, value] for key, value in changes.items()])
        return Answer(version=said["version"])

    def read(self, key: str) -> Answer:
        return self._client.read(key)

    def watch(self, stream: str, prefix: str, since: int) -> None:
        assert self._tell is not None
        begun = Stream(stream, self._connect(), prefix, self._tell)
        begun.begin(since)
        self._streams[stream] = begun

    def unwatch(self, stream: str) -> None:
        self._streams.pop(stream).end()

    def recover(self) -> None:
        self._client.recover()

    def close(self) -> None:
        for stream in [*self._streams]:
            self.unwatch(stream)
        self._client.close()


class Stream:
    """A watch on all keys with a prefix, in a thread of its own until `end`."""

    def __init__(self, name: str, client: "RaftClient", prefix: str, tell: Tell) -> None:
        self._name, self._client, self._prefix, self._tell = name, client, prefix, tell
        self._next = 0  # the first place in the log that it has not delivered
        self._batches = itertools.count()
        self._over = threading.Event()
        self._telling = threading.Lock()  # held while it tells: nothing comes after its end

    def begin(self, since: int) -> None:
        """Begin at a place of the log, -1 for the next one, when the node has answered."""
        try:
            said = self._asked(since, 0.0)
        except Indefinite as error:
            self._client.close()
            raise Definite(f"no watch: {error}") from error
        self._next = since if since >= 0 else said["upto"] + 1
        self._resume()
        self._deliver(said)
        threading.Thread(target=self._follow, daemon=True).start()

    def end(self) -> None:
        """End it: it tells nothing after that. To resume would look like a stream that goes on."""
        with self._telling:
            self._over.set()
            self._tell("ended", "unwatch", stream=self._name)

    def _follow(self) -> None:
        broken = False
        while not self._over.is_set():
            try:
                said = self._asked(self._next, WAIT_S)
            except (Definite, Indefinite):
                broken = True
                self._over.wait(AGAIN_S)
                continue
            with self._telling:
                if self._over.is_set():
                    break
                if broken:
                    self._resume()
                self._deliver(said)
            broken = False
        self._client.close()

    def _asked(self, since: int, wait: float) -> dict[str, Any]:
        where = {"prefix": self._prefix, "from": since}
        return self._client.ask("watch", **where, wait=wait, stream=self._name)

    def _resume(self) -> None:
        self._tell("resume", key=self._prefix, version=self._next, stream=self._name)

    def _deliver(self, said: Mapping[str, Any]) -> None:
        batch = next(self._batches)
        for version, key, value in said["events"]:
            where = {"key": key, "version": version}
            self._tell("event", value, **where, stream=self._name, batch=batch)
        if not said["events"] and said["upto"] >= self._next:
            self._tell("progress", version=said["upto"], stream=self._name)
        self._next = max(self._next, said["upto"] + 1)
