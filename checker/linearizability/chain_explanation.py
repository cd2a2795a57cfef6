"""Why a register's history has no order: the chain engine's contradictions, in English.

The engine names the few operations that contradict each other. A reader also needs who wrote
a value that one of them read, and how we know that a crashed one happened at all: these are
found here, and the sentences made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.explain import capital, listed, moment, quoted, who
from partita.checker.history import OUTCOMES, CodeColumn, History, IntColumn, Op
from partita.checker.verdict import Finding

_NOTHING = -9  # a code that no value has

# A reader does not want to see more links of a long chain of cas than this.
_LINKS_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Conflict:
    """What the native engine found: its kind, and rows of the history.

    `roles` are the operations that contradict each other (None: the initial value) and
    `links` the cas that tie them together.
    """

    kind: str
    roles: list[int | None]
    links: list[int]
    initial: Any


def explain(history: History, rows: IntColumn, conflict: Conflict) -> Finding:
    """Turn what the engine found into an invalid finding."""
    sentence = _SENTENCES[conflict.kind](history, conflict)
    beside = _failed_writer(history, conflict) if conflict.kind == "phantom" else ()
    for row in beside:
        sentence += f" {capital(who(history, row))} would have, but failed."
    roles = [row for row in conflict.roles if row is not None]
    operations, evidence = _completed(history, rows, [*roles, *conflict.links[:_LINKS_SHOWN]])
    return Finding(False, operations, " ".join([sentence, *evidence]), beside=beside)


def _completed(
    history: History, rows: IntColumn, chosen: list[int]
) -> tuple[tuple[int, ...], list[str]]:
    """Add who wrote what these read, and what proves that crashed ones happened."""
    observations = _Observations(history, rows)
    operations: set[int] = set()
    evidence = []
    left = list(chosen)
    while left:
        row = left.pop()
        if row in operations:
            continue
        operations.add(row)
        op = history[row]
        if op.f == "read" or op.outcome == "fail":
            left += observations.writers(row)
        elif op.outcome == "info":
            observer = observations.observer(row)
            if observer is None:  # it need not have happened: the others contradict all the same
                operations.discard(row)
                continue
            left.append(observer)
            evidence.append(
                f"{capital(who(history, row, timed=False))} was never answered, but it"
                f" happened: {who(history, observer, timed=False)} shows it."
            )
    return tuple(sorted(operations)), evidence


class _Observations:
    """Who left which value behind, and who saw it."""

    def __init__(self, history: History, rows: IntColumn) -> None:
        self.rows = rows
        self.history = history
        failed = history.outcome[rows] == OUTCOMES.index("fail")
        self.left = np.where(failed, _NOTHING, left_behind(history, rows))
        self.seen = _seen(history, rows)

    def writers(self, reader: int) -> list[int]:
        code = self.seen[np.searchsorted(self.rows, reader)]
        return [int(row) for row in self.rows[self.left == code][:1]]

    def observer(self, writer: int) -> int | None:
        """Find who saw a value: an acknowledged operation if there is one, rather a read.

        One that crashed, and whose own value nobody saw, is no proof.
        """
        code = self.left[np.searchsorted(self.rows, writer)]
        places = np.flatnonzero(self.seen == code)
        crashed = self.history.outcome[self.rows[places]] == OUTCOMES.index("info")
        places = places[~crashed | np.isin(self.left[places], self.seen)]
        observers = self.rows[places]
        crashed = self.history.outcome[observers] != OUTCOMES.index("ok")
        is_cas = self.history.f[observers] != self.history.f_code("read")
        return int(observers[np.lexsort((is_cas, crashed))[0]]) if len(observers) else None


def left_behind(history: History, rows: IntColumn) -> CodeColumn:
    """Return the code of the value that each of these would leave, by write or cas."""
    f, value = history.f[rows], history.input[rows]
    is_cas = f == history.f_code("cas")
    new = history.pairs[np.where(is_cas, value, 0), 1] if is_cas.any() else value
    left = np.where(is_cas, new, np.where(f == history.f_code("write"), value, _NOTHING))
    return left.astype(np.int32)


def _seen(history: History, rows: IntColumn) -> CodeColumn:
    """Return the code of the value that each saw: a cas that failed may say what it met."""
    f, outcome = history.f[rows], history.outcome[rows]
    failed = outcome == OUTCOMES.index("fail")
    is_cas = (f == history.f_code("cas")) & ~failed
    old = history.pairs[np.where(is_cas, history.input[rows], 0), 0] if is_cas.any() else 0
    is_read = (f == history.f_code("read")) & (outcome == OUTCOMES.index("ok"))
    is_read |= failed & (history.output[rows] >= 0)
    seen = np.where(is_read, history.output[rows], _NOTHING)
    return np.where(is_cas, old, seen).astype(np.int32)


def _held(history: History, row: int) -> str:
    """The value that was in the register when this operation was done with it."""
    op = history[row]
    if op.f == "cas" and op.outcome != "fail":
        return quoted(op.input[1])
    return quoted(op.input if op.f == "write" else op.output)


def _phantom(history: History, conflict: Conflict) -> str:
    row = _first(conflict)
    op = history[row]
    if op.f == "read":
        saw = "returned it"
    else:
        saw = "succeeded" if op.outcome == "ok" else "says so"
    return (
        f"Nothing ever wrote {quoted(_met(op))}, and it is not the initial value"
        f" ({quoted(conflict.initial)}), but {who(history, row)} {saw}."
    )


def _met(op: Op) -> Any:
    """The value that an operation shows to have been there."""
    return op.input[0] if op.f == "cas" and op.outcome != "fail" else op.output


def _failed_writer(history: History, conflict: Conflict) -> tuple[int, ...]:
    """Return the first that was said to have failed, if its value was met all the same."""
    op = history[_first(conflict)]
    same_key = history.key == history.key[op.index]
    fails = np.flatnonzero((history.outcome == OUTCOMES.index("fail")) & same_key)
    fails = fails[history.invoked_rank[fails] < history.completed_rank[op.index]]
    would = fails[left_behind(history, fails) == history.code(_met(op))]
    return tuple(int(row) for row in would[:1])


def _twice(history: History, conflict: Conflict) -> str:
    first, second = [row for row in conflict.roles if row is not None]
    old = quoted(history[first].input[0])
    return (
        f"{capital(who(history, first))} and {who(history, second)} both succeeded in replacing"
        f" {old}, but {old} was there only once."
    )


def _ring(history: History, conflict: Conflict) -> str:
    rows = [row for row in conflict.roles if row is not None]
    names = listed([who(history, row) for row in rows])
    if len(rows) == 1:
        return f"{capital(names)} succeeded, but nothing else ever wrote the value it replaced."
    return (
        f"{capital(names)} all succeeded, but each of them needs another one's value first, so"
        " none of them can have been the first."
    )


def _order(history: History, conflict: Conflict) -> str:
    early, late = [row for row in conflict.roles if row is not None]
    over = moment(history, late, completed=True)
    begin = moment(history, early)
    first, then = _held(history, early), _held(history, late)
    if first == then:
        return (
            f"{capital(who(history, late))} returned {then} before it was written:"
            f" {who(history, early)} was invoked only at {begin}."
        )
    if history[early].f == "read" and history[late].f == "cas" and not conflict.links:
        return (
            f"{capital(who(history, early))} returned a value that was gone:"
            f" {who(history, late)} had replaced it with {then} and was acknowledged at {over},"
            f" before the read was invoked at {begin}."
        )
    return (
        f"{capital(who(history, late))} was over at {over}, before {who(history, early)} was"
        f" invoked at {begin}. But {first} came before {then}{_by_way(history, conflict)}."
    )


def _between(history: History, conflict: Conflict) -> str:
    first, other_second, other_first, second = conflict.roles
    assert other_second is not None and other_first is not None and second is not None
    begin = quoted(conflict.initial) if first is None else _held(history, first)
    ours = _either(begin, _held(history, second))
    others = _either(_held(history, other_first), _held(history, other_second))
    if first is None:
        ours_first = f"{begin} was the initial value"
    else:
        over = moment(history, first, completed=True)
        ours_first = (
            f"{who(history, first)} was over at {over}, before {who(history, other_second)} was"
            f" invoked at {moment(history, other_second)}"
        )
    over = moment(history, other_first, completed=True)
    others_first = (
        f"{who(history, other_first)} was over at {over}, before {who(history, second)} was"
        f" invoked at {moment(history, second)}"
    )
    if not conflict.links and history[second].f == "read":
        return _stale(history, second, other_first, ours_first)
    linked = _by_way(history, conflict)
    once = f"each was there only once{linked and ' without a break' + linked}"
    return (
        f"{capital(ours)} was there before {others}: {ours_first}. But {others} was also there"
        f" before {ours}: {others_first}. That cannot be, for {once}."
    )


def _stale(history: History, read: int, newer: int, older_first: str) -> str:
    """The commonest way to be wrong, said the way people say it."""
    old, new = _held(history, read), _held(history, newer)
    return (
        f"{capital(who(history, read))} was stale: {new} had already replaced {old}, for"
        f" {who(history, newer)} was over at {moment(history, newer, completed=True)}, before"
        f" the read was invoked. And {old} did not come after {new}, for {older_first}."
    )


def _mismatch(history: History, conflict: Conflict) -> str:
    before, mismatch, after = conflict.roles
    assert mismatch is not None and after is not None
    old = quoted(history[mismatch].input[0])
    since = "it was the initial value"
    if before is not None:
        over = moment(history, before, completed=True)
        since = f"{who(history, before)} was over at {over}"
    return (
        f"{capital(who(history, mismatch))} answered that the value was not {old}, but it was"
        f" {old} all the while: {since}, before the cas was invoked, and"
        f" {who(history, after)} was invoked only at {moment(history, after)}, when it was over."
    )


def _either(first: str, second: str) -> str:
    return first if first == second else f"{first} (which became {second})"


def _by_way(history: History, conflict: Conflict) -> str:
    if not conflict.links:
        return ""
    if len(conflict.links) > _LINKS_SHOWN:
        return f" (by way of {len(conflict.links)} cas, each from the value of the one before)"
    return f" (by way of {listed([who(history, row) for row in conflict.links])})"


def _first(conflict: Conflict) -> int:
    (row,) = conflict.roles
    assert row is not None
    return row


_SENTENCES: dict[str, Callable[[History, Conflict], str]] = {
    "phantom": _phantom,
    "twice": _twice,
    "ring": _ring,
    "order": _order,
    "between": _between,
    "mismatch": _mismatch,
}
