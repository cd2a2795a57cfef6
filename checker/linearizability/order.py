"""An order in hand: what proves a history valid, and how far an invalid one can be put in order.

Nobody pays for it who does not ask. Then the engine that decided a key tells the order that it
found. An invalid history is cut off before an event, and decided anew: what had begun by then and
was not over may have happened or not. The longest beginning that is linearizable is found by
halving, for each beginning of a linearizable history is linearizable too.

Orders of several keys become one. Each operation gets a moment, the latest beginning of those up to
it in its key's order; an order by these keeps every key's, and respects real time.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from partita.checker.history import NEVER, OUTCOMES, History, IntColumn
from partita.checker.linearizability.engine import engines
from partita.checker.linearizability.places import together
from partita.checker.linearizability.scheduling import Found, Job
from partita.checker.values import NULL
from partita.checker.verdict import Finding, LimitReached, Limits, Order, Validity

# How long a beginning may be looked at, beside a multiple of what the whole took.
_LEAST_S: Final = 1.0
_PATIENCE: Final = 4

_OK, _FAIL, _INFO = map(OUTCOMES.index, ("ok", "fail", "info"))


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the check took, and how long it might have; None: as long as it wants."""

    took_s: float
    most_s: float | None = None


def order_of(
    job: Job, keys: Sequence[IntColumn], findings: Sequence[Found], timing: Timing
) -> Order | str:
    """Return an order of a history whose keys were decided, or why there is none.

    It may take as long as the check might have, and the process hold as much.
    """
    validities = [finding.valid for _, finding in findings]
    if False not in validities and "unknown" in validities:
        return "the verdict is unknown"
    deadline = None if timing.most_s is None else time.monotonic() + timing.most_s
    limits = Limits(deadline, job.limits.memory_bytes)
    try:
        if False in validities:
            return _Beginnings(job, keys, findings, limits, timing.took_s).longest()
        parts = [
            _ordered(job, job.history, rows, name, limits)
            for rows, (name, _) in zip(keys, findings, strict=True)
        ]
    except LimitReached as reached:
        return f"{reached} before the order was found"
    return Order(job.history, together(job.history, parts))


def beginning(history: History, rank: int) -> History:
    """Return what was known just before an event: nothing of operations that were not over."""
    is_over = history.completed_rank < rank
    return replace(
        history,
        outcome=np.where(is_over, history.outcome, _INFO).astype(np.int8),
        output=np.where(is_over, history.output, NULL).astype(np.int32),
        completed_rank=np.where(is_over, history.completed_rank, NEVER),
        ended_rank=np.where(is_over, history.ended_rank, NEVER),
        completed_ns=np.where(is_over, history.completed_ns, -1),
    )


def begun(history: History, rows: IntColumn, rank: int) -> IntColumn:
    """Return the operations that count in such a beginning.

    Of a cas that failed in the end nothing is known yet, so that it need not have happened.
    """
    is_over = history.completed_rank[rows] < rank
    counts = is_over | (history.outcome[rows] != _FAIL)
    found: IntColumn = rows[counts & (history.invoked_rank[rows] < rank)]
    return found


def _ordered(job: Job, history: History, rows: IntColumn, engine: str, limits: Limits) -> IntColumn:
    order = engines()[engine].order
    assert order is not None, engine
    return order(history, rows, job.model_of(rows), limits)


@dataclass(frozen=True, slots=True)
class _End:
    """The rank of the first event that no order passes; not `certain` if time ran out there."""

    rank: int
    certain: bool = True


_WHOLE: Final = _End(NEVER)


class _Beginnings:
    """The beginnings of an invalid history."""

    def __init__(
        self,
        job: Job,
        keys: Sequence[IntColumn],
        findings: Sequence[Found],
        limits: Limits,
        seconds: float,
    ) -> None:
        self.job = job
        self.keys = keys
        self.findings = [finding for _, finding in findings]
        self.limits = limits
        self.patience = max(_LEAST_S, _PATIENCE * seconds)

    def longest(self) -> Order:
        """Return an order of the longest beginning that was found to have one.

        It ends where that of the first key ends. Keys that nobody has looked at, because another
        one is invalid, may turn out to be invalid too.
        """
        ends = [
            self.end(rows, finding.operations)
            for rows, finding in zip(self.keys, self.findings, strict=True)
            if finding.valid is False
        ]
        end = min(ends, key=lambda each: (each.rank, not each.certain))
        while True:
            history = beginning(self.job.history, end.rank)
            parts = []
            for rows in self.keys:
                found = self.found(history, rows, end.rank)
                if isinstance(found, bool | str):
                    end = self.end(rows, (), _End(end.rank, found is False))
                    break
                parts.append(found)
            else:
                stuck = np.flatnonzero(self.job.history.completed_rank == end.rank)
                rows = together(history, parts)
                return Order(history, rows, tuple(stuck.tolist()), end.rank, end.certain)

    def end(self, rows: IntColumn, contradicting: Sequence[int], before: _End = _WHOLE) -> _End:
        """Return the first event that no order of a key can pass, as far as is known.

        A contradiction mostly shows where its last operation is over, which is tried first. What
        is `before` some end has no order.
        """
        completed = self.job.history.completed_rank
        ends = np.sort(completed[rows][completed[rows] < before.rank])
        over = [int(completed[row]) for row in contradicting if completed[row] < before.rank]
        good, bad, certain = 0, len(ends), before.certain
        guess = int(np.searchsorted(ends, max(over))) if over else bad // 2
        while bad - good > 1:
            answer = self.validity(rows, int(ends[guess]))
            if answer is True:
                good = guess
                guess = guess + 1 if over else (good + bad) // 2
            else:
                bad, certain = guess, answer is False
                guess = (good + bad) // 2
            over = []
            guess = min(max(guess, good + 1), bad - 1)
        return _End(int(ends[good]), certain)

    def validity(self, rows: IntColumn, rank: int) -> Validity:
        """Say whether the events of a key before this one have an order."""
        history = beginning(self.job.history, rank)
        return self.decided(history, begun(self.job.history, rows, rank))[0]

    def found(self, history: History, rows: IntColumn, end: int) -> IntColumn | Validity:
        """Return an order of one key in a beginning; False or "unknown" if there is none."""
        counting = begun(self.job.history, rows, end)
        if (history.completed_rank[counting] == NEVER).all():
            return counting[:0]  # nothing is over yet, so that nothing need have happened
        valid, name = self.decided(history, counting)
        if valid is not True:
            return valid
        try:
            return _ordered(self.job, history, counting, name, self.patient())
        except LimitReached:
            return "unknown"

    def decided(self, history: History, rows: IntColumn) -> tuple[Validity, str]:
        """Return whether these operations have an order, and the name of the engine that says so.

        "unknown": none of them could tell in time.
        """
        job = self.job
        model = job.model_of(rows)
        limits = self.patient()
        general = (name for name, engine in engines().items() if engine.is_general)
        for name in dict.fromkeys((*job.engines, *general)):
            engine = engines()[name]
            if engine.fits(model):
                found = engine.decide(history, rows, model, limits, job.mismatch)
                if isinstance(found, Finding):
                    return found.valid, name
        return "unknown", ""

    def patient(self) -> Limits:
        """Return the limits of one look at a beginning."""
        until = time.monotonic() + self.patience
        whole = self.limits.deadline
        return replace(self.limits, deadline=until if whole is None else min(until, whole))
