"""Consul's locks: a key that a session holds, with a LockIndex that counts the grants.

A lock whose session ended is not granted to anybody for the lock-delay. Who waits asks again when
the key changes, as Consul's own library does, and soon where a lock-delay keeps it from it.
"""

import json
import time
from typing import Any
from urllib.parse import quote

from partita.harness.systems.connection import Connection, coded
from partita.harness.systems.consul_sessions import PORT, ConsulSession
from partita.harness.systems.renewals import OwnSession
from partita.workloads.client import Answer, Definite, Indefinite, Refused, Tell

# How long its end may keep a worker waiting.
CLOSE_S = 1.0
AGAIN_S = 0.25
# What Consul says to who asks for a lock that it does not get.
TAKEN = ("lock is already held", "lock delay")
REFUSALS = ("No cluster leader", "node is not the leader")


class ConsulLocks:
    """A client of locks in Consul; calls take `timeout` seconds at most, and as long as they wait.

    `lock_delay` is what its sessions have.
    """

    def __init__(self, host: str, timeout: float, lock_delay: float, port: int = PORT) -> None:
        self._address = host, port
        self._timeout, self._lock_delay = timeout, lock_delay
        self._connection = Connection(host, port, timeout, lingers=False)
        self._session = OwnSession(self._opened)
        self._with = ""  # the session with which what is held was taken

    def listen(self, tell: Tell) -> None:
        self._session.listen(tell)

    def live(self, ttl: float) -> None:
        self._session.ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        return self.take(key, "", wait)

    def release(self, key: str) -> None:
        """Release a key. Raises `Definite` if the session does not hold it any more."""
        path = f"{_path(key)}?release={self._with}"
        status, text = self._connection.request("PUT", path, b"")
        if status != 200:
            raise _error(status, text)
        if text.strip() != b"true":
            raise Definite("the session does not hold it")

    def take(self, key: str, value: str, wait: float) -> Answer:
        """Take a key and leave a value there; the answer's version is its LockIndex."""
        session = self._session.get()
        deadline = time.monotonic() + wait
        while True:
            entry = self._locked(key, value, session.name)
            if entry is not None:
                self._with = session.name
                return Answer(version=int(entry["LockIndex"]), fields=session.said)
            left = deadline - time.monotonic()
            if left <= 0:
                raise Refused(f"not granted in {wait:.3g} s")
            self._await_change(key, left)

    def look(self, key: str) -> dict[str, Any] | None:
        """Return the entry of a key, None if there is none, as the leader has a majority say."""
        status, text = self._connection.request("GET", f"{_path(key)}?consistent", reads=True)
        if status == 404:
            return None
        if status != 200:
            raise Definite(_reason(status, text))
        found: dict[str, Any] = json.loads(text)[0]
        return found

    def close(self) -> None:
        self._session.close()
        self._connection.close()

    def _opened(self, ttl: float) -> ConsulSession:
        host, port = self._address
        timeout = min(self._timeout, CLOSE_S)
        return ConsulSession(host, ttl, timeout, lock_delay=self._lock_delay, port=port)

    def _locked(self, key: str, value: str, session: str) -> dict[str, Any] | None:
        """Take a key at once, and return its entry; None if somebody has it, or a delay keeps it.

        It is a transaction of one operation, for that says which LockIndex it made.
        """
        change = {
            "Verb": "lock",
            "Key": f"partita/{key}",
            "Value": coded(value),
            "Session": session,
        }
        body = json.dumps([{"KV": change}]).encode()
        status, text = self._connection.request("PUT", "/v1/txn", body)
        if status == 200:
            made: dict[str, Any] = json.loads(text)["Results"][0]["KV"]
            return made
        if status == 409 and any(phrase in _reason(status, text) for phrase in TAKEN):
            return None
        raise _error(status, text)

    def _await_change(self, key: str, left: float) -> None:
        """Wait until somebody gives the key back, or a little where nobody has it."""
        found = self.look(key)
        if found is None or "Session" not in found:
            time.sleep(min(left, AGAIN_S))
            return
        query = f"?consistent&index={found['ModifyIndex']}&wait={left * 1000:.0f}ms"
        # Consul adds up to a sixteenth to what it is asked to wait.
        patience = left * 1.1 + 0.2
        path = _path(key) + query
        status, text = self._connection.request("GET", path, reads=True, timeout=patience)
        if status not in (200, 404):
            raise Definite(_reason(status, text))


def _path(key: str) -> str:
    return f"/v1/kv/partita/{quote(key)}"


def _error(status: int, text: bytes) -> Exception:
    """Return what an answer that is none means for a change."""
    reason = _reason(status, text)
    refused = 400 <= status < 500 or any(phrase in reason for phrase in REFUSALS)
    return (Definite if refused else Indefinite)(reason)


def _reason(status: int, text: bytes) -> str:
    return text.decode(errors="replace").strip() or f"status {status}"
