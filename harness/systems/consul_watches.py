"""Watches in Consul: blocking queries, which are answered once something is newer than an index.

Consul tells no changes, it shows what is there. So what was in between may be missed, and what is
told is one answer a key (`poll`), whenever its value is another one than before.
"""

import http.client
import json
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from partita.harness.systems.connection import coded, decoded
from partita.harness.systems.consul_sessions import PORT
from partita.workloads.client import Answer, Definite, Mismatch, Tell

if TYPE_CHECKING:
    from partita.harness.systems.consul import ConsulClient

# For so long Consul holds a query back, and a sixteenth more, so that not all end at a time.
WAIT_S = 20.0
AGAIN_S = 0.2
ROOT = "partita/"
BROKEN = (OSError, http.client.HTTPException, ValueError)


class ConsulWatches:
    """A client of watches: `client` makes the changes, `host` is who is asked in a query.

    `mode` is how a query reads: "default", "consistent" or "stale".
    """

    def __init__(
        self, client: "ConsulClient", host: str, timeout: float, mode: str, port: int = PORT
    ) -> None:
        self._client, self._address, self._timeout = client, (host, port), timeout
        self._mode = mode
        self._tell: Tell | None = None
        self._queries: dict[str, Query] = {}

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, key: str, value: str) -> Answer:
        return self._client.write(key, value)

    def read(self, key: str) -> Answer:
        return self._client.read(key)

    def delete(self, key: str) -> Answer:
        """Delete the value that is there. Consul does not say at which index."""
        self._client.change(self._deletion(key))
        return Answer()

    def write_all(self, changes: Mapping[str, str | None]) -> Answer:
        """Change all in one transaction, which has one index."""
        operations = [
            self._deletion(key) if value is None
            else {"Verb": "set", "Key": ROOT + key, "Value": coded(value)}
            for key, value in changes.items()
        ]  # fmt: skip
        made = self._client.transact([{"KV": each} for each in operations])
        indexes = [int(each["ModifyIndex"]) for each in made if each["Key"] in _written(changes)]
        return Answer(version=max(indexes)) if indexes else Answer()

    def watch(self, stream: str, prefix: str, since: int) -> None:
        assert self._tell is not None
        begun = Query(stream, self._address, prefix, self._mode, self._tell)
        begun.begin(self._timeout)
        self._queries[stream] = begun

    def unwatch(self, stream: str) -> None:
        self._queries.pop(stream).end()

    def recover(self) -> None:
        self._client.close()

    def close(self) -> None:
        for stream in list(self._queries):
            self.unwatch(stream)
        self._client.close()

    def _deletion(self, key: str) -> dict[str, Any]:
        index = self._client.index(key)
        if not index:
            raise Mismatch
        return {"Verb": "delete-cas", "Key": ROOT + key, "Index": index}


class _Value(NamedTuple):
    value: str
    modified: int


class Query:
    """Blocking queries for all keys with a prefix, one after the other, until `end`."""

    def __init__(
        self, name: str, address: tuple[str, int], prefix: str, mode: str, tell: Tell
    ) -> None:
        self._name, self._address, self._prefix = name, address, prefix
        self._mode, self._tell = mode, tell
        self._index = 0
        self._times = 0  # that it was begun anew: then it is another stream
        self._known: dict[str, _Value | None] = {}
        self._over = threading.Event()
        self._telling = threading.Lock()  # held while it tells: nothing comes after its end
        self._connection: http.client.HTTPConnection | None = None

    def begin(self, timeout: float) -> None:
        """Ask for the first time, and return when Consul has answered. Raises `Definite`."""
        try:
            self._connect(timeout)
            self._ask()
        except BROKEN as error:
            self._shut()
            raise Definite(f"no watch: {error or type(error).__name__}") from error
        threading.Thread(target=self._follow, args=(timeout,), daemon=True).start()

    def end(self) -> None:
        """End it: it tells nothing after that, and all that it told of is ended."""
        with self._telling:
            self._over.set()
            self._end("unwatch")
        self._shut()

    def _follow(self, timeout: float) -> None:
        while not self._over.is_set():
            try:
                if self._connection is None:
                    self._connect(timeout)
                self._ask()
            except BROKEN as error:
                with self._telling:
                    if not self._over.is_set():
                        self._end(str(error) or type(error).__name__)
                self._shut()
                self._over.wait(AGAIN_S)

    def _connect(self, timeout: float) -> None:
        self._connection = http.client.HTTPConnection(*self._address, timeout=timeout)
        self._connection.connect()
        self._connection.sock.settimeout(WAIT_S * 17 / 16 + timeout)

    def _ask(self) -> None:
        """Ask what is there once the index is greater, and tell what has changed."""
        connection = self._connection
        assert connection is not None
        more = "" if self._mode == "default" else f"&{self._mode}"
        wait = f"&index={self._index}&wait={WAIT_S:g}s" if self._index else ""
        connection.request("GET", f"/v1/kv/{ROOT}{quote(self._prefix)}?recurse{more}{wait}")
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 404):
            raise ValueError(text.decode(errors="replace").strip() or f"status {answer.status}")
        index = int(answer.headers["X-Consul-Index"])
        entries = json.loads(text) if answer.status == 200 else []
        with self._telling:
            if not self._over.is_set():
                self._deliver(index, entries)
        # As Consul's documentation asks of its clients.
        self._index = index if index >= self._index else 0

    def _deliver(self, index: int, entries: list[dict[str, Any]]) -> None:
        found: dict[str, _Value | None] = {
            entry["Key"].removeprefix(ROOT): _Value(decoded(entry["Value"]), entry["ModifyIndex"])
            for entry in entries
        }
        shown = (dict.fromkeys(self._known) | found) or {self._prefix: None}
        for key, value in shown.items():
            # An index that fell is told with all that there is.
            if key in self._known and self._known[key] == value and index >= self._index:
                continue
            stream = f"{self._name}/{key}/{self._times}"
            if value is None:
                self._tell("poll", None, key=key, version=index, stream=stream)
            else:
                self._tell(
                    "poll", value.value, key=key, version=index, modified=value.modified,
                    stream=stream,
                )  # fmt: skip
        self._known = shown

    def _end(self, why: str) -> None:
        for key in self._known:
            self._tell("ended", why, stream=f"{self._name}/{key}/{self._times}")
        self._known = {}
        self._times += 1

    def _shut(self) -> None:
        """Close the connection, whoever waits for it."""
        connection, self._connection = self._connection, None
        if connection is not None and connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()


def _written(changes: Mapping[str, str | None]) -> set[str]:
    return {ROOT + key for key, value in changes.items() if value is not None}
