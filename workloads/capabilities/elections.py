"""The capability `elections`: one leader at a time, with a term for each."""

from typing import Protocol

from partita.workloads.client import Answer, Tell


class Elections(Protocol):
    """Campaign, resign, and observe who leads. A client is one session, which it renews by itself.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`. What reaches the
    client beside its answers it tells: `beat`, `told`, `suspended`, `observe`, `close`
    (docs/coordination.md).
    """

    def listen(self, tell: Tell) -> None:
        """Take what is to be called with each event, from any thread; called once, at first."""

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        """Wait `wait` seconds at most to lead; raise `Definite` if that did not come.

        The answer's version is the term; its fields name `session`, and `ttl` and `grace` in
        seconds where the store promises them.
        """

    def resign(self, key: str) -> Answer | None:
        """Lead no more, whatever was told meanwhile."""

    def observe(self, key: str) -> Answer:
        """Return the leader's name, None if nobody leads; the answer's version is the term."""

    def close(self) -> None:
        """End the session and let the connection go; never raises, never waits long."""
