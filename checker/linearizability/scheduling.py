"""Which engine looks at which key, where, and for how long.

First every key gets the engines that are made for its model, which are quick but do not apply to
every history. Those left undecided get the search, in rounds: in each round the same time for
every key, in the next one more, so that a key that takes for ever neither hides another key's
violation nor starves it. The last key that is left gets all the time there is.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import cpu_count
from typing import Final

import numpy as np

from partita.checker.explain import quoted
from partita.checker.history import History, IntColumn
from partita.checker.linearizability.engine import Declined, engines
from partita.checker.models.model import Model
from partita.checker.verdict import Finding, Limits, Mismatch

# How long a key may be searched in the first round, and how much longer in each later one.
_FIRST_BUDGET_S: Final = 0.5
_GROWTH: Final = 8

# Histories up to this length are first tried without threads, whose start costs more.
_SHORT: Final = 20_000
_SHORT_BUDGET_S: Final = 0.05

# Beyond the deadline, how long to wait for a model's step that no limit can interrupt.
_GRACE: Final = 0.05

# More than workers, so that they end at about the same time.
_REMOTE_BATCHES: Final = 64

_TIME: Final = "time limit reached"
_MEMORY: Final = "memory limit reached"

Found = tuple[str, Finding]
_Future = Future[list[Found | Declined]]


@dataclass(frozen=True, slots=True)
class Job:
    """What all keys have in common. `engines` are names, in the order to try them."""

    history: History
    model: Model
    engines: tuple[str, ...]
    limits: Limits
    mismatch: Mismatch
    own: Mapping[str, Model] = field(default_factory=dict)  # of keys that begin otherwise

    def model_of(self, rows: IntColumn) -> Model:
        """Return the model of the key whose operations these are."""
        if not self.own:
            return self.model
        key = quoted(self.history.decoded_key(self.history.key[rows[0]]))
        return self.own.get(key, self.model)


def decide(job: Job, keys: Sequence[IntColumn], executor: Executor | None) -> list[Found]:
    """Return for each key (its rows) the name of an engine and what it found.

    Keys that were not looked at, because another one is invalid, are unknown.
    """
    return _Keys(job, keys).decide(executor)


class _Keys:
    def __init__(self, job: Job, keys: Sequence[IntColumn]) -> None:
        self.job = job
        self.keys = keys
        self.quick = tuple(name for name in job.engines if not engines()[name].is_general)
        self.general = tuple(name for name in job.engines if engines()[name].is_general)
        self.found: dict[int, Found] = {}  # of open keys: what is known so far
        self.notes: dict[int, str] = {}  # why a quick engine declined
        self.untried = set(range(len(keys)))  # no engine looked at them yet
        self.open = set(range(len(keys)))  # an engine may still decide them

    def decide(self, executor: Executor | None) -> list[Found]:
        if executor is None and self._is_short():
            self._try_here()
        if self.open:
            with _pool(executor) as pool:
                self._run(pool)
        rest = (self.job.engines[-1], Finding("unknown", reason=self._why_open()))
        return [self._noted(at, *self.found.get(at, rest)) for at in range(len(self.keys))]

    def _noted(self, at: int, name: str, finding: Finding) -> Found:
        return name, replace(finding, note=self.notes[at]) if at in self.notes else finding

    def _is_short(self) -> bool:
        """Whether the limits can be obeyed here: nothing interrupts a step of a user's model."""
        ours = type(self.job.model).__module__.startswith("partita.checker.models.")
        return ours and sum(map(len, self.keys)) <= _SHORT

    def _try_here(self) -> None:
        deadline = self.job.limits.deadline
        until = time.monotonic() + _SHORT_BUDGET_S
        for at in sorted(self.open) if self.quick else ():
            task = _Task(self.job, self.quick, [], None)
            self._note(at, task.decide(self.keys[at], deadline), limited=False)
        for at in sorted(self.open):
            if time.monotonic() > until or self._is_invalid():
                return
            task = _Task(self.job, self.general, [], None)
            self._note(at, task.decide(self.keys[at], _sooner(deadline, until)), limited=True)

    def _run(self, pool: Executor) -> None:
        if self.quick:
            self._round(pool, self.quick, sorted(self.untried), None)
        if not self.general:
            return
        budget = _FIRST_BUDGET_S
        while self.open and not self._is_over():
            alone = len(self.open) == 1
            self._round(pool, self.general, sorted(self.open), None if alone else budget)
            budget *= _GROWTH
        # Side by side, a modest key may be stopped by the memory that another one takes.
        starved = [at for at, (_, each) in self.found.items() if each.reason == _MEMORY]
        for at in sorted(starved, key=lambda at: len(self.keys[at])) if len(self.keys) > 1 else []:
            if not self._is_over():
                self._round(pool, self.general, [at], None)

    def _is_over(self) -> bool:
        deadline = self.job.limits.deadline
        return self._is_invalid() or (deadline is not None and time.monotonic() >= deadline)

    def _is_invalid(self) -> bool:
        return any(finding.valid is False for _, finding in self.found.values())

    def _round(
        self, pool: Executor, names: tuple[str, ...], chosen: list[int], budget: float | None
    ) -> None:
        """Let the engines look at the chosen keys, each for so long."""
        futures: dict[_Future, list[int]] = {}
        is_search = names == self.general
        try:
            for batch in self._batches(chosen, pool):
                task = _Task(self.job, names, [self.keys[at] for at in batch], budget)
                futures[pool.submit(task if _shares_memory(pool) else task.packed())] = batch
            for future in self._completed(futures):
                for at, found in zip(futures[future], future.result(), strict=True):
                    self._note(at, found, limited=budget is not None)
                if is_search and self._is_invalid():
                    break
        finally:
            # Whoever leaves early (invalid, deadline, Ctrl-C) needs none of the others.
            if any(not future.done() for future in futures):
                self._stop(futures)

    def _batches(self, chosen: list[int], pool: Executor) -> Iterator[list[int]]:
        """Split keys into batches of similar length: a task for each would cost more than it."""
        count = 4 * (cpu_count() or 1) if _shares_memory(pool) else _REMOTE_BATCHES
        length = sum(len(self.keys[at]) for at in chosen) / count
        batch: list[int] = []
        for at in chosen:
            batch.append(at)
            if sum(len(self.keys[each]) for each in batch) >= length:
                yield batch
                batch = []
        if batch:
            yield batch

    def _completed(self, futures: Iterable[_Future]) -> Iterator[_Future]:
        """Yield futures as they complete, until the deadline."""
        left = set(futures)
        deadline = self.job.limits.deadline
        while left:
            patience = None
            if deadline is not None:
                patience = max(deadline - time.monotonic(), 0) + _GRACE
            done, left = wait(left, timeout=patience, return_when=FIRST_COMPLETED)
            if not done:
                return
            yield from done

    def _stop(self, futures: Iterable[_Future]) -> None:
        if self.job.limits.stop is not None:
            self.job.limits.stop[0] = 1
        for future in futures:
            future.cancel()

    def _note(self, at: int, found: Found | Declined, *, limited: bool) -> None:
        self.untried.discard(at)
        if isinstance(found, Declined):
            if found.note:
                self.notes[at] = found.note
            if not self.general:
                self.open.discard(at)
            return
        self.found[at] = found
        finding = found[1]
        if not (limited and finding.valid == "unknown" and finding.reason == _TIME):
            self.open.discard(at)

    def _why_open(self) -> str:
        if self._is_invalid():
            return "another key is invalid"
        if self.open:
            return _TIME
        return f"engine {self.job.engines[-1]} does not apply to these operations"


