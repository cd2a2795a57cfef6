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
from dataclasses import replace
from typing import Final

import numpy as np

from partita.checker.history import NEVER, OUTCOMES, History, IntColumn
from partita.checker.linearizability.engine import engines
from partita.checker.linearizability.places import together
from partita.checker.linearizability.scheduling import Found, Job
from partita.checker.values import NULL
from partita.checker.verdict import Finding, Limits, Order

# How long a beginning may be looked at, beside a multiple of what the whole took.
_LEAST_S: Final = 1.0
_PATIENCE: Final = 4

_OK, _FAIL, _INFO = map(OUTCOMES.index, ("ok", "fail", "info"))


def order_of(
    job: Job, keys: Sequence[IntColumn], findings: Sequence[Found], seconds: float
) -> Order | None:
    """Return an order of a history whose keys were decided, None if that is not known.

    `seconds` is what deciding them took.
    """
    validities = [finding.valid for _, finding in findings]
    if False in validities:
        return _Beginnings(job, keys, findings, seconds).longest()
    if "unknown" in validities:
        return None
    parts = [
        _ordered(job, job.history, rows, name)
        for rows, (name, _) in zip(keys, findings, strict=True)
    ]
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


def _ordered(job: Job, history: History, rows: IntColumn, engine: str) -> IntColumn:
    order = engines()[engine].order
    assert order is not None, engine
    return order(history, rows, job.model_of(rows))


class _Beginnings:
    """The beginnings of an invalid history."""

    def __init__(
        self, job: Job, keys: Sequence[IntColumn], findings: Sequence[Found], seconds: float
    ) -> None:
        self.job = job
        self.keys = keys
        self.findings = [finding for _, finding in findings]
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
        end = min(ends)
        while True:
            history = beginning(self.job.history, end)
            parts = []
            for rows in self.keys:
                found = self.found(history, rows, end)
                if found is None:
                    end = self.end(rows, (), end)
                    break
                parts.append(found)
            else:
                stuck = np.flatnonzero(self.job.history.completed_rank == end)
                return Order(history, together(history, parts), tuple(stuck.tolist()), end)

    def end(self, rows: IntColumn, contradicting: Sequence[int], before: int = NEVER) -> int:
        """Return the rank of the first event that no order of a key can pass, as far as is known.

        A contradiction mostly shows where its last operation is over, which is tried first.
        """
        completed = self.job.history.completed_rank
        ends = np.sort(completed[rows][completed[rows] < before])
        over = [int(completed[row]) for row in contradicting if completed[row] < before]
        good, bad = 0, len(ends)
        guess = int(np.searchsorted(ends, max(over))) if over else bad // 2
        while bad - good > 1:
            if self.is_valid(rows, int(ends[guess])):
                good = guess
                guess = guess + 1 if over else (good + bad) // 2
            else:
                bad = guess
                guess = (good + bad) // 2
            over = []
            guess = min(max(guess, good + 1), bad - 1)
        return int(ends[good])

    def is_valid(self, rows: IntColumn, rank: int) -> bool:
        history = beginning(self.job.history, rank)
        return self.decided(history, begun(self.job.history, rows, rank)) is not None

    def found(self, history: History, rows: IntColumn, end: int) -> IntColumn | None:
        """Return an order of one key in a beginning, None if there is none."""
        counting = begun(self.job.history, rows, end)
        if not len(counting):
            return counting
        name = self.decided(history, counting)
        return None if name is None else _ordered(self.job, history, counting, name)

    def decided(self, history: History, rows: IntColumn) -> str | None:
        """Return the name of an engine that finds these operations valid, None if none does."""
        job = self.job
        model = job.model_of(rows)
        limits = Limits(time.monotonic() + self.patience, job.limits.memory_bytes)
        general = (name for name, engine in engines().items() if engine.is_general)
        for name in dict.fromkeys((*job.engines, *general)):
            engine = engines()[name]
            if engine.fits(model):
                found = engine.decide(history, rows, model, limits, job.mismatch)
                if isinstance(found, Finding):
                    return name if found.valid is True else None
        return None
