"""The capability `locks`: a name that one session at a time holds, with a token for each grant."""

from typing import Protocol

from partita.workloads.client import Answer, Tell


class Locks(Protocol):
    """Acquire and release locks. A client is one session, which it renews by itself.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`. What reaches the
    client beside its answers it tells: `beat`, `told`, `suspended`, `close` (docs/coordination.md).
    """

    def listen(self, tell: Tell) -> None:
        """Take what is to be called with each event, from any thread; called once, at first."""

    def acquire(self, key: str, wait: float) -> Answer:
        """Wait `wait` seconds at most for the lock; raise `Definite` if it was not granted.

        The answer's version is the token; its fields name `session`, and `ttl` and `grace` in
        seconds where the store promises them.
        """

    def release(self, key: str) -> Answer | None:
        """Give the lock back, whatever was told meanwhile."""

    def close(self) -> None:
        """End the session and let the connection go; never raises, never waits long."""
