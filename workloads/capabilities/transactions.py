"""The capability `transactions`: several reads and writes of text that happen together.

A client has `snapshot` and `commit`, or it has `execute`, or all three.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol, runtime_checkable

from partita.workloads.client import UNKNOWN_VERSION, Answer

Text = str | None
# ["r", key, None], ["w", key, value] or ["append", key, element]; of a carried-out one, a read
# has what it read.
MicroOp = list[Any]


class Seen(NamedTuple):
    """What was under a key, None if it was never written, and the version that wrote it."""

    value: Text
    version: int = UNKNOWN_VERSION


class Snapshot(NamedTuple):
    """What keys held at one moment, in their order. `version`: of that moment, -1 if not told.

    `settled`: a transaction that only reads may answer so. A store that cannot read several keys
    at one moment says no, and then such a transaction commits what it saw as guards.
    """

    seen: Sequence[Seen]
    version: int = UNKNOWN_VERSION
    settled: bool = True


@runtime_checkable
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

        No key is written twice. The answer's version is that of the commit. Without writes it
        only checks the guards.
        """

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""


@runtime_checkable
class HasExecute(Protocol):
    """A client that carries a whole transaction out, as a database does between begin and commit.

    What is said of the calls of `Transactions` is true of this one.
    """

    def execute(self, operations: Sequence[MicroOp]) -> Answer:
        """Carry all out at once, or nothing; raise `Mismatch` if the store refused to commit.

        The answer's value is the operations, with what the reads read. Its version is that of the
        commit, or of what was read if nothing was written. `fields` may have `versions`: for each
        operation the version that wrote what was read, or that was written; None if not told.
        """

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
