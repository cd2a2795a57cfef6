"""What is found out about one key, and the sentences that sets and counters share."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from partita.checker.convergence.looks import Looks
from partita.checker.explain import listed
from partita.checker.history import History
from partita.checker.verdict import Counterexample, Validity

_SECOND = 1e9


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the copies of one key are the same in the end, and why not, or why nobody knows."""

    answer: Validity
    figures: Mapping[str, Any]
    reason: str | None = None
    found: Counterexample | None = None


def unsettled(looks: Looks) -> str:
    """Say why nothing can be said of what nodes show."""
    if not looks.last:
        return "no node answered a final read"
    if looks.silent:
        return f"{listed(list(looks.silent))} answered no final read"
    if looks.healed < 0 or looks.until < 0:
        return "nodes differ at the end, and without times nobody knows how long they had"
    return "nodes differed still at the last look, which came too soon after a change"


def since_the_heal(looks: Looks) -> str:
    """Say how long nodes had to become the same."""
    healed = f"all was healed at {looks.healed / _SECOND:.3f} s"
    if looks.quiet_since == looks.healed:
        return healed[:1].upper() + healed[1:]
    return (
        f"All was healed by then, and nothing had changed since {looks.quiet_since / _SECOND:.3f} s"
    )


def seconds(history: History, row: int) -> str:
    """Say when a read was sent."""
    return f"{int(history.invoked_ns[row]) / _SECOND:.3f} s"
