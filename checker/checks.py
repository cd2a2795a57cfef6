"""What a check is: a question to a history, and the levels of its answer.

A check does not say yes or no. It says which of its levels hold: linearizable, or at least
sequential, say. What was asked of the store (a system promises a level; `--expect` may ask for
another) is compared with that by the harness.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from partita.checker.history import History
from partita.checker.verdict import Counterexample, Validity


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check found out about one history.

    `levels` has an answer for each level that was asked for. `found` says for a level that does
    not hold which operations contradict it. `reason` says why a level is unknown, or, if not
    `applies`, why the check has nothing to say about such a history: then `levels` is empty.
    `figures` is what the check knows besides, ready for JSON; `seconds` its own time.
    `default` is the level that the check asks of such a history where that is not the usual one,
    and `notes` what a reader should know of how it was decided.
    """

    check: str
    levels: Mapping[str, Validity]
    found: Mapping[str, Counterexample] = field(default_factory=dict)
    reason: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    applies: bool = True
    engine: str = ""
    model: str = ""
    keys: int = 0
    default: str | None = None
    notes: tuple[str, ...] = ()

    def holds(self) -> str | None:
        """Return the strongest level that holds, None if none does or nobody knows."""
        return next((level for level, answer in self.levels.items() if answer is True), None)


class Check(Protocol):
    """A question to a history."""

    @property
    def name(self) -> str:
        """What results, options and pages call it."""

    @property
    def levels(self) -> tuple[str, ...]:
        """What it can tell apart, the strongest first."""

    @property
    def default(self) -> str | None:
        """The level that is asked for where no system says what it promises; None: none is."""

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        """Find out which of these levels hold; the strongest first in the answer."""


@runtime_checkable
class HasNames(Protocol):
    """A check whose levels have further names: abbreviations, say."""

    def named(self, name: str) -> str | None:
        """Return the level that a name means, None if it means none."""


@runtime_checkable
class Recognises(Protocol):
    """A check (its class) that tells its own kind of history from others."""

    def recognises(self, history: History) -> bool:
        """Say whether a history of which nothing else is said is for this check to judge."""


@runtime_checkable
class HasLimits(Protocol):
    """A check that can be told to give up."""

    def within(self, time_limit: float | None, memory_limit: int | None) -> "Check":
        """Return a check that is unknown after so many seconds, or at so many bytes in all."""


class Limits(Protocol):
    """What a check's figures may come to. The options are the parameters of its constructor."""

    def missed(self, figures: Mapping[str, Any]) -> Sequence[str]:
        """Say in a sentence each what is missed; what was not measured is missed too."""


@runtime_checkable
class HasThresholds(Protocol):
    """A check that brings thresholds for its figures along: options of runs that it judges."""

    @property
    def thresholds(self) -> Callable[..., Limits]:
        """What makes its limits, of which None, the default, means: not asked for."""
