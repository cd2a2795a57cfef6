"""The capability `broadcasts`: a message is told to one node, and reaches all of them."""

from collections.abc import Collection
from typing import Protocol

from partita.workloads.client import Answer


class Broadcasts(Protocol):
    """Tell a node a message, and read all messages that a node has.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def broadcast(self, message: str) -> Answer | None:
        """Tell the node a message that is to reach all others."""

    def messages(self) -> Collection[str] | Answer:
        """Return all messages that the node has, in any order."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
