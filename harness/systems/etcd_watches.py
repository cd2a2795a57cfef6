"""Watches in etcd: changes of keys, and streams of them through the gateway.

A stream is one request whose answer never ends: a line of JSON for each batch of changes. One that
broke is taken up at the first revision that it has not delivered, one that asked for what was
compacted at the first that there is, as etcd's own clients do.
"""

import http.client
import itertools
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from partita.harness.systems.connection import coded, decoded
from partita.harness.systems.etcd_gateway import PORT, Json
from partita.workloads.client import (
    UNKNOWN_VERSION,
    Answer,
    Definite,
    Indefinite,
    Mismatch,
    Refused,
    Tell,
)

if TYPE_CHECKING:
    from partita.harness.systems.etcd import EtcdClient

AGAIN_S = 0.2
# When the machine at the other end is gone without a word, somebody has to notice.
KEEP_ALIVE = {"TCP_KEEPIDLE": 4, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
# What etcd says of revisions that it does not have: then a compaction did nothing.
OUT_OF_RANGE = ("required revision has been compacted", "required revision is a future revision")
BROKEN = (OSError, http.client.HTTPException, ValueError, msgspec.MsgspecError)


class EtcdWatches:
    """A client of watches: `client` makes the changes, `host` is whom the streams are of."""

    def __init__(self, client: "EtcdClient", host: str, timeout: float, port: int = PORT) -> None:
        self._client, self._address, self._timeout = client, (host, port), timeout
        self._tell: Tell | None = None
        self._streams: dict[str, Stream] = {}

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, key: str, value: str) -> Answer:
        return self._client.write(key, value)

    def read(self, key: str) -> Answer:
        return self._client.read(key)

    def delete(self, key: str) -> Answer:
        said = self._client.ask("deleterange", {"key": coded(key)})
        if not int(said.get("deleted", 0)):
            raise Mismatch
        return _made(said)

    def write_all(self, changes: Mapping[str, str | None]) -> Answer:
        """Change all in one transaction; what is to be deleted must be there."""
        request = {
            "compare": [_there(key) for key, value in changes.items() if value is None],
            "success": [_change(key, value) for key, value in changes.items()],
        }
        said = self._client.ask("txn", request)
        if not said.get("succeeded"):
            raise Mismatch
        return _made(said)

    def compact(self, version: int) -> None:
        try:
            self._client.ask("compaction", {"revision": str(version)})
        except Indefinite as error:
            if any(each in str(error) for each in OUT_OF_RANGE):
                raise Refused(str(error)) from error
            raise

    def watch(self, stream: str, prefix: str, since: int) -> None:
        assert self._tell is not None
        begun = Stream(stream, self._address, prefix, since, self._tell)
        begun.begin(self._timeout)
        self._streams[stream] = begun

    def unwatch(self, stream: str) -> None:
        self._streams.pop(stream).end()

    def recover(self) -> None:
        self._client.close()

    def close(self) -> None:
        for stream in list(self._streams):
            self.unwatch(stream)
        self._client.close()


