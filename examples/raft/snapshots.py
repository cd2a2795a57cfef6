"""Snapshots: the state at a place of the log, in place of all entries up to there.

After section 7 of the Raft paper, in the simpler of its two ways: the leader alone takes snapshots,
and sends them to all others. They go in pieces, as in the paper's figure 13, so that none is too
large a message for a slow network.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

PIECE = 1 << 16  # characters


class State(Protocol):
    """What the entries of the log change."""

    def apply(self, command: dict[str, Any], index: int) -> Any:
        """Carry out the command at a place of the log; return what to answer."""

    def dump(self) -> str:
        """Return all that there is, as text."""

    def load(self, text: str) -> None:
        """Take what `dump` returned, in place of all that there was."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after the entry at `index`, which is of `term`, and who the members are then."""

    index: int
    term: int
    members: Mapping[str, str]
    state: str

    def piece(self, offset: int) -> dict[str, Any]:
        """Return the piece that begins there, and what it is a piece of."""
        state = self.state[offset : offset + PIECE]
        return asdict(self) | {"state": state, "offset": offset, "whole": len(self.state)}


class Arriving:
    """A snapshot that arrives piece by piece."""

    def __init__(self) -> None:
        self._of = (0, 0)
        self._state = ""

    def take(self, piece: dict[str, Any], leader_term: int) -> Snapshot | None:
        """Add a piece, if it is the next one; return the snapshot if that was the last.

        Two leaders may write down the same state in different words, so their pieces do not mix.
        """
        of = piece["index"], leader_term
        if of != self._of:
            self._of, self._state = of, ""
        if piece["offset"] == len(self._state):
            self._state += piece["state"]
        if len(self._state) < piece["whole"]:
            return None
        return Snapshot(piece["index"], piece["term"], piece["members"], self._state)

    @property
    def length(self) -> int:
        """How much of it is here."""
        return len(self._state)
