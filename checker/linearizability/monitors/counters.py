"""The counter engine: counters to which the same amount is added each time.

A read then says how many additions came before it: (sum - initial) / step, a whole number. Crashed
reads are left out. Of K, the greatest such number, slot i is the i-th addition. It is filled
after every read of less than i was invoked and before any read of i or more was over; both bounds
rise with i, so that the slots that one addition may fill are a run. Slots 1 to K must be filled;
an addition that was over before the last read was invoked must fill one; the others may. That is a
scheduling of unit jobs with beginnings and ends, for which "of those that may run now the one that
must end first" is exact (Jackson 1955; Horn 1974): slot by slot, for filling by time instead
is not. If x fills an earlier slot than y, x did not begin after y was over, or y would have been
preferred. So moments that rise with the slots can be found, and the order is linearizable.

Where the amounts differ, a subset sum hides in it (see also Gibbons and Korach, SIAM J. Comput.
1997, for how soon such problems are NP-hard): that is left to the search.

The sweep is native (checker/native/linearizability/monitors/counter.cpp); O(n log n).
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.explain import capital, listed, moment, quoted, who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import (
    INVALID,
    VALID,
    acts,
    placed,
    stopped,
    unfit,
)
from partita.checker.models.counter import Counter
from partita.checker.values import NO_PAIR
from partita.checker.verdict import Finding, Limits, Mismatch

_ADD, _READ = range(2)
_ACTS: Final = {"add": _ADD, "read": _READ}

# A reader does not want to see more additions than this in one sentence.
_SHOWN = 4


def counter(
    history: History, rows: IntColumn, model: Counter, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one counter, or decline if it is not always the same that is added."""
    given = _Given.of(history, rows, model)
    if given is None:
        return Declined("not all numbers are whole, so that the search decided")
    answer, rule, named, _ = given.decided(limits, ordered=False)
    if answer == VALID:
        return Finding(True)
    found = [int(rows[at]) if at >= 0 else None for at in named]
    if answer == INVALID:
        operations = sorted(row for row in found if row is not None)
        return Finding(False, tuple(operations), _explained(history, model, rule, found))
    if rule != "steps":
        return stopped(rule)
    first, other = (who(history, row) for row in found if row is not None)
    return Declined(f"{first} and {other} add different amounts, so that the search decided")


def order(history: History, rows: IntColumn, model: Counter, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    given = _Given.of(history, rows, model)
    assert given is not None
    places = placed(given.decided(limits, ordered=True))
    return rows[places]


@dataclass(frozen=True, slots=True)
class _Given:
    """One counter's operations, in whole numbers."""

    is_read: npt.NDArray[np.bool_]
    amounts: IntColumn
    invoked: IntColumn
    completed: IntColumn
    initial: int

    @staticmethod
    def of(history: History, rows: IntColumn, model: Counter) -> "_Given | None":
        is_read = acts(history, rows, model, _ACTS) == _READ
        answered = is_read & (history.outcome[rows] == OUTCOMES.index("ok"))
        codes = np.where(is_read, history.output[rows], history.input[rows])
        values = history.values
        counts = ~is_read | answered
        is_whole = codes >= 0
        known = codes[is_whole]
        is_whole[is_whole] = (values.is_text[known] == 0) & (values.pairs[known, 0] == NO_PAIR)
        for row in rows[counts & ~is_whole].tolist():
            _refuse_strange(history, row, model)
        if (counts & ~is_whole).any() or not isinstance(model.initial, int):
            return None
        amounts = np.zeros(len(rows), dtype=np.int64)
        amounts[counts] = values.payload[codes[counts]]
        return _Given(
            is_read,
            amounts,
            history.invoked_rank[rows],
            history.completed_rank[rows],
            model.initial,
        )

    def decided(self, limits: Limits, *, ordered: bool) -> Any:
        return _native.monitor_counter(
            self.is_read,
            self.amounts,
            self.invoked,
            self.completed,
            self.initial,
            ordered,
            limits.deadline,
            limits.memory_bytes,
            limits.stop,
        )


def _refuse_strange(history: History, row: int, model: Counter) -> None:
    """Refuse what is no number at all."""
    op = history[row]
    number = op.output if op.f == "read" else op.input
    if not isinstance(number, int | float) or isinstance(number, bool):
        raise unfit(history, row, model, "which is no number")


def _explained(history: History, model: Counter, rule: str, named: list[int | None]) -> str:
    if rule == "no such sum":
        return _no_such_sum(history, model, _row(named[0]))
    if rule == "too few":
        return _too_few(history, _row(named[0]))
    if rule == "shrank":
        return _shrank(history, *map(_row, named))
    return _too_many(history, model, named)


def _no_such_sum(history: History, model: Counter, read: int) -> str:
    same = (history.key == history.key[read]) & (history.f == history.f_code("add"))
    adds = np.flatnonzero(same & (history.outcome != OUTCOMES.index("fail")))
    began = f"it began with {quoted(model.initial)}"
    if not len(adds):
        return f"{capital(who(history, read))} cannot be: {began}, and nothing was ever added."
    amount = next((each for row in adds if (each := history[int(row)].input)), 0)
    return (
        f"{capital(who(history, read))} cannot be: {began}, and all that was ever added is"
        f" {len(adds)} times {quoted(amount)}."
    )


def _too_few(history: History, read: int) -> str:
    begun = (history.key == history.key[read]) & (history.f == history.f_code("add"))
    begun &= history.outcome != OUTCOMES.index("fail")
    begun &= history.invoked_rank < history.completed_rank[read]
    count = int(begun.sum())
    additions = "1 addition" if count == 1 else f"{count} additions"
    return (
        f"{capital(who(history, read))} shows more than there was: only {additions} had begun when"
        f" it was over at {moment(history, read, completed=True)}."
    )


def _shrank(history: History, first: int, then: int) -> str:
    return (
        f"{capital(who(history, first))} was over at {moment(history, first, completed=True)}, and"
        f" {who(history, then)}, invoked only at {moment(history, then)}, shows fewer additions:"
        " nothing takes them back."
    )


def _too_many(history: History, model: Counter, named: list[int | None]) -> str:
    first, read, adds = named[0], _row(named[1]), [_row(row) for row in named[2:]]
    names = [who(history, row) for row in adds[:_SHOWN]]
    if len(adds) > _SHOWN:
        names.append(f"{len(adds) - _SHOWN} more")
    since = "" if first is None else f" began after {who(history, first)} was over, and"
    before = model.initial if first is None else history[first].output
    shown = history[read].output
    amount = history[adds[0]].input
    return (
        f"{capital(listed(names))}{since} {'was' if len(adds) == 1 else 'were'} over before"
        f" {who(history, read)} was invoked at {moment(history, read)}. So that read had to show"
        f" {len(adds)} times {quoted(amount)} on top of {quoted(before)}, and it shows only"
        f" {(shown - before) // amount} times."
    )


def _row(row: int | None) -> int:
    assert row is not None
    return row


ENGINE = Engine("counter", counter, (Counter,), "counters", order)
