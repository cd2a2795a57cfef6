"""The append engine: lists to which every operation adds an element of its own.

The longest list that was read tells the order of all elements that were ever seen, so every
operation has its place: an add where its element stands, a read after the last element that
it returned, an acknowledged add that nobody saw after everything else. A crashed add that
nobody saw did not happen. Then the history is linearizable exactly if every read returned a
beginning of the longest list, every element was added by an operation that did not fail, and
no operation was over before one of an earlier place was invoked. Linear in the size of the
input.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.explain import capital, moment, quoted, when, who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability.append_columns import Columns
from partita.checker.linearizability.elements import counted
from partita.checker.linearizability.engine import Engine
from partita.checker.linearizability.monitors.operations import unfit
from partita.checker.linearizability.places import disorder, in_places
from partita.checker.models.append import Append
from partita.checker.models.model import Model, frozen
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch

_LAST = np.iinfo(np.int64).max
_OK, _FAIL = OUTCOMES.index("ok"), OUTCOMES.index("fail")

# What contradicts: operations, and why in English.
Contradiction = tuple[list[int], str]


def append(
    history: History, rows: IntColumn, model: Model, limits: Limits, mismatch: Mismatch
) -> Finding | None:
    """Decide one list, or return None if this engine does not apply."""
    if not isinstance(model, Append) or model.initial:
        return None
    try:
        if columns := Columns.of(history, rows, limits):
            return _valid(history, columns)
        log = _Log.of(history, rows, model, limits)
        return None if log is None else _finding(log)
    except LimitReached as stopped:
        return Finding("unknown", reason=str(stopped))


def order(history: History, rows: IntColumn, model: Append, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    if columns := Columns.of(history, rows, limits):
        return in_places(history, *columns.places)
    log = _Log.of(history, rows, model, limits)
    assert log is not None
    longest = log.read(log.longest) if log.reads else []
    places = {frozen(element): at for at, element in enumerate(longest)}
    return in_places(history, *_places(log, places))


def _valid(history: History, columns: Columns) -> Finding:
    if not len(columns.reads):
        return Finding(True)
    elements = np.array(history.values.several(history.input[columns.adds]), dtype=object)
    last = columns.reads.max()
    final = history.values.decoded(history.output[last]) or []
    acknowledged = history.outcome[columns.adds] == _OK
    due = history.completed_rank[columns.adds] < history.invoked_rank[last]
    return Finding(
        True,
        details=counted(list(elements), list(elements[acknowledged]), list(elements[due]), final),
    )


def _finding(log: "_Log") -> Finding:
    if not log.reads:
        return Finding(True)  # What was added may stand in any order that fits the times.
    details = counted(log.adds, log.acknowledged(), log.due(), log.final())
    for contradiction in _contradictions(log):
        operations, explanation = contradiction
        return Finding(False, tuple(sorted(set(operations))), explanation, details=details)
    return Finding(True, details=details)


@dataclass(slots=True)
class _Log:
    """One key's operations, sorted out. Lists are decoded when looked at, never all kept."""

    history: History
    limits: Limits
    adds: dict[Hashable, int]  # rows of the adds that did not fail, by element
    failed: dict[Hashable, int]
    reads: dict[int, int]  # how much each read returned that succeeded, by row, in their order

    @staticmethod
    def of(history: History, rows: IntColumn, model: Append, limits: Limits) -> "_Log | None":
        log = _Log(history, limits, {}, {}, {})
        elements = iter(history.values.several(history.input[rows]))
        for at, row in enumerate(rows.tolist()):
            if at % 1024 == 0:
                log.poll()
            f = history.fs[history.f[row]]
            added = next(elements)
            if f in ("add", "append"):
                element = frozen(added)
                if element in log.adds:
                    return None
                log.adds[element] = row
            elif f != "read":
                raise unfit(history, row, model)
            elif history.outcome[row] == _OK:
                log.reads[row] = len(log.read(row))
        log.failed = log.find_failed(rows)
        return log

    def find_failed(self, rows: IntColumn) -> dict[Hashable, int]:
        history = self.history
        key = history.key[rows[0]] if len(rows) else -1
        failed = np.flatnonzero((history.outcome == _FAIL) & (history.key == key))
        adds = (int(row) for row in failed if history.fs[history.f[row]] != "read")
        return {self.element(row): row for row in adds}

    def element(self, row: int) -> Hashable:
        return frozen(self.history[row].input)

    def poll(self) -> None:
        if reason := self.limits.reached():
            raise LimitReached(reason)

    @property
    def longest(self) -> int:
        """The row of the first read that returned most."""
        return max(self.reads, key=self.reads.__getitem__)

    def read(self, row: int) -> list[Any]:
        self.poll()
        output = self.history[row].output
        if output is not None and not isinstance(output, list):
            raise unfit(self.history, row, Append(), "which is no list")
        return output or []

    def final(self) -> list[Hashable]:
        return [frozen(each) for each in self.read(max(self.reads))]

    def acknowledged(self) -> list[Hashable]:
        return [each for each, row in self.adds.items() if self.history.outcome[row] == _OK]

    def due(self) -> list[Hashable]:
        """Elements acknowledged before the last read was invoked: it should return them."""
        end = self.history.invoked_rank[max(self.reads)]
        completed = self.history.completed_rank
        return [each for each, row in self.adds.items() if completed[row] < end]


