"""The capability `registers`: text under a key, read, written, and compared-and-set."""

from typing import Protocol

from partita.workloads.client import Answer


class Registers(Protocol):
    """Read, write and compare-and-set of text under keys, which hold None at first.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`. Where the store
    tells versions, a call returns an `Answer` with the version of the state that it saw or made.
    """

    def read(self, key: str) -> str | Answer | None:
        """Return the register's value, None if it was never written."""

    def write(self, key: str, value: str) -> Answer | None:
        """Set the register."""

    def cas(self, key: str, old: str | None, new: str) -> Answer | None:
        """Set the register to `new` if it holds `old`, else raise `Mismatch`."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
