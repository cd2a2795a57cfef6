"""etcd's lock service, used as its clients in Java, Go and Python do: what it answers is believed.

A lock's holder is whoever has the oldest key below the lock's name; the key hangs on a lease. Its
token is the revision at which its key was made.
"""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import NoReturn

from partita.harness.systems.connection import coded
from partita.harness.systems.etcd_gateway import PORT, Gateway
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.harness.systems.renewals import OwnSession
from partita.workloads.client import Answer, Definite, Indefinite, Refused, Tell

# How long its end may keep a worker waiting.
CLOSE_S = 1.0
# How long etcd's log may take to tell of what is in it.
LOG_S = 1.0


class EtcdLocks:
    """A client of locks in etcd; calls take `timeout` seconds at most, and as long as they wait."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._address = host, port
        self._timeout = timeout
        self._gateway = Gateway(host, timeout, port)
        # A request to take the lock that was given up is not to be delivered later.
        self._taking = Gateway(host, timeout, port, lingers=False)
        self._session = OwnSession(self._opened)
        self._latest = 0  # the revision at which a key of ours was made last
        self._held: dict[str, str] = {}  # the key of ours below each lock, as etcd writes it

    def listen(self, tell: Tell) -> None:
        self._session.listen(tell)

    def live(self, ttl: float) -> None:
        self._session.ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        session = self._session.get()
        self._latest = max(self._latest, session.revision)
        request = {"name": coded(key), "lease": session.lease}
        try:
            mine: str = self._taking.ask("/v3/lock/lock", request, timeout=wait)["key"]
        except Indefinite as error:
            if "lease not found" in str(error):  # etcd has no code for it here
                raise Definite(str(error)) from error
            self._give_up(coded(f"{key}/{session.lease:x}"), error)
        # The lock is ours by now, whether the key is there or not: nobody else looks.
        self._latest = self._made(mine)
        self._held[key] = mine
        return Answer(version=self._latest, fields=session.said)

    def release(self, key: str) -> None:
        self._gateway.ask("/v3/lock/unlock", {"key": self._held.pop(key)})

    def close(self) -> None:
        self._session.close()
        self._gateway.close()
        self._taking.close()

    def _opened(self, ttl: float) -> EtcdSession:
        host, port = self._address
        return EtcdSession(host, ttl, min(self._timeout, CLOSE_S), port)

    def _give_up(self, mine: str, error: Indefinite) -> NoReturn:
        """Leave the queue; raise `Refused` if it is certain that nothing of ours is left there.

        etcd leaves it for us when it notices that we are gone. What was there and is there no more
        will not come back: it was asked for once.
        """
        try:
            deleted = self._gateway.ask("/v3/kv/deleterange", {"key": mine}).get("deleted")
        except Definite as unsent:
            raise Indefinite(str(error)) from unsent
        if deleted != "1":
            self._latest = self._made_once(mine)
        raise Refused(f"not granted in time: {error}") from error

    def _made(self, mine: str) -> int:
        """Return the revision at which a key was made."""
        found = self._gateway.ask("/v3/kv/range", {"key": mine}).get("kvs")
        return int(found[0]["create_revision"]) if found else self._made_once(mine)

    def _made_once(self, mine: str) -> int:
        """Return the revision at which a key was made that is gone, from etcd's own log.

        Raises `Indefinite` if it was not made since the last one of ours.
        """
        watch = {"key": mine, "start_revision": self._latest + 1, "filters": ["NODELETE"]}
        host, port = self._address
        try:
            with closing(HTTPConnection(host, port, timeout=LOG_S)) as connection:
                connection.request("POST", "/v3/watch", json.dumps({"create_request": watch}))
                answer = connection.getresponse()
                while line := answer.readline():
                    if events := json.loads(line).get("result", {}).get("events"):
                        return max(int(each["kv"]["create_revision"]) for each in events)
        except (OSError, HTTPException, ValueError) as error:
            raise Indefinite(f"nobody knows what became of the request: {error}") from error
        raise Indefinite("nobody knows what became of the request")
