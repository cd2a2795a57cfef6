"""The clock of a client node, put on this machine's: the same on a local cluster.

Elsewhere no moment there is known exactly. Each exchange of messages says: what the node's clock
showed then, ours showed at some moment between asking and hearing. What follows is two bounds, and
the ones that count nothing against anyone are used: a request is taken to be sent as early as it
can have been, and what reached a client to have come as late as it can.
"""

from collections import deque

DRIFT = 0.0005  # how fast two clocks can part, in seconds a second; what NTP does at most
KEPT = 40  # exchanges


class Clock:
    """Translates moments of a node's time.monotonic() into ours; `same`: they are ours."""

    def __init__(self, *, same: bool) -> None:
        self._same = same
        self._exchanges: deque[tuple[float, float, float]] = deque(maxlen=KEPT)

    def learn(self, asked: float, there: float, heard: float) -> None:
        """Take an exchange: when we asked and heard, by our clock, and what the node said."""
        self._exchanges.append((asked, there, heard))

    def earliest(self, there: float) -> float:
        """Return the earliest moment of ours at which the node's clock can have shown this."""
        if self._same or not self._exchanges:
            return there
        shown = [(asked - at, abs(there - at)) for asked, at, _ in list(self._exchanges)]
        return there + max(offset - DRIFT * age for offset, age in shown)

    def latest(self, there: float) -> float:
        """Return the latest moment of ours at which the node's clock can have shown this."""
        if self._same or not self._exchanges:
            return there
        shown = [(heard - at, abs(there - at)) for _, at, heard in list(self._exchanges)]
        return there + min(offset + DRIFT * age for offset, age in shown)
