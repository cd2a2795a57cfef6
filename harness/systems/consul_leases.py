"""Ephemeral entries in Consul: keys that a session holds, which are deleted when it is over."""

import itertools
import json
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from partita.harness.systems.connection import Connection, coded, decoded
from partita.harness.systems.consul_sessions import PORT, ConsulSession
from partita.harness.systems.renewals import AskedSession
from partita.workloads.client import Answer, Definite, Mismatch, Tell

if TYPE_CHECKING:
    from partita.harness.systems.consul import ConsulClient

ROOT = "partita/"
LOOK_S = 0.02


class ConsulLeases:
    """A client of leases; `client` is for changes, which go through the log."""

    def __init__(self, client: "ConsulClient", host: str, timeout: float, port: int = PORT) -> None:
        self._client, self._address, self._timeout = client, (host, port), timeout
        self._connection = Connection(host, port, timeout)
        self._session: AskedSession[ConsulSession] = AskedSession()
        self._fence = f"fence-{uuid.uuid4().hex}"
        self._fences = itertools.count()

    def listen(self, tell: Tell) -> None:
        """Nothing reaches it beside its answers."""

    def open(self, ttl: float) -> Answer:
        host, port = self._address
        return self._session.open(
            lambda: ConsulSession(host, ttl, self._timeout, behavior="delete", port=port)
        )

    def beat(self) -> Answer:
        return self._session.beat()

    def close_session(self) -> Answer:
        return self._session.end()

    def ephemeral(self, key: str, value: str) -> Answer:
        session, path = self._session.get(), ROOT + key
        held = {"Verb": "lock", "Key": path, "Value": coded(value), "Session": session.name}
        absent = {"Verb": "check-not-exists", "Key": path}
        try:
            made = self._client.transact([{"KV": absent}, {"KV": held}])
        except Mismatch:
            raise Mismatch from None
        (entry,) = [each for each in made if each["Key"] == path]
        return Answer(version=int(entry["CreateIndex"]), fields=session.said)

    def delete(self, key: str) -> None:
        index = self._client.index(key)
        if not index:
            raise Mismatch
        self._client.change({"Verb": "delete-cas", "Key": ROOT + key, "Index": index})

    def look(self, key: str) -> Answer:
        found = self._get(f"{quote(key)}?consistent")
        if not found:
            return Answer(None)
        return Answer(decoded(found[0]["Value"]), int(found[0]["CreateIndex"]))

    def list(self, prefix: str) -> Answer:
        """Show what this very server has, once it has what is written now.

        The value is a new one each time, for Consul gives no index to a write that changes nothing.
        """
        index = self._client.write(self._fence, str(next(self._fences))).version
        deadline = time.monotonic() + self._timeout
        while not any(each["ModifyIndex"] >= index for each in self._get(f"{self._fence}?stale")):
            if time.monotonic() > deadline:
                raise Definite("the server lags behind")
            time.sleep(LOOK_S)
        found = self._get(f"{quote(prefix)}?recurse&stale")
        return Answer(
            [[each["Key"].removeprefix(ROOT), int(each["CreateIndex"])] for each in found]
        )

    def recover(self) -> None:
        self._client.close()
        self._connection.close()

    def close(self) -> None:
        self._session.leave()
        self.recover()

    def _get(self, what: str) -> Sequence[dict[str, Any]]:
        status, text = self._connection.request("GET", f"/v1/kv/{ROOT}{what}", reads=True)
        if status == 404:
            return []
        if status != 200:
            raise Definite(text.decode(errors="replace").strip() or f"status {status}")
        found: Sequence[dict[str, Any]] = json.loads(text)
        return found
