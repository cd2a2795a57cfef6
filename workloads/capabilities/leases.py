"""The capability `leases`: sessions that end if they are not renewed, and entries that go along."""

from typing import Protocol

from partita.workloads.client import Answer, Tell


class Leases(Protocol):
    """Open, renew and close a session, and keep entries that live as long as it does.

    A client has one session at a time, and renews it only when it is asked to, unless it can
    only renew by itself: then it tells each `beat`, and `beat()` raises `Refused`. Each call must
    give up after its time limit, which the client was opened with. A call may raise `Definite` or
    `Indefinite`; any other exception counts as `Indefinite`.
    """

    def listen(self, tell: Tell) -> None:
        """Take what is to be called with each event, from any thread; called once, at first."""

    def open(self, ttl: float) -> Answer:
        """Open a session that lives `ttl` seconds, or what the store makes of it.

        One that was open before is left alone, and renewed no more.
        The answer's fields are `session`, `ttl` as the store granted it, and `grace`.
        """

    def beat(self) -> Answer | None:
        """Renew the session; raise `Definite` if the store says that it is over."""

    def close_session(self) -> Answer | None:
        """End the session, and its entries with it."""

    def ephemeral(self, key: str, value: str) -> Answer:
        """Make an entry of the session; raise `Refused` if there is one already.

        The answer's version is the revision of its creation, and its field `session` whose it is.
        """

    def delete(self, key: str) -> Answer | None:
        """Delete an entry; raise `Refused` if it is not there."""

    def look(self, key: str) -> Answer:
        """Return what is there, None if nothing is; the version is that of its creation.

        The look is linearizable, or the answer has the field `position` (docs/coordination.md).
        """

    def list(self, prefix: str) -> Answer:
        """Return `[key, revision of the creation]` of all that the client's own node has.

        Before it answers, the node is brought up to date.
        """

    def close(self) -> None:
        """Let the connection go, and leave the session alone; never raises, never waits long."""