def _contradictions(log: _Log) -> Iterator[Contradiction]:
    """Yield what contradicts; each kind relies on there being none of the kinds before it."""
    longest = log.read(log.longest)
    order = {frozen(element): at for at, element in enumerate(longest)}
    if len(order) < len(longest):
        yield _duplicate(log, longest)
    for element in order:
        if element not in log.adds:
            yield _unexpected(log, element)
    for row in log.reads:
        read = log.read(row)
        if read != longest[: len(read)]:
            yield _diverged(log, row, read, longest)
    yield from _disordered(log, order)


def _duplicate(log: _Log, longest: list[Any]) -> Contradiction:
    seen: set[Hashable] = set()
    twice = next(each for each in map(frozen, longest) if each in seen or seen.add(each))  # type: ignore[func-returns-value]
    adds = [log.adds[twice]] if twice in log.adds else []
    reader = _reader(log, log.longest)
    return (
        [log.longest, *adds],
        f"{capital(reader)} returned {quoted(twice)} twice, but it was added only once.",
    )


def _unexpected(log: _Log, element: Hashable) -> Contradiction:
    reader = next(row for row in log.reads if element in map(frozen, log.read(row)))
    sentence = f"{capital(_reader(log, reader))} returned {quoted(element)}, which"
    if element in log.failed:
        failed = log.failed[element]
        return [reader, failed], f"{sentence} was never added: {who(log.history, failed)} failed."
    return [reader], f"{sentence} nobody ever tried to add."


def _diverged(log: _Log, row: int, read: list[Any], longest: list[Any]) -> Contradiction:
    at = next(at for at, each in enumerate(read) if each != longest[at])
    adds = [log.adds[frozen(each)] for each in (read[at], longest[at]) if frozen(each) in log.adds]
    first, second = sorted([row, log.longest])
    return (
        [row, log.longest, *adds],
        f"{capital(_reader(log, first))} and {_reader(log, second)} disagree on the element at"
        f" place {at + 1}: {quoted(log.read(first)[at])} or {quoted(log.read(second)[at])}."
        " Elements are only ever added at the end, so one of the two lists was never there.",
    )


def _disordered(log: _Log, order: dict[Hashable, int]) -> Iterator[Contradiction]:
    """Find an operation that was over before one of an earlier place was invoked."""
    if found := disorder(log.history, *_places(log, order)):
        yield _out_of_order(log, *found)


def _places(log: _Log, order: dict[Hashable, int]) -> tuple[IntColumn, IntColumn]:
    """Places are even for adds and odd for reads, the last for adds that nobody saw."""
    rows, places = [], []
    for element, row in log.adds.items():
        if element in order or log.history.outcome[row] == _OK:
            rows.append(row)
            places.append(2 * order[element] if element in order else _LAST - 1)
    for row, length in log.reads.items():
        rows.append(row)
        places.append(2 * length - 1)
    return np.array(rows, dtype=np.int64), np.array(places, dtype=np.int64)


def _out_of_order(log: _Log, early: int, late: int) -> Contradiction:
    """Explain why `early`, which was invoked when `late` was over, must come before it."""
    history = log.history
    over, begin = moment(history, late, completed=True), moment(history, early)
    early_reads, late_reads = history.fs[history.f[early]] == "read", late in log.reads
    if early_reads and late_reads:
        return _stale(log, early, late)
    if early_reads:
        return [early, late], (
            f"{capital(who(history, late))} was acknowledged at {over}, but"
            f" {_reader(log, early)}, invoked only at {begin}, did not return it."
        )
    if late_reads:
        return [early, late], (
            f"{capital(_reader(log, late))} returned an element before it was added:"
            f" {who(history, early)} was invoked only at {begin}."
        )
    return [early, late, log.longest], (
        f"{capital(who(history, late))} was acknowledged at {over}, before {who(history, early)}"
        f" was invoked at {begin}. But {_reader(log, log.longest)} returned the later one"
        f" {'before' if log.element(late) in map(frozen, log.read(log.longest)) else 'without'}"
        " the earlier one."
    )


def _stale(log: _Log, early: int, late: int) -> Contradiction:
    history = log.history
    few, many = log.reads[early], log.reads[late]
    missing = log.read(late)[few]
    return [early, late, log.adds[frozen(missing)]], (
        f"{capital(_reader(log, late))} had returned {many} elements by"
        f" {moment(history, late, completed=True)}, but {_reader(log, early)}, invoked only at"
        f" {moment(history, early)}, returned the first {few} of them: {quoted(missing)} was gone."
    )


def _reader(log: _Log, row: int) -> str:
    """Name a read without its list, which may be long."""
    return f"process {log.history.process_of(row)}'s read ({when(log.history, row)})"


ENGINE = Engine("append", append, (Append,), "the model append", order)