class Stream:
    """A watch on all keys with a prefix, which goes on in a thread of its own until `end`.

    `next` is the first revision that it has not delivered, -1 before it knows any.
    """

    def __init__(
        self, name: str, address: tuple[str, int], prefix: str, since: int, tell: Tell
    ) -> None:
        self._name, self._address, self._prefix, self._tell = name, address, prefix, tell
        self.next = since
        self._batches = itertools.count()
        self._over = threading.Event()
        self._telling = threading.Lock()  # held while it tells: nothing comes after its end
        self._socket: socket.socket | None = None

    def begin(self, timeout: float) -> None:
        """Begin, and return when etcd has answered. Raises `Definite` if it did not."""
        try:
            lines = self._opened(timeout)
        except BROKEN as error:
            self._shut()
            raise Definite(f"no watch: {error or type(error).__name__}") from error
        threading.Thread(target=self._follow, args=(lines, timeout), daemon=True).start()

    def end(self) -> None:
        """End it: it tells nothing after that. To resume would look like a stream that goes on."""
        with self._telling:
            if not self._over.is_set():
                self._over.set()
                self._ended("unwatch")
        self._shut()

    def _follow(self, lines: Iterator[Json] | None, timeout: float) -> None:
        """Take up what broke, again and again."""
        while not self._over.is_set():
            if lines is not None:
                why = self._deliver(lines)
                with self._telling:
                    if not self._over.is_set() and why is not None:
                        self._ended(why)
            self._shut()
            if self._over.wait(AGAIN_S):
                return
            lines = None
            with suppress(*BROKEN):
                lines = self._opened(timeout)

    def _opened(self, timeout: float) -> Iterator[Json]:
        """Ask for the stream, and wait until etcd says that it has begun."""
        wanted: Json = {"key": coded(self._prefix), "progress_notify": True}
        wanted["range_end"] = coded(self._prefix[:-1] + chr(ord(self._prefix[-1]) + 1))
        if self.next != UNKNOWN_VERSION:
            wanted["start_revision"] = str(self.next)
        connection = http.client.HTTPConnection(*self._address, timeout=timeout)
        connection.connect()
        self._socket = connection.sock
        if self._over.is_set():  # `end` may have been too early to shut it
            raise OSError("ended")
        _keep_alive(connection.sock)
        connection.request("POST", "/v3/watch", json.dumps({"create_request": wanted}))
        lines = _lines(connection)
        created = next(lines, {})
        if not created.get("created"):
            raise ValueError(created.get("cancel_reason", "etcd did not begin it"))
        connection.sock.settimeout(None)
        if self.next == UNKNOWN_VERSION:
            self.next = int(created["header"]["revision"]) + 1
        with self._telling:
            if self._over.is_set():
                raise OSError("ended")
            self._tell("resume", key=self._prefix, version=self.next, stream=self._name)
        return lines

    def _deliver(self, lines: Iterator[Json]) -> str | None:
        """Tell what comes; return why it ended, None if that is told already."""
        try:
            for batch in lines:
                with self._telling:
                    if self._over.is_set():
                        return None
                    if compacted := int(batch.get("compact_revision", 0)):
                        self.next = compacted
                        self._tell("compacted", version=compacted, stream=self._name)
                        return None
                    if batch.get("canceled"):
                        return str(batch.get("cancel_reason") or "etcd ended it")
                    self._deliver_batch(batch)
        except BROKEN as error:
            return str(error) or type(error).__name__
        return "the connection was closed"

    def _deliver_batch(self, batch: Json) -> None:
        changes, number = batch.get("events", ()), next(self._batches)
        for change in changes:
            entry = change["kv"]
            version = int(entry["mod_revision"])
            value = None if change.get("type") == "DELETE" else decoded(entry.get("value"))
            self._tell(
                "event", value, key=decoded(entry["key"]), version=version,
                stream=self._name, batch=number,
            )  # fmt: skip
            self.next = max(self.next, version + 1)
        if not changes:
            version = int(batch["header"]["revision"])
            self._tell("progress", version=version, stream=self._name)
            self.next = max(self.next, version + 1)

    def _ended(self, why: str) -> None:
        self._tell("ended", why, stream=self._name)

    def _shut(self) -> None:
        """Close the connection, whoever waits for it."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()


def _lines(connection: http.client.HTTPConnection) -> Iterator[Json]:
    """Yield what the answer to a request has line by line. Raises what is in `BROKEN`."""
    answer = connection.getresponse()
    rest = b""
    while block := answer.read1(1 << 16):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            said = msgspec.json.decode(line)
            if "result" not in said:
                raise ValueError(said.get("error", {}).get("message") or "no result")
            yield said["result"]


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _there(key: str) -> Json:
    return {
        "key": coded(key), "target": "VERSION", "version": "0", "result": "GREATER",
    }  # fmt: skip


def _change(key: str, value: str | None) -> Json:
    if value is None:
        return {"request_delete_range": {"key": coded(key)}}
    return {"request_put": {"key": coded(key), "value": coded(value)}}


def _made(answer: Json) -> Answer:
    return Answer(version=int(answer["header"]["revision"]))
