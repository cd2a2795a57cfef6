"""A session in the raft example: see examples/raft/sessions.py."""

import time
from typing import TYPE_CHECKING, Any

from partita.workloads.client import Definite, Indefinite

if TYPE_CHECKING:
    from partita.harness.systems.raft import RaftClient

# How much later than its time to live a session may end: the leader looks fifty times a second, and
# the end goes through the log. For as long as another one is elected it takes longer.
GRACE_S = 2.0
# How long a renewal may take.
BEAT_S = 2.0


class RaftSession:
    """A session, see `Session`; the client is its own.

    Raises `Definite` if none was opened: one of which nobody knows runs out by itself.
    """

    def __init__(self, client: "RaftClient", ttl: float) -> None:
        self._client = client
        self.opened = time.monotonic()
        try:
            answer = self._client.ask("open", ttl=ttl)
        except (Definite, Indefinite) as error:
            client.close()
            raise Definite(f"no session was opened: {error}") from error
        self.name: str = answer["session"]
        self.ttl = float(answer["ttl"])
        self.said: dict[str, Any] = {"session": self.name, "ttl": self.ttl, "grace": GRACE_S}

    def beat(self) -> None:
        self._client.ask("beat", session=self.name)

    def end(self) -> None:
        self._client.ask("close", session=self.name)

    def close(self) -> None:
        self._client.close()
