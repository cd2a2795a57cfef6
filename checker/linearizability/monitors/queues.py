"""The queue engine: queues in order and bags, in which nobody mistakes one value for another.

It applies where no value that was taken was put in twice. *Unknown* takes are those without an
answer. A crashed put of a value that nobody is known to have taken is left out: whoever took that
value is unknown as well, and an order without the two is an order. The rest are *taken* values
(their put happened, whatever its answer) and *stayed* ones (put "ok", no take known). The
history is linearizable exactly if

1. what was taken was put in, taken once, and not before its put began;
2. no a was put in before b (its put was over when b's began) though b was taken before a;
3. of the values that stayed and were put in before a taken value b, there are no more than unknown
   takes invoked before b's take was over;
4. each answer "empty" has a moment at which no taken value was surely inside (put over, take
   not begun), and of the stayed ones no more had been put in than unknown takes invoked.

Bags need 1 and 4 only. For complete histories these are the aspects of Henzinger, Sezgin and
Vafeiadis (CONCUR 2013) and the bad patterns of Bouajjani, Emmi, Enea and Hamza (ICALP 2015). That
pairs suffice in 2: "put in before" and "taken before" are interval orders; a shortest cycle of
their union alternates, and of two comparable pairs in an interval order one of the cross pairs
is comparable too, which shortens the cycle to two. Unknown takes are our own part: they never
end, so that they differ in nothing but when they were invoked; those that can serve a value are
nested, and Hall's condition is a comparison of counts. A moment at which nothing is surely
inside cuts the history in two without a new relation from right to left, so that the answers
"empty" choose theirs independently.

The sweeps are native (checker/native/linearizability/monitors/queue.cpp); O(n), but for sorting.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.explain import quoted, who
from partita.checker.history import OUTCOMES, CodeColumn, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import (
    DECLINED,
    INVALID,
    VALID,
    acts,
    numbers,
    placed,
    stopped,
    unfit,
)
from partita.checker.linearizability.monitors.queues_explanation import explain
from partita.checker.models.fifo_queue import FifoQueue
from partita.checker.models.model import frozen
from partita.checker.models.unordered_queue import UnorderedQueue
from partita.checker.values import NULL
from partita.checker.verdict import Finding, Limits, Mismatch

_PUT, _TAKE, _FIND_EMPTY, _DRAIN = range(4)
_ACTS: Final = {"enqueue": _PUT, "dequeue": _TAKE}

Model = FifoQueue | UnorderedQueue


def queue(
    history: History, rows: IntColumn, model: Model, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one queue, or decline if a value that was taken was put in twice."""
    given = _Given.of(history, rows, model)
    if given is None:
        return Declined("a drain takes many values at once, which is left to the search")
    if _puts_null(history, rows) or None in (model.values or ()):
        return Declined(
            "null was put in, which an empty queue answers too, so that the search decided"
        )
    answer, rule, named, _ = given.decided(limits, ordered=False)
    if answer == VALID:
        return Finding(True)
    if answer == INVALID:
        return explain(history, rule, given.named(named))
    if answer == DECLINED:
        return Declined(_repeated(history, given.named(named)))
    return stopped(rule)


def _refuse_strange(history: History, drains: IntColumn, model: Model) -> None:
    """Refuse what is no answer to a drain."""
    for row in drains[history.outcome[drains] == OUTCOMES.index("ok")].tolist():
        if not isinstance(history[row].output, list | tuple | None):
            raise unfit(history, row, model, "which is no list")


def _puts_null(history: History, rows: IntColumn) -> bool:
    puts = history.f[rows] == history.f_code("enqueue")
    return bool((history.input[rows][puts] == NULL).any())


def order(history: History, rows: IntColumn, model: Model, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    given = _Given.of(history, rows, model)
    assert given is not None
    places = placed(given.decided(limits, ordered=True))
    found = places - given.before
    return given.rows[found[found >= 0]]


def _repeated(history: History, puts: list[int | None]) -> str:
    names = [who(history, row) for row in puts if row is not None]
    if not names:
        return "the queue began with a value twice, so that the search decided"
    twice = quoted(history[max(row for row in puts if row is not None)].input)
    return f"{twice} was put in more than once, as by {names[-1]}, so that the search decided"


@dataclass(frozen=True, slots=True)
class _Given:
    """One queue's operations, in numbers. The first `before` are what it began with."""

    rows: IntColumn
    before: int
    acts: npt.NDArray[np.int8]
    values: CodeColumn
    count: int
    invoked: IntColumn
    completed: IntColumn
    is_fifo: bool

    @staticmethod
    def of(history: History, rows: IntColumn, model: Model) -> "_Given | None":
        is_fifo = isinstance(model, FifoQueue)
        f = acts(history, rows, model, _ACTS if is_fifo else {**_ACTS, "drain": _DRAIN})
        if (f == _DRAIN).any():
            _refuse_strange(history, rows[f == _DRAIN], model)
            return None
        is_answered = history.outcome[rows] == OUTCOMES.index("ok")
        output = history.output[rows]
        f[(f == _TAKE) & is_answered & (output == NULL)] = _FIND_EMPTY
        codes = np.where(f == _PUT, history.input[rows], np.where(f == _TAKE, output, NULL))
        first = [frozen(each) for each in model.values or ()]
        numbered = numbers(history, [codes.astype(np.int32)], first)
        ranks = 2 * np.arange(len(first), dtype=np.int64) - 2 * len(first)
        return _Given(
            rows,
            len(first),
            np.concatenate([np.full(len(first), _PUT, dtype=np.int8), f]),
            np.concatenate([np.array(numbered.extra, dtype=np.int32), *numbered.columns]),
            numbered.count,
            np.concatenate([ranks, history.invoked_rank[rows]]),
            np.concatenate([ranks + 1, history.completed_rank[rows]]),
            is_fifo,
        )

    def decided(self, limits: Limits, *, ordered: bool) -> Any:
        return _native.monitor_queue(
            self.acts,
            self.values,
            self.invoked,
            self.completed,
            self.count,
            self.is_fifo,
            ordered,
            limits.deadline,
            limits.memory_bytes,
            limits.stop,
        )

    def named(self, places: list[int]) -> list[int | None]:
        """Rows of operations; None: the put of a value that was there from the beginning."""
        return [int(self.rows[at - self.before]) if at >= self.before else None for at in places]


ENGINE = Engine("queue", queue, (FifoQueue, UnorderedQueue), "queues", order)
