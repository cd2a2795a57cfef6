"""Runs trials one after another, within a budget; each is a row of the table of what was tried."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from partita.checker import History
from partita.checker.history import NEVER
from partita.harness.cli import HARNESS_FAILED, code_of, said
from partita.harness.hunting.shrinking import Result, StoppedError, Trial
from partita.harness.run.gate import FAILED, exit_code
from partita.nemesis.blocks import text_of

Options = Mapping[str, Any]
OVERHEAD_S = 5.0  # what a run takes beyond its load, until it is known
BROKEN_MAX = 3  # so many runs in a row that could not be made are no accident


class EndedByUserError(StoppedError):
    """Whoever started it wants no more."""

    def __init__(self) -> None:
        super().__init__("interrupted")


@dataclass(frozen=True, slots=True)
class Row:
    """One run: why it was made ("look", "rate" or "shrink"), what it was, what came of it."""

    number: int
    purpose: str
    seed: int
    schedule: str
    faults: int
    time_limit: float
    options: Mapping[str, Any]
    valid: Any
    failed: bool
    reason: str | None
    seconds: float
    run: str | None


@dataclass(slots=True)
class Budget:
    """Seconds for all runs together, of which some may be kept back for what comes later."""

    seconds: float
    began: float = field(default_factory=time.monotonic)
    reserve_s: float = 0.0

    @property
    def left_s(self) -> float:
        return self.began + self.seconds - time.monotonic()

    @property
    def used(self) -> float:
        """Which share of it is over."""
        return 1 - self.left_s / self.seconds

    def require(self, seconds: float) -> None:
        """Raise `StoppedError` if so much is not left."""
        if seconds > self.left_s - self.reserve_s:
            raise StoppedError(f"the budget of {self.seconds:g} s is used up")


class Tries:
    """Does runs and keeps a row of each. `options` are those of the hunt's line.

    `conduct(options)` does one run and returns its results; `told(row)` is called after each.
    `begin(options)` lets a run begin elsewhere that will be asked for soon.
    """

    def __init__(
        self,
        options: Options,
        conduct: Callable[[Options], Mapping[str, Any]],
        budget: Budget,
        told: Callable[[Row], None],
        begin: Callable[[Options], None] | None = None,
    ) -> None:
        self.rows: list[Row] = []
        self.budget = budget
        self._options = options
        self._conduct = conduct
        self._told = told
        self._begin = begin
        self._overhead_s = OVERHEAD_S
        self._broken = 0
        self._ended = False  # by Ctrl-C, in a run that had failed by then

    def do(self, purpose: str, seed: int, trial: Trial) -> Result:
        """Do one run. Raises `StoppedError` if the budget does not allow it, or on Ctrl-C."""
        if self._ended:
            raise EndedByUserError
        if self.rows:  # one is always made
            self.budget.require(self.cost_s(trial))
        began = time.monotonic()
        outcome = self._outcome(self.options_of(seed, trial))
        seconds = time.monotonic() - began
        self._overhead_s = max(self._overhead_s, min(seconds - trial.time_limit, OVERHEAD_S * 2))
        failed = outcome.get("error") is None and exit_code(outcome) == FAILED
        row = Row(
            number=len(self.rows) + 1,
            purpose=purpose,
            seed=seed,
            schedule=text_of(trial.blocks),
            faults=trial.faults,
            time_limit=trial.time_limit,
            options=dict(trial.options),
            valid=outcome["valid"],
            failed=failed,
            reason=_reason(outcome),
            seconds=round(seconds, 1),
            run=outcome["run"],
        )
        self.rows.append(row)
        self._told(row)
        self._ended = bool(outcome.get("interrupted"))
        if self._ended and not failed:
            raise EndedByUserError
        return Result(failed, _violated_s(outcome) if failed else None, row.run)

    def begin(self, seed: int, trial: Trial) -> None:
        """Let a run begin that will be asked for soon, if it can, and if the budget allows it."""
        if self._begin and self.cost_s(trial) <= self.budget.left_s - self.budget.reserve_s:
            self._begin(self.options_of(seed, trial))

    def cost_s(self, trial: Trial) -> float:
        """Return about how many seconds a run of the trial takes."""
        return trial.time_limit + self._overhead_s

    def options_of(self, seed: int, trial: Trial) -> dict[str, Any]:
        """Return the options of the run that a trial is."""
        return {
            **self._options,
            **trial.options,
            "nemesis": None,
            "nemesis_interval": None,
            "schedule": text_of(trial.blocks) or None,
            "time_limit": trial.time_limit,
            "seed": seed,
        }

    def _outcome(self, options: Options) -> Mapping[str, Any]:
        """Do a run. One that could not be made is told; several in a row end the hunt."""
        try:
            outcome = self._conduct(options)
        except KeyboardInterrupt:
            raise EndedByUserError from None
        except Exception as error:
            self._broken += 1
            if code_of(error) != HARNESS_FAILED or self._broken == BROKEN_MAX:
                raise
            return {"valid": "unknown", "error": said(error), "run": None}
        self._broken = 0
        return outcome


def _reason(outcome: Mapping[str, Any]) -> str | None:
    sentences = [outcome.get("error") or outcome.get("reason"), *outcome.get("missed", ())]
    return "; ".join(filter(None, sentences)) or None


def _violated_s(outcome: Mapping[str, Any]) -> float | None:
    """Return the second of the run at which the last operation of the violation was complete."""
    rows = (outcome.get("verdict") or {}).get("counterexample")
    path = Path(outcome["run"] or "") / "history.jsonl"
    if not rows or not path.exists():  # a run elsewhere may have left it there
        return None
    history = History.read(path)
    ends = [int(history.completed_ns[row]) for row in rows]
    known = [end for end in ends if end != NEVER]
    return max(known) / 1e9 if known else None
