"""Locks and elections in the raft example, which are the same thing there in other words."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from partita.harness.systems.raft_sessions import RaftSession
from partita.harness.systems.renewals import OwnSession
from partita.workloads.client import Answer, Tell

if TYPE_CHECKING:
    from partita.harness.systems.raft import RaftClient

# Of the time of a request, the most that may be spent in line: it takes some to leave it, too.
IN_LINE = 0.75


class RaftLocks:
    """A client of locks, and of elections, over one whose calls take `timeout` seconds at most.

    `connect` makes one for a session.
    """

    def __init__(
        self, client: "RaftClient", connect: Callable[[], "RaftClient"], timeout: float
    ) -> None:
        self._client = client
        self._longest = IN_LINE * timeout
        self._session = OwnSession(lambda ttl: RaftSession(connect(), ttl))
        self._tokens: dict[str, int] = {}

    def listen(self, tell: Tell) -> None:
        self._session.listen(tell)

    def live(self, ttl: float) -> None:
        self._session.ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        return self.campaign(key, "", wait)

    def release(self, key: str) -> None:
        self._client.ask("release", key=key, token=self._tokens.pop(key))

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        session = self._session.get()
        said = self._client.ask(
            "acquire", session=session.name, key=key, name=name, wait=min(wait, self._longest)
        )
        self._tokens[key] = said["token"]
        return Answer(version=said["token"], fields=session.said)

    def resign(self, key: str) -> None:
        self.release(key)

    def observe(self, key: str) -> Answer:
        said = self._client.ask("observe", key=key)
        return Answer(said["value"], said["token"])

    def close(self) -> None:
        self._session.close()
        self._client.close()
