"""What a store's client must be able to do, and how it says what is uncertain.

Every error is either definite (the operation certainly did not happen) or indefinite (nobody
knows: it may take effect later, or never). Whoever writes a client decides which of the two
each of the store's errors is; `partita.harness.run.worker` turns them into outcomes in one place.
"""

from typing import Any, Protocol


class Definite(Exception):
    """The operation certainly did not happen, and never will."""


class Indefinite(Exception):
    """Nobody knows whether the operation happened, or will yet happen."""


class Mismatch(Definite):
    """A cas that did not happen, because the register did not hold the expected value.

    `actual` is the value met, where the store said it (`known`).
    """

    def __init__(self, actual: Any = None, *, known: bool = False) -> None:
        super().__init__("mismatch")
        self.actual = actual
        self.known = known


class Client(Protocol):
    """One connection of one process to one node. Registers hold text, or None at first.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def read(self, key: str) -> str | None:
        """Return the register's value, None if it was never written."""

    def write(self, key: str, value: str) -> None:
        """Set the register."""

    def cas(self, key: str, old: str | None, new: str) -> None:
        """Set the register to `new` if it holds `old`, else raise `Mismatch`."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
