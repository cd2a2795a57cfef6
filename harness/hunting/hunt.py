"""From a seed to the shortest run that fails: looks, measures, shrinks, and measures again."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from partita.harness.hunting.shrinking import (
    Result,
    Shrinker,
    Smaller,
    StoppedError,
    Trial,
    attempts,
    last_blocks,
)
from partita.harness.hunting.tries import EndedByUserError, Tries

RUNS_MAX = 10  # by which a rate is measured
ENOUGH, SELDOM = 3, 2  # a trial is worth shrinking if so many runs fail before so many pass
GOOD_RATE = 0.7  # a short command that fails less often is given up for a longer one
LOOKING = 0.4  # of the budget, within which a failure is looked for that comes often
KEPT = 0.5  # of what is then left, which measuring leaves for the rest


@dataclass(slots=True)
class Found:
    """A trial that fails: of how many runs how many did, and what is known of the last of these.

    `what` says how it came from the trial that was drawn, if it is not that.
    """

    trial: Trial
    seed: int
    failed: int = 0
    runs: int = 0
    run: str | None = None
    violated_s: float | None = None
    what: str = ""

    @property
    def rate(self) -> float:
        return self.failed / self.runs if self.runs else 0.0

    def count(self, result: Result) -> None:
        """Count one run more."""
        self.runs += 1
        if result.failed:
            self.failed += 1
            self.run, self.violated_s = result.run, result.violated_s


@dataclass(slots=True)
class Findings:
    """What a hunt led to: the trial that failed first, and the shortest one, by the steps.

    The steps begin with the trial of `seed`, which may be a later one than the first.
    `stopped` says why it ended before it was through, None if it did not.
    """

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

    `draw(seed)` returns what is to be tried. `by_role(trial, run)` returns a trial that leaves
    less to chance than the one of which this is a run, or the same. `possible(seed, trial)` says
    whether it can be carried out. `simpler` are options with smaller values, see `Shrinker`.
    If it `shrinks` not, it ends at the first that fails.
    `ahead` is for how many seeds more runs may begin while one is looked at.
    """

    def __init__(
        self,
        tries: Tries,
        draw: Callable[[int], Trial],
        by_role: Callable[[Trial, str], Trial],
        possible: Callable[[int, Trial], bool],
        simpler: Sequence[tuple[str, Sequence[Any]]],
        told: Told,
        *,
        shrinks: bool = True,
        ahead: int = 0,
    ) -> None:
        self.findings = Findings()
        self._tries = tries
        self._budget = tries.budget
        self._draw = draw
        self._by_role = by_role
        self._possible = possible
        self._simpler = simpler
        self._told = told
        self._shrinks = shrinks
        self._ahead = ahead
        self._failing: list[Found] = []

    def run(self, seeds: Iterable[int]) -> Findings:
        """Do it all. Neither the end of the budget nor Ctrl-C raises anything."""
        try:
            self._look(seeds)
            if self._failing and self._shrinks:
                start = self._start()
                self._shrink(start)
                self._choose(start)
        except StoppedError as stopped:
            self.findings.stopped = str(stopped)
        except KeyboardInterrupt:  # between two runs
            self.findings.stopped = str(EndedByUserError())
        return self.findings

    def _look(self, seeds: Iterable[int]) -> None:
        """Try seeds until one fails often, or one fails at all and it is time to go on with it."""
        source, begun = iter(seeds), deque[int]()
        while True:
            if self._failing and (self._best().rate >= GOOD_RATE or self._budget.used > LOOKING):
                return
            for each in islice(source, self._ahead + 1 - len(begun)):
                begun.append(each)
                self._tries.begin(each, self._draw(each))
            if not begun:
                return
            seed = begun.popleft()
            found = Found(self._draw(seed), seed)
            found.count(self._tries.do("look", seed, found.trial))
            if found.failed:
                self._failing.append(found)
                self.findings.first = self.findings.first or found
                self.findings.smallest = self._best()
                if not self._shrinks:
                    return
                with self._leaving(KEPT * self._budget.left_s):
                    self._weigh(found)

    def _weigh(self, found: Found) -> None:
        """Measure what failed, or what takes less of it, or the same with less left to chance.

        Most violations come of the last faults before them, and short runs are many in a time.
        """
        named = self._named(found)
        for trial in last_blocks(named, found.violated_s):
            if self._possible(found.seed, trial):
                short = self._measured(found, trial, "only the last faults before the violation")
                if short.rate >= GOOD_RATE:
                    return
        self._measure_briefly(found)
        if found.rate < GOOD_RATE and (named := self._named(found)) != found.trial:
            self._measured(found, named, "the leader named where chance had met it")

    def _named(self, found: Found) -> Trial:
        if found.run is None:
            return found.trial
        named = self._by_role(found.trial, found.run)
        return named if self._possible(found.seed, named) else found.trial

    def _measured(self, found: Found, trial: Trial, what: str) -> Found:
        """Measure a trial that came from one that failed."""
        other = Found(trial, found.seed, run=found.run, what=what)
        self._measure_briefly(other)
        self._failing += [other] if other.failed else []
        return other

    def _measure_briefly(self, found: Found) -> None:
        while found.failed < ENOUGH and found.runs - found.failed < SELDOM:
            self._again(found)
        self._told.measured(found)

    def _best(self) -> Found:
        """Return what fails most often, as far as its runs show, or else the shortest."""
        return max(
            self._failing,
            key=lambda found: (found.failed / (found.runs + 1), -found.trial.time_limit),
        )

    def _start(self) -> Found:
        start = self.findings.smallest = self._best()
        if start.what:
            self._step(start, Smaller(start.what, start.trial, start.failed, start.runs, start.run))
        return start

    def _shrink(self, start: Found) -> None:
        shrinker = Shrinker(
            start.trial,
            lambda trial: self._tries.do("shrink", start.seed, trial),
            attempts=attempts(start.failed, start.runs),
            possible=lambda trial: self._possible(start.seed, trial),
            simpler=self._simpler,
            told=lambda smaller: self._step(start, smaller),
        )
        measuring_s = RUNS_MAX * self._tries.cost_s(start.trial)
        note = "before all was tried that makes it shorter"
        with self._leaving(min(self._budget.left_s / 3, measuring_s), note):
            shrinker.shrink(start.violated_s)

    def _step(self, start: Found, smaller: Smaller) -> None:
        self.findings.steps.append(smaller)
        self.findings.smallest = Found(
            smaller.trial, start.seed, smaller.failed, smaller.runs, smaller.run
        )
        self._told.smaller(smaller)

    def _choose(self, start: Found) -> None:
        """Measure the shortest run; go back to a longer one as long as it fails too seldom."""
        wanted = min(GOOD_RATE, start.rate)
        steps = [step for step in self.findings.steps if step.trial != start.trial]
        measured: list[Found] = []
        try:
            for step in reversed(steps):
                measured.append(Found(step.trial, start.seed, run=step.run))
                self._measure(measured[-1], wanted)
                if measured[-1].rate >= wanted:
                    return
            self._measure(start, 0.0)
        finally:
            if known := [each for each in [*measured, start] if each.runs]:
                self.findings.smallest = _chosen(known, wanted)
                self._told.measured(self.findings.smallest)

    def _measure(self, found: Found, wanted: float) -> None:
        while found.runs < RUNS_MAX and _may_reach(found, wanted):
            self._again(found)

    def _again(self, found: Found) -> None:
        found.count(self._tries.do("rate", found.seed, found.trial))

    @contextmanager
    def _leaving(self, seconds: float, note: str | None = None) -> Iterator[None]:
        """Do what the block says as long as so much of the budget is left; go on behind it."""
        self._budget.reserve_s = seconds
        try:
            yield
        except EndedByUserError:
            raise
        except StoppedError as stopped:
            self.findings.stopped = f"{stopped}, {note}" if note else None
        finally:
            self._budget.reserve_s = 0.0


def _may_reach(found: Found, wanted: float) -> bool:
    """Say whether it can still fail in the wanted share of all runs."""
    return (found.failed + RUNS_MAX - found.runs) / RUNS_MAX >= wanted


def _chosen(measured: Sequence[Found], wanted: float) -> Found:
    """Return the first that fails often enough, else the one that fails most often."""
    good = [each for each in measured if each.rate >= wanted]
    return good[0] if good else max(measured, key=lambda each: each.rate)
