"""The capability `queues`: elements put in at one end, and taken out at the other."""

from typing import Protocol

from partita.workloads.client import Answer


class Queues(Protocol):
    """Put text into a queue and take it out again, the oldest first.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def enqueue(self, key: str, value: str) -> Answer | None:
        """Put an element at the end of the queue."""

    def dequeue(self, key: str) -> str | Answer | None:
        """Take the element at the front and return it, None if the queue is empty."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
