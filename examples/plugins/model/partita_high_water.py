"""A model: a mark that only rises. `raise` lifts it to a number, `read` tells where it stands.

    partita check --model high-water history.jsonl

Epochs and fencing tokens are of this kind: a lower number changes nothing.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from partita.checker import ModelError, Op


@dataclass(frozen=True)
class HighWater:
    """A mark that only rises: `raise` lifts it to a number, `read` tells where it stands."""

    initial: int = 0
    name: str = "high-water"
    # Operations that never change the state. It may be left out; the search is quicker with it.
    reads: tuple[str, ...] = ("read",)

    def step(self, state: int, op: Op) -> Hashable | None:
        """Return the state after the operation, None if it cannot be that it was done here."""
        if op.f == "raise":
            return max(state, int(op.input))
        if op.f == "read":
            # Of a read that crashed ("info") nobody knows what it saw, so that it always fits.
            return state if op.outcome == "info" or op.output == state else None
        raise ModelError(f"model high-water knows raise and read, not {op.f!r}")
