"""Sessions and ephemeral entries in the raft example."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from partita.harness.systems.raft_sessions import RaftSession
from partita.harness.systems.renewals import AskedSession
from partita.workloads.client import UNKNOWN_VERSION, Answer, Mismatch, Refused, Tell

if TYPE_CHECKING:
    from partita.harness.systems.raft import RaftClient


class RaftLeases:
    """A client of leases, which renews its session when it is told to.

    `connect` makes a client for a session.
    """

    def __init__(self, client: "RaftClient", connect: Callable[[], "RaftClient"]) -> None:
        self._client = client
        self._connect = connect
        self._session: AskedSession[RaftSession] = AskedSession()

    def listen(self, tell: Tell) -> None:
        """Take nothing: all that this client is told is answers."""

    def open(self, ttl: float) -> Answer:
        return self._session.open(lambda: RaftSession(self._connect(), ttl))

    def beat(self) -> Answer:
        session = self._session.get()
        session.beat()
        return Answer(fields={"session": session.name})

    def close_session(self) -> Answer:
        session = self._session.get()
        session.end()
        self._session.leave()
        return Answer(fields={"session": session.name})

    def ephemeral(self, key: str, value: str) -> Answer:
        session = self._session.get()
        with _as_mismatch():
            said = self._client.ask("ephemeral", session=session.name, key=key, value=value)
        return Answer(version=said["version"], fields={"session": session.name})

    def delete(self, key: str) -> Answer:
        with _as_mismatch():
            return Answer(version=self._client.ask("delete", key=key)["version"])

    def look(self, key: str) -> Answer:
        said = self._client.ask("read", key=key)
        there = said["value"] is not None
        return Answer(said["value"], said["version"] if there else UNKNOWN_VERSION)

    def list(self, prefix: str) -> Answer:
        return Answer(self._client.ask("list", prefix=prefix)["entries"])

    def recover(self) -> None:
        self._client.recover()

    def close(self) -> None:
        self._session.leave()
        self._client.close()


@contextmanager
def _as_mismatch() -> Iterator[None]:
    """Say that the key is not as it had to be: there already, or not there."""
    try:
        yield
    except Refused as refused:
        raise Mismatch from refused
