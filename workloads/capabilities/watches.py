"""The capability `watches`: changes of keys, and who is told of them."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from partita.workloads.client import Answer, Tell


class Watches(Protocol):
    """Change keys, and be told of changes.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`. What a watch
    delivers is told in the store's own way (docs/coordination.md): as a stream (`resume`, `event`,
    `progress`, `compacted`, `ended`), as one-shot watches (`arm`, `seen`, `fire`, `disarmed`), or
    as blocking queries (`poll`, `ended`).
    """

    def listen(self, tell: Tell) -> None:
        """Take what is to be called with each event, from any thread; called once, at first."""

    def write(self, key: str, value: str) -> Answer:
        """Set a key; the answer's version is the revision of the change, where it is told."""

    def delete(self, key: str) -> Answer:
        """Delete a key; raise `Refused` if there is none. The version is that of the change."""

    def read(self, key: str) -> Answer:
        """Return a key's value, None if there is none; the version is that of its last change."""

    def watch(self, stream: str, prefix: str, since: int) -> Answer | None:
        """Begin to watch all keys with a prefix, and return when the store has answered.

        `since` is the first revision that is wanted, -1: from now on; a store without a log
        takes it for -1. The watch goes on in the background until `unwatch` or `close`. A watch
        that broke is taken up where it was, and told as `resume`.
        """

    def unwatch(self, stream: str) -> None:
        """End a watch; never raises."""

    def close(self) -> None:
        """End all watches and let the connection go; never raises, never waits long."""


@runtime_checkable
class HasCompaction(Protocol):
    """A client of a store whose log can be cut off at its beginning."""

    def compact(self, version: int) -> Answer | None:
        """Forget what was before a revision."""


@runtime_checkable
class HasWriteAll(Protocol):
    """A client that can change several keys in one revision."""

    def write_all(self, changes: Mapping[str, str | None]) -> Answer:
        """Set all these keys, delete where the value is None; all in one revision.

        Raise `Refused` if what is to be deleted is not there.
        """
