"""The capability `counters`: numbers that are added to, and read."""

from typing import Protocol

from partita.workloads.client import Answer


class Counters(Protocol):
    """Add to a number, and read it; it is 0 at first.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def add(self, key: str, delta: int) -> Answer | None:
        """Add to the number; what is added may be negative."""

    def value(self, key: str) -> int | Answer:
        """Return the number."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
