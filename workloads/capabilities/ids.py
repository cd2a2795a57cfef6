"""The capability `ids`: names that are given to one taker only."""

from typing import Any, Protocol


class Ids(Protocol):
    """Ask for an id that nobody else has.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def generate(self) -> Any:
        """Return a new id, which is any value that JSON has."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
