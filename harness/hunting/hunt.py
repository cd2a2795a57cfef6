"""From a seed to the shortest run that fails: looks, measures, shrinks, and measures again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from partita.harness.hunting.shrinking import (
    Shrinker,
    Smaller,
    StoppedError,
    Trial,
    attempts,
)
from partita.harness.hunting.tries import EndedByUserError, Tries

RUNS_MAX = 10  # by which a rate is measured
SURE = 3  # so many failures without a pass, and a run is taken to fail always
LEFT_FOR_SHRINKING = 0.75  # of the budget that is left, when the first rate is measured
GOOD_RATE = 0.7  # a short command that fails less often is given up for a longer one


@dataclass(slots=True)
class Found:
    """A trial that fails: how often it did, of how many runs, and the directory of the last."""

    trial: Trial
    seed: int
    failed: int = 0
    runs: int = 0
    run: str | None = None

    @property
    def rate(self) -> float:
        return self.failed / self.runs if self.runs else 0.0


@dataclass(slots=True)
class Findings:
    """What a hunt led to. `stopped` says why it ended before it was through, None if it did not."""

    first: Found | None = None
    smallest: Found | None = None
    steps: list[Smaller] = field(default_factory=list)
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what, as the hunt goes on."""

    measured: Callable[[Found], None]
    smaller: Callable[[Smaller], None]


class Hunt:
    """Hunts until something fails or all seeds were tried; `findings` are good at any moment.

    `draw(seed)` returns what is to be tried, `possible(seed, trial)` says whether a trial can be
    carried out. `simpler` are options with smaller values, see `Shrinker`.
    """

    def __init__(
        self,
        tries: Tries,
        draw: Callable[[int], Trial],
        possible: Callable[[int, Trial], bool],
        simpler: Sequence[tuple[str, Sequence[Any]]],
        told: Told,
    ) -> None:
        self.findings = Findings()
        self._tries = tries
        self._draw = draw
        self._possible = possible
        self._simpler = simpler
        self._told = told
        self._violated_s: float | None = None

    def run(self, seeds: Iterable[int]) -> Findings:
        """Do it all. Neither the end of the budget nor Ctrl-C raises anything."""
        try:
            self._look(seeds)
            if self.findings.first:
                self._measure_first(self.findings.first)
                self._shrink(self.findings.first)
                self._choose(self.findings.first)
        except StoppedError as stopped:
            self.findings.stopped = str(stopped)
        return self.findings

    def _look(self, seeds: Iterable[int]) -> None:
        for seed in seeds:
            trial = self._draw(seed)
            result = self._tries.do("look", seed, trial)
            if result.failed:
                self._violated_s = result.violated_s
                self.findings.first = self.findings.smallest = Found(trial, seed, 1, 1, result.run)
                return

    def _measure_first(self, first: Found) -> None:
        """See how often it fails, which says how often a step is to be tried."""
        budget = self._tries.budget
        budget.reserve_s = budget.left_s * LEFT_FOR_SHRINKING
        try:
            while first.runs < RUNS_MAX and not first.runs == first.failed == SURE:
                self._again(first)
        except EndedByUserError:
            raise
        except StoppedError:  # its share of the budget is used up: what is known must do
            pass
        budget.reserve_s = 0.0
        self._told.measured(first)

    def _shrink(self, first: Found) -> None:
        budget = self._tries.budget
        budget.reserve_s = min(budget.left_s / 3, RUNS_MAX * self._tries.cost_s(first.trial))
        shrinker = Shrinker(
            first.trial,
            lambda trial: self._tries.do("shrink", first.seed, trial),
            attempts=attempts(first.failed, first.runs),
            possible=lambda trial: self._possible(first.seed, trial),
            simpler=self._simpler,
            told=self._step,
        )
        try:
            shrinker.shrink(self._violated_s)
        except EndedByUserError:
            raise
        except StoppedError as stopped:
            self.findings.stopped = f"{stopped}, before all was tried that makes it shorter"
        budget.reserve_s = 0.0

    def _step(self, smaller: Smaller) -> None:
        first = self.findings.first
        assert first is not None
        self.findings.steps.append(smaller)
        self.findings.smallest = Found(
            smaller.trial, first.seed, smaller.failed, smaller.runs, smaller.run
        )
        self._told.smaller(smaller)

    def _choose(self, first: Found) -> None:
        """Measure the shortest run; go back to a longer one as long as it fails too seldom."""
        wanted = min(GOOD_RATE, first.rate)
        measured: list[Found] = []
        try:
            for step in reversed(self.findings.steps):
                measured.append(Found(step.trial, first.seed, run=step.run))
                self._measure(measured[-1], wanted)
                if measured[-1].rate >= wanted:
                    break
        finally:
            if known := [each for each in measured if each.runs]:
                self.findings.smallest = _chosen([*known, first], wanted)
                self._told.measured(self.findings.smallest)

    def _measure(self, found: Found, wanted: float) -> None:
        while found.runs < RUNS_MAX and _may_reach(found, wanted):
            self._again(found)

    def _again(self, found: Found) -> None:
        result = self._tries.do("rate", found.seed, found.trial)
        found.failed += result.failed
        found.runs += 1
        found.run = result.run if result.failed else found.run


def _may_reach(found: Found, wanted: float) -> bool:
    """Say whether it can still fail in the wanted share of all runs."""
    return (found.failed + RUNS_MAX - found.runs) / RUNS_MAX >= wanted


def _chosen(measured: Sequence[Found], wanted: float) -> Found:
    """Return the first that fails often enough, else the one that fails most often."""
    good = [each for each in measured if each.rate >= wanted]
    return good[0] if good else max(measured, key=lambda each: each.rate)
