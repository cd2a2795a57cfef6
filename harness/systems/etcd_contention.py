"""What etcd's locks and elections have in common: keys below a name, and the oldest one has it.

Each key hangs on its contender's lease. The number of a grant is the revision at which its key was
made. Both services wait until no older key is left, and answer then, whether or not the lease is
over by that time: that is for their users to look after, and most do not.
"""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import NoReturn

from partita.harness.systems.connection import coded
from partita.harness.systems.etcd_gateway import PORT, Gateway, Json
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.harness.systems.renewals import OwnSession
from partita.workloads.client import Definite, Indefinite, Refused

# How long its end may keep a worker waiting.
CLOSE_S = 1.0
# How long etcd's log may take to tell of what is in it.
LOG_S = 1.0


class EtcdContention:
    """A contender in etcd, by a session of its own, `session`.

    Its calls take `timeout` seconds at most, and `wait` as long as it is told.
    """

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._address = host, port
        self._timeout = timeout
        self.gateway = Gateway(host, timeout, port)
        # A request to wait that was given up is not to be delivered later.
        self._waiting = Gateway(host, timeout, port, lingers=False)
        self.session = OwnSession(self._opened)
        self._latest = 0  # the revision at which a key of ours was made last

    def wait(self, path: str, name: str, more: Json, seconds: float) -> tuple[Json, EtcdSession]:
        """Make a request that waits for its turn. Raises `Refused` if that did not come."""
        session = self.session.get()
        self._latest = max(self._latest, session.revision)
        request = {"name": coded(name), "lease": session.lease, **more}
        try:
            return self._waiting.ask(path, request, timeout=seconds), session
        except Indefinite as error:
            if "lease not found" in str(error):  # etcd has no code for it here
                raise Definite(str(error)) from error
            self._give_up(coded(f"{name}/{session.lease:x}"), error)

    def made(self, key: str) -> int:
        """Return the revision at which a key of ours was made, whether or not it is still there."""
        found = self.gateway.ask("/v3/kv/range", {"key": key}).get("kvs")
        self._latest = int(found[0]["create_revision"]) if found else self._made_once(key)
        return self._latest

    def close(self) -> None:
        self.session.close()
        self.gateway.close()
        self._waiting.close()

    def _opened(self, ttl: float) -> EtcdSession:
        host, port = self._address
        return EtcdSession(host, ttl, min(self._timeout, CLOSE_S), port)

    def _give_up(self, key: str, error: Indefinite) -> NoReturn:
        """Leave the queue; raise `Refused` if it is certain that nothing of ours is left there.

        etcd leaves it for us when it notices that we are gone. What was there and is there no more
        will not come back: it was asked for once.
        """
        try:
            deleted = self.gateway.ask("/v3/kv/deleterange", {"key": key}).get("deleted")
        except Definite as unsent:
            raise Indefinite(str(error)) from unsent
        if deleted != "1":
            self._latest = self._made_once(key)
        raise Refused(f"not granted in time: {error}") from error

    def _made_once(self, key: str) -> int:
        """Return the revision at which a key was made that is gone, from etcd's own log.

        Raises `Indefinite` if it was not made since the last one of ours.
        """
        watch = {"key": key, "start_revision": self._latest + 1, "filters": ["NODELETE"]}
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