@dataclass(frozen=True, slots=True)
class _Task:
    """Some keys for one worker. `seconds` until the deadline, for a clock that is not ours."""

    job: Job
    engines: tuple[str, ...]
    keys: list[IntColumn]
    budget: float | None
    rows: IntColumn | None = None
    seconds: float | None = None

    def __call__(self) -> list[Found | Declined]:
        deadline = self.job.limits.deadline
        if self.seconds is not None:
            deadline = time.monotonic() + self.seconds
        found = []
        for rows in self.keys:
            budget = None if self.budget is None else time.monotonic() + self.budget
            found.append(self._unpacked(self.decide(rows, _sooner(deadline, budget))))
        return found

    def decide(self, rows: IntColumn, deadline: float | None) -> Found | Declined:
        job = self.job
        limits = replace(job.limits, deadline=deadline)
        notes = []
        model = job.model_of(rows)
        for name in self.engines:
            if job.own and not engines()[name].fits(model):
                continue
            decide = engines()[name].decide
            finding = decide(job.history, rows, model, limits, job.mismatch) or Declined()
            if isinstance(finding, Finding):
                return name, finding
            notes.append(finding.note)
        return Declined("; ".join(filter(None, notes)))

    def packed(self) -> "_Task":
        """Return a task that holds no more than its keys, for another process or machine.

        Operations that failed go with their keys, for explanations look at them.
        """
        history, limits = self.job.history, self.job.limits
        codes = np.unique(history.key[[rows[0] for rows in self.keys]])
        rows = np.flatnonzero(np.isin(history.key, codes))
        job = replace(self.job, history=history.select(rows), limits=replace(limits, stop=None))
        keys = [np.searchsorted(rows, each) for each in self.keys]
        seconds = None if limits.deadline is None else limits.deadline - time.monotonic()
        return replace(self, job=job, keys=keys, rows=rows, seconds=seconds)

    def _unpacked(self, found: Found | Declined) -> Found | Declined:
        if isinstance(found, Declined) or self.rows is None:
            return found
        name, finding = found
        operations = tuple(int(self.rows[each]) for each in finding.operations)
        beside = tuple(int(self.rows[each]) for each in finding.beside)
        return name, replace(finding, operations=operations, beside=beside)


def _sooner(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)


def _shares_memory(pool: Executor) -> bool:
    return isinstance(pool, ThreadPoolExecutor)


@contextmanager
def _pool(executor: Executor | None) -> Iterator[Executor]:
    if executor is not None:
        yield executor
        return
    own = ThreadPoolExecutor(cpu_count(), thread_name_prefix="check")
    try:
        yield own
    finally:
        own.shutdown(wait=False, cancel_futures=True)
