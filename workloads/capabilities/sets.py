"""The capability `sets`: elements added to a set, and all of them read."""

from collections.abc import Collection
from typing import Protocol

from partita.workloads.client import Answer


class Sets(Protocol):
    """Add text to a set, and read the whole set.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def add(self, key: str, element: str) -> Answer | None:
        """Put an element into the set."""

    def members(self, key: str) -> Collection[str] | Answer:
        """Return all elements, in any order."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
