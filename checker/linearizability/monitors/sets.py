"""The set engine: sets that only grow, read whole. Elements may be added more than once.

An element comes in between the first invocation of its adds and the first completion of one that
was acknowledged (never, if none was); crashed reads are left out. The set grows, so that of
two reads one must hold the other's elements, and the order of reads of different size is known.
Reads of one size name the same elements. From small to large, each element and each read gets the
earliest moment that is left: after all that comes before it, and in its own interval. Every bound
is a lower one, so that taking the earliest is never wrong: if one has no moment left, no
order has one. Linear in what was read.

This argument is our own. What is published on sets is about complete histories of operations on
single elements (Lee and Mathur, OOPSLA 2025; Abdulla and others, PLDI 2025).

The sweep is native (checker/native/linearizability/monitors/growing_set.cpp). Sets from which
elements are removed, or that are asked for single elements, are in members.py.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.history import NEVER, OUTCOMES, CodeColumn, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import (
    INVALID,
    VALID,
    acts,
    placed,
    stopped,
    unfit,
)
from partita.checker.linearizability.monitors.sets_explanation import Contradiction, explain
from partita.checker.models.model import frozen
from partita.checker.models.set import Set
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch

_ADD, _READ, _REMOVE, _CONTAINS = range(4)
ACTS: Final = {"add": _ADD, "read": _READ, "remove": _REMOVE, "contains": _CONTAINS}


def growing_set(
    history: History, rows: IntColumn, model: Set, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one set that only grows, or decline."""
    f = acts(history, rows, model, ACTS)
    if (f > _READ).any():
        return None
    given = _Given.of(history, rows, model, f, limits)
    if isinstance(given, str):
        return stopped(given)
    if (read := given.reads_twice()) is not None:
        return explain(Contradiction(history, "twice", [int(rows[read])], {}, given.elements))
    answer, rule, named, _ = given.decided(limits, ordered=False)
    if answer == VALID:
        return Finding(True)
    if answer == INVALID:
        return explain(_contradiction(history, given, rule, named))
    return stopped(rule)


def order(history: History, rows: IntColumn, model: Set, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    given = _Given.of(history, rows, model, acts(history, rows, model, ACTS), limits)
    if isinstance(given, str):
        raise LimitReached(f"{given} reached")
    places = placed(given.decided(limits, ordered=True))
    found = places - given.before
    return given.rows[found[found >= 0]]


def _contradiction(history: History, given: "_Given", rule: str, named: list[int]) -> Contradiction:
    rows = [int(given.rows[at - given.before]) if at >= given.before else None for at in named]
    lists = {
        row: given.elements_of(at)
        for row, at in zip(rows, named, strict=True)
        if row is not None and given.is_read[at]
    }
    adds = np.unique(given.what[~given.is_read])
    return Contradiction(history, rule, rows, lists, adds)


@dataclass(frozen=True, slots=True)
class _Given:
    """One set's operations, in numbers. The first `before` are what it began with."""

    rows: IntColumn
    before: int
    is_read: npt.NDArray[np.bool_]
    what: CodeColumn
    invoked: IntColumn
    completed: IntColumn
    elements: CodeColumn
    ends: IntColumn
    count: int

    @staticmethod
    def of(
        history: History, rows: IntColumn, model: Set, f: npt.NDArray[np.int8], limits: Limits
    ) -> "_Given | str":
        """Number elements and lists; a text is the limit that was reached."""
        is_read = f == _READ
        answered = is_read & (history.outcome[rows] == OUTCOMES.index("ok"))
        lists, places = np.unique(history.output[rows[answered]], return_inverse=True)
        first = list(dict.fromkeys(frozen(each) for each in model.values or ()))
        added = history.input[rows[~is_read]]
        numbered = None if first else _numbered(history, added, lists, limits)
        if isinstance(numbered, str):
            return numbered
        if numbered is None:
            numbered = _compared(history, rows, model, added, lists, first)
        numbers, elements, ends, count = numbered
        what = np.zeros(len(rows), dtype=np.int32)
        what[answered] = places
        what[~is_read] = numbers[len(first) :]
        ranks = 2 * np.arange(len(first), dtype=np.int64) - 2 * len(first)
        return _Given(
            rows,
            len(first),
            np.concatenate([np.zeros(len(first), dtype=np.bool_), is_read]),
            np.concatenate([numbers[: len(first)], what]),
            np.concatenate([ranks, history.invoked_rank[rows]]),
            np.concatenate([ranks + 1, history.completed_rank[rows]]),
            elements,
            ends,
            count,
        )

    def decided(self, limits: Limits, *, ordered: bool) -> Any:
        return _native.monitor_growing_set(
            self.is_read,
            self.what,
            self.invoked,
            self.completed,
            self.elements,
            self.ends,
            self.count,
            ordered,
            limits.deadline,
            limits.memory_bytes,
            limits.stop,
        )

    def reads_twice(self) -> int | None:
        """Return the first operation that read an element twice, which no set holds."""
        last = np.zeros(self.count, dtype=np.int64)
        begin = 0
        for number, end in enumerate(self.ends.tolist()):
            elements = self.elements[begin:end]
            places = np.arange(len(elements))
            last[elements] = places
            if (last[elements] != places).any():
                answered = self.is_read & (self.completed != NEVER)
                return int(np.argmax(answered & (self.what == number))) - self.before
            begin = end
        return None

    def elements_of(self, read: int) -> CodeColumn:
        """Return what a read named, in its order."""
        at = self.what[read]
        return self.elements[self.ends[at - 1] if at else 0 : self.ends[at]]


_Numbered = tuple[CodeColumn, CodeColumn, IntColumn, int]


def _numbered(
    history: History, added: CodeColumn, lists: CodeColumn, limits: Limits
) -> _Numbered | str | None:
    values = history.values
    return _native.elements_of_lists(
        added,
        lists,
        values.payload,
        values.is_text,
        values.pairs,
        values.text_ends,
        values.text,
        limits.deadline,
        limits.memory_bytes,
        limits.stop,
    )


def _compared(
    history: History,
    rows: IntColumn,
    model: Set,
    added: CodeColumn,
    lists: CodeColumn,
    first: list[Hashable],
) -> _Numbered:
    """Number elements as Python compares them, of which 1 and true are equal."""
    known: dict[Hashable, int] = {}

    def number(value: Any) -> int:
        return known.setdefault(frozen(value), len(known))

    numbers = [number(each) for each in first]
    numbers += [number(history.values.decoded(int(code))) for code in added]
    elements: list[int] = []
    ends = []
    for code in lists:
        read = history.values.decoded(int(code))
        if not isinstance(read, list | tuple | None):
            wrong = history.output[rows] == code
            raise unfit(history, int(rows[np.argmax(wrong)]), model, "which is no list")
        elements += [number(each) for each in read or ()]
        ends.append(len(elements))
    return (
        np.array(numbers, dtype=np.int32),
        np.array(elements, dtype=np.int32),
        np.array(ends, dtype=np.int64),
        len(known),
    )


ENGINE = Engine("growing-set", growing_set, (Set,), "sets", order)
