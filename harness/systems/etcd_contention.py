"""What etcd's locks and elections have in common: keys below a name, and the oldest one has it.

Each key hangs on its contender's lease. The number of a grant is the revision at which its key was
made. Both services wait until no older key is left, and answer then, whether or not the lease is
over by that time: that is for their users to look after, and most do not. So what is answered
counts as granted here. Whether the lease was over is known from etcd's own log: the answer names
the revision at which no older key was left, and the log the one at which the key was deleted.
"""

import json
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from typing import NoReturn

from partita.harness.systems.connection import coded
from partita.harness.systems.etcd_gateway import PORT, Gateway, Json
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.harness.systems.renewals import OwnSession
from partita.workloads.client import Answer, Definite, Indefinite, Refused

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

    def wait(self, path: str, name: str, more: Json, seconds: float) -> tuple[Json, Answer]:
        """Make a request that waits for its turn; return its answer, and what is to be told of it.

        Raises `Refused` if its turn did not come.
        """
        session = self.session.get()
        self._latest = max(self._latest, session.revision)
        request = {"name": coded(name), "lease": session.lease, **more}
        key = coded(f"{name}/{session.lease:x}")
        try:
            answer = self._waiting.ask(path, request, timeout=seconds)
        except Indefinite as error:
            if "lease not found" in str(error):  # etcd has no code for it here
                raise Definite(str(error)) from error
            self._give_up(key, error)
        return answer, self._granted(key, int(answer["header"]["revision"]), session)

    def close(self) -> None:
        self.session.close()
        self.gateway.close()
        self._waiting.close()

    def _opened(self, ttl: float) -> EtcdSession:
        host, port = self._address
        return EtcdSession(host, ttl, min(self._timeout, CLOSE_S), port, grace=None)

    def _granted(self, key: str, at: int, session: EtcdSession) -> Answer:
        """Say which number a grant has, and whether its lease was over when it was made."""
        found = self.gateway.ask("/v3/kv/range", {"key": key}).get("kvs")
        if found:
            self._latest = int(found[0]["create_revision"])
            return Answer(version=self._latest, fields=session.said)
        self._latest, deleted = self._logged(key)
        over = {"grace": 0.0} if deleted is not None and deleted <= at else {}
        return Answer(version=self._latest, fields=session.said | over)

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
            self._latest, _ = self._logged(key)
        raise Refused(f"not granted in time: {error}") from error

    def _logged(self, key: str) -> tuple[int, int | None]:
        """Return the revisions at which a key was made and deleted, from etcd's own log.

        Raises `Indefinite` if it was not made since the last one of ours.
        """
        watch = {"key": key, "start_revision": self._latest + 1}
        host, port = self._address
        try:
            with closing(HTTPConnection(host, port, timeout=LOG_S)) as connection:
                connection.request("POST", "/v3/watch", json.dumps({"create_request": watch}))
                answer = connection.getresponse()
                while line := answer.readline():
                    # What was before the watch began comes in one piece.
                    if events := json.loads(line).get("result", {}).get("events"):
                        return _life_of_a_key(events)
        except (OSError, HTTPException, ValueError) as error:
            raise Indefinite(f"nobody knows what became of the request: {error}") from error
        raise Indefinite("nobody knows what became of the request")


def _life_of_a_key(events: Sequence[Json]) -> tuple[int, int | None]:
    """Return when a key was made last, and when it was deleted after that."""
    made, deleted = 0, None
    for event in events:
        if event.get("type") == "DELETE":
            deleted = int(event["kv"]["mod_revision"])
        else:
            made, deleted = int(event["kv"]["create_revision"]), None
    if not made:
        raise ValueError("it was deleted, and was never made")
    return made, deleted
