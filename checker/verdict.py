"""What a check says, and what an engine says to it of one key."""

import time
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from partita.checker import _native

Validity = Literal[True, False, "unknown"]
Mismatch = Literal["observe", "ignore"]


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
    acknowledged, lost, recovered and unexpected elements), `notes` what a reader should know of
    how it was decided.
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
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Limits:
    """When an engine must give up and say unknown.

    `deadline` is a moment of `time.monotonic`. `memory_bytes` is what the whole process may
    hold (its resident set), so that keys checked side by side share one limit. `stop` has one
    element, which another thread sets to 1 to make engines return at once (Ctrl-C).
    """

    deadline: float | None = None
    memory_bytes: int | None = None
    stop: npt.NDArray[np.uint8] | None = None

    def reached(self) -> str | None:
        """Say which limit is reached, None if none is."""
        if self.stop is not None and self.stop[0]:
            return "interrupted"
        if self.deadline is not None and time.monotonic() > self.deadline:
            return "time limit reached"
        if self.memory_bytes is not None and _native.resident_bytes() > self.memory_bytes:
            return "memory limit reached"
        return None


@dataclass(frozen=True, slots=True)
class Finding:
    """What an engine found about one key.

    `operations` are the history's indexes of operations that contradict each other and
    `explanation` says why (invalid only). `reason` says why unknown is unknown, and `proven`
    up to which event: all events of this key with a smaller rank are linearizable. `note` says
    why a quicker engine did not decide it.
    """

    valid: Validity
    operations: tuple[int, ...] = ()
    explanation: str = ""
    reason: str | None = None
    proven: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    note: str = ""
