"""What a check says, and what an engine says to it of one key."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from partita.checker import _native

if TYPE_CHECKING:
    from partita.checker.history import History

Validity = Literal[True, False, "unknown"]
Mismatch = Literal["observe", "ignore"]


class LimitReached(Exception):
    """A limit was reached before there was an answer: its text says which."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How far a history can be put in order: the events of smaller rank than `end`.

    `last` are the operations that stand last in such an order, and `stuck` those that were over at
    the event `end`, and cannot follow.
    """

    end: int
    last: tuple[int, ...]
    stuck: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest set of operations found that contradict each other.

    `operations` are indexes into the history; `explanation` says in English why no order of
    them is possible. `beginning` is there where somebody asked for it (see `Order.beginning`).
    """

    operations: tuple[int, ...]
    explanation: str
    key: Any = None
    beginning: Beginning | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """An order of operations that the model allows and that respects real time.

    `rows` are the operations of `history` in that order; a crashed one that is not there did not
    happen. That of a history that is not linearizable is of a beginning of it, the longest that was
    found to be: `history` is then what was known just before the event `end`, where operations
    that were not over have no outcome. `stuck` are the operations that were over at that event, and
    cannot follow. If time ran out, a longer beginning may have an order, too: then it is not the
    `longest` for certain.
    """

    history: "History"
    rows: npt.NDArray[np.int64]
    stuck: tuple[int, ...] = ()
    end: int | None = None
    longest: bool = True

    def beginning(self, shown: int) -> Beginning | None:
        """Return how it ends on the key on which nothing can follow: its last few operations."""
        if self.end is None or not self.stuck or not self.longest:
            return None
        own = self.rows[self.history.key[self.rows] == self.history.key[self.stuck[0]]]
        return Beginning(self.end, tuple(own[-shown:].tolist()), self.stuck)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a history is linearizable, who says so, and why.

    `seconds` is the time of the check alone. `reason` says why an unknown verdict is unknown.
    `details` holds what an engine knows besides (the append engine: the counts of
    acknowledged, lost, recovered and unexpected elements), `notes` what a reader should know of
    how it was decided. `order` proves it.
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
    find_order: Callable[[], Order | str] | None = field(default=None, repr=False, compare=False)

    @property
    def order(self) -> Order | None:
        """An order that proves the verdict valid, of an invalid one as far as there is one.

        It is looked for when it is asked for, which may take some times as long as the check, but
        no longer than the check was allowed to. None if there is none: `why_no_order` says why.
        """
        found = self.find_order() if self.find_order else None
        return found if isinstance(found, Order) else None

    @property
    def why_no_order(self) -> str | None:
        """Why there is no order: the verdict is unknown, say, or a limit was reached."""
        found = self.find_order() if self.find_order else "nobody asked whether it is linearizable"
        return found if isinstance(found, str) else None


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
    `explanation` says why (invalid only). `beside` are others that did nothing, but whoever looks
    wants to see them: what was said to have failed, and was met all the same. `reason` says why
    unknown is unknown, and `proven` up to which event: all events of this key with a smaller rank
    are linearizable. `note` says why a quicker engine did not decide it.
    """

    valid: Validity
    operations: tuple[int, ...] = ()
    explanation: str = ""
    reason: str | None = None
    proven: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    beside: tuple[int, ...] = ()
