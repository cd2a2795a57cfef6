"""The capability `streams`: logs that messages are sent to, and polled from, by offset."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from partita.workloads.client import Answer

# By key: pairs of an offset and the message there, in the order in which they came.
Polled = Mapping[str, Sequence[tuple[int, str]]]


class Streams(Protocol):
    """Send messages to logs, poll them from an offset on, and commit how far one has come.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def send(self, key: str, message: str) -> Answer:
        """Append a message to a log; the answer's version is its offset."""

    def poll(self, offsets: Mapping[str, int]) -> Polled:
        """Return messages of these logs, each from its offset on; a log may be left out."""

    def commit(self, offsets: Mapping[str, int]) -> Answer | None:
        """Say that in these logs all is done up to an offset, and with it."""

    def committed(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Return up to where all is done; a log of which nobody said so may be left out."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
