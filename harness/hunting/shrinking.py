"""Makes a failing run shorter, by trying what is left when something is left out. Runs nothing.

Whether a shorter run fails too is asked of an oracle, which may err: a run that fails now and then
may pass in the one moment when it is asked. So each step is tried as often as the rate of the
failing run makes useful, and taken at the first failure.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from partita.nemesis.blocks import Block, together

TAIL_S = 2.0  # of peace that a run is left with after its last heal
UNDISTURBED_S = 8.0  # of a run without any fault
LAST_MAX = 3  # so many blocks before a violation are tried alone
ATTEMPTS_MAX = 5
MISSED = 0.05  # how often a step that keeps the rate may be missed
_T = TypeVar("_T")


class StoppedError(Exception):
    """Nothing more is to be run: one line that says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is run: a schedule in blocks, seconds, and options that differ from those asked for."""

    blocks: tuple[Block, ...]
    time_limit: float
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def faults(self) -> int:
        return sum(block.faults for block in self.blocks)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run: whether it failed, when the violation was complete, its directory."""

    failed: bool
    violated_s: float | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class Smaller:
    """A step that was taken: what was done, what it led to, how often that failed, and where."""

    what: str
    trial: Trial
    failed: int
    runs: int
    run: str | None


Oracle = Callable[[Trial], Result]


def attempts(failed: int, runs: int) -> int:
    """Return how often a step is tried whose run fails as often as `failed` of `runs`."""
    if failed >= runs:
        return 1
    if failed == 0:
        return ATTEMPTS_MAX
    return min(ATTEMPTS_MAX, math.ceil(math.log(MISSED) / math.log(1 - failed / runs)))


def fewest(parts: Sequence[_T], fails: Callable[[Sequence[_T]], bool]) -> Sequence[_T]:
    """Return as few parts as still fail, but one, by delta debugging (Zeller, Hildebrandt 2002).

    First halves are left out, then smaller and smaller pieces, and at the end each part alone.
    """
    pieces = 2
    while len(parts) >= 2:
        size = math.ceil(len(parts) / pieces)
        for begin in range(0, len(parts), size):
            rest = [*parts[:begin], *parts[begin + size :]]
            if rest and fails(rest):
                parts, pieces = rest, max(pieces - 1, 2)
                break
        else:
            if pieces >= len(parts):
                break
            pieces = min(len(parts), 2 * pieces)
    return parts


def last_blocks(trial: Trial, until: float | None) -> Iterator[Trial]:
    """Yield trials with only the last one, two and three blocks that began before a moment.

    These begin at once. What would take more than half as long as the trial is left out.
    """
    begun = [block for block in trial.blocks if until is not None and block.at < until]
    for count in range(1, min(LAST_MAX, len(begun)) + 1):
        short = _until(trial, together(begun[-count:]))
        if 2 * short.time_limit <= trial.time_limit:
            yield short


class Shrinker:
    """Shrinks a failing trial; `taken` are the steps so far, and `best` is where they led to.

    `possible` says whether a trial can be carried out at all. `simpler` are options with smaller
    values, the smallest first. `told` is called with each step that is taken.
    """

    def __init__(
        self,
        trial: Trial,
        oracle: Oracle,
        *,
        attempts: int,
        possible: Callable[[Trial], bool],
        simpler: Sequence[tuple[str, Sequence[Any]]],
        told: Callable[[Smaller], None],
    ) -> None:
        self.best = trial
        self.taken: list[Smaller] = []
        self._oracle = oracle
        self._attempts = attempts
        self._possible = possible
        self._simpler = simpler
        self._told = told
        self._violated_s: float | None = None

    def shrink(self, violated_s: float | None) -> None:
        """Try all that makes it shorter, the cheapest first. The oracle's `StoppedError` passes."""
        self._violated_s = violated_s
        self._cut_off()
        self._drop_faults()
        self._move_together()
        self._hurry()
        self._drop_steps()
        self._simplify()
        self._cut_off()

    def _cut_off(self) -> None:
        """Leave out what began after the violation. Its time is a hint, tried and not believed."""
        until = self._violated_s
        if until is None:
            return
        kept = tuple(block for block in self.best.blocks if block.at < until)
        end = max([until, *(block.end for block in kept)]) + TAIL_S
        if len(kept) < len(self.best.blocks) or end < self.best.time_limit - 1:
            self._try("cut off after the violation", _over(self.best, kept, end))

    def _drop_faults(self) -> None:
        """Let each run end soon after its last heal: most of the time of a hunt is that of runs."""
        undisturbed = _over(self.best, (), UNDISTURBED_S)
        if not self.best.blocks or self._try("no fault at all", undisturbed):
            return
        fewest(
            self.best.blocks, lambda blocks: self._try("fewer faults", _until(self.best, blocks))
        )

    def _move_together(self) -> None:
        moved = _until(self.best, together(self.best.blocks))
        if moved.time_limit < self.best.time_limit - 1:
            self._try("moved together", moved)

    def _hurry(self) -> None:
        """Let each block last half as long, in a run that is shorter by as much."""
        for number in range(len(self.best.blocks)):
            blocks = list(self.best.blocks)
            before = blocks[number]
            blocks[number] = before.halved()
            saved = before.end - blocks[number].end
            later = [block.moved(block.at - saved) for block in blocks[number + 1 :]]
            if saved >= 0.5:
                hurried = (*blocks[: number + 1], *later)
                self._try("shorter faults", _over(self.best, hurried, self.best.time_limit - saved))

    def _drop_steps(self) -> None:
        """Leave out single steps, but for the heal at the end: all is healed at the end anyway."""
        for number in range(len(self.best.blocks)):
            steps = self.best.blocks[number].steps
            step = len(steps) - (1 if steps[-1].begins else 2)
            while step >= 0:
                blocks = list(self.best.blocks)
                blocks[number] = blocks[number].without(step)
                if blocks[number].faults:
                    self._try("fewer steps", self._with(tuple(blocks)))
                step = min(step, len(self.best.blocks[number].steps)) - 1

    def _simplify(self) -> None:
        for name, values in self._simpler:
            for value in values:
                options = {**self.best.options, name: value}
                # Less load may only make the failure more seldom, so that once is not enough.
                if self._try(f"{name} {value}", replace(self.best, options=options), failures=2):
                    break

    def _with(self, blocks: tuple[Block, ...]) -> Trial:
        return replace(self.best, blocks=blocks)

    def _try(self, what: str, trial: Trial, failures: int = 1) -> bool:
        """Run a smaller trial until it fails so often, while that is useful; take it if it does."""
        if trial == self.best or not self._possible(trial):
            return False
        failed = passed = 0
        while failed < failures:
            result = self._oracle(trial)
            if result.failed:
                failed += 1
            else:
                passed += 1
            if passed == self._attempts:
                return False
        self.best = trial
        self._violated_s = result.violated_s
        self.taken.append(Smaller(what, trial, failed, failed + passed, result.run))
        self._told(self.taken[-1])
        return True


def _until(trial: Trial, blocks: Sequence[Block]) -> Trial:
    """Return the trial with these blocks alone, which ends soon after the last of them."""
    end = max((block.end for block in blocks), default=TAIL_S)
    return _over(trial, tuple(blocks), end + TAIL_S)


def _over(trial: Trial, blocks: tuple[Block, ...], end: float) -> Trial:
    return replace(trial, blocks=blocks, time_limit=min(trial.time_limit, _up(end)))


def _up(seconds: float) -> float:
    """Round up to half a second, which reads better."""
    return math.ceil(2 * seconds) / 2
