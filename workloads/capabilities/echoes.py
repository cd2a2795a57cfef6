"""The capability `echoes`: a text is sent, and comes back."""

from typing import Any, Protocol


class Echoes(Protocol):
    """Send text to a node, which answers with the same text.

    Each call must give up after its time limit, which the client was opened with. A call may
    raise `Definite` or `Indefinite`; any other exception counts as `Indefinite`.
    """

    def echo(self, text: str) -> Any:
        """Return what the node answered, whatever it is."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""
