"""The capability `transactions`: several reads and writes of text that happen together."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from partita.workloads.client import Answer

Text = str | None


class Seen(NamedTuple):
    """What was under a key, None if it was never written, and the version that wrote it."""

    value: Text
    version: int = -1


class Snapshot(NamedTuple):
    """What keys held at one moment, in their order. `version`: of that moment, -1 if not told."""

    seen: Sequence[Seen]
    version: int = -1


class Transactions(Protocol):
    """Read several keys, and write several keys if others are unchanged since.

    Each call must give up after its time limit, which the client was opened with, and must never
    be sent again by a library when its outcome is unknown. A call may raise `Definite` or
    `Indefinite`; any other exception counts as `Indefinite`.
    """

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        """Read the keys, at one moment where the store can."""

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        """Write all, if every guarded key is still what was seen; else raise `Mismatch`.

        The answer's version is that of the commit. Without writes it only checks the guards.
        """

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
