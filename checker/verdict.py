"""What a check says."""

from dataclasses import dataclass, field
from typing import Any, Literal

Validity = Literal[True, False, "unknown"]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest set of operations found that contradict each other.

    `operations` are indexes into the history; `explanation` says in English why no order of
    them is possible.
    """

    operations: tuple[int, ...]
    explanation: str
    key: Any = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a history is linearizable, who says so, and why.

    `seconds` is the time of the check alone. `reason` says why an unknown verdict is unknown.
    `details` holds what an engine knows besides (the append engine: the counts of
    acknowledged, lost, recovered and unexpected elements).
    """

    valid: Validity
    engine: str
    model: str
    operations: int
    keys: int
    seconds: float
    counterexample: Counterexample | None = None
    reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
