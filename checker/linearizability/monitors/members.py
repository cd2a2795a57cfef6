"""The members engine: sets of which single elements are added, removed and asked for.

Elements are independent objects (Herlihy and Wing, TOPLAS 1990: linearizability is local), each
no more than in or out. So each is decided by itself, by all that may have been done after each
of its events (Lowe, Concurrency and Computation 2017: operations are put in order as late as
possible). It stays small because a question is done as soon as the state answers it, which
changes nothing; because of pending operations that do the same the one that must be over first
is taken first (two of them can change places); and because of crashed ones only the count
matters, of which fewer is better. Exponential only in what is under way on one element at once;
if that is too much, the engine declines.

Each is native (checker/native/linearizability/monitors/membership.cpp).
"""

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.explain import capital, listed, moment, quoted, who
from partita.checker.history import OUTCOMES, CodeColumn, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import (
    INVALID,
    VALID,
    acts,
    numbers,
    placed,
    stopped,
    unfit,
)
from partita.checker.linearizability.monitors.sets import ACTS
from partita.checker.models.model import frozen
from partita.checker.models.set import Set
from partita.checker.verdict import Finding, Limits, Mismatch

_ADD, _REMOVE, _FOUND_IN, _FOUND_OUT = range(4)

# A reader does not want to see more operations than this in one sentence.
_SHOWN = 12


def members(
    history: History, rows: IntColumn, model: Set, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide a set that is not read whole, or decline."""
    f = acts(history, rows, model, ACTS)
    is_read = f == ACTS["read"]
    if not (f > ACTS["read"]).any():
        return None
    if (is_read & (history.outcome[rows] == OUTCOMES.index("ok"))).any():
        return Declined("elements are asked for or removed, and all are read: the search decided")
    rows = rows[~is_read]
    answer, rule, named, _ = _decided(history, rows, model, limits, ordered=False)
    if answer == VALID:
        return Finding(True)
    if answer == INVALID:
        return _explained(history, rows, model, [int(rows[at]) for at in named])
    if rule == "crowded":
        return Declined("too much was under way on one element at once: the search decided")
    return stopped(rule)


def order(history: History, rows: IntColumn, model: Set, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    rows = rows[acts(history, rows, model, ACTS) != ACTS["read"]]
    places = placed(_decided(history, rows, model, limits, ordered=True))
    found: IntColumn = rows[places]
    return found


def _decided(
    history: History, rows: IntColumn, model: Set, limits: Limits, *, ordered: bool
) -> tuple[int, str, list[int], list[int]]:
    f = acts(history, rows, model, ACTS)
    is_ok = history.outcome[rows] == OUTCOMES.index("ok")
    asks = f == ACTS["contains"]
    found = _answers(history, rows[asks & is_ok], model)
    act = np.where(f == ACTS["add"], _ADD, _REMOVE).astype(np.int8)
    act[asks] = _FOUND_OUT
    act[np.flatnonzero(asks & is_ok)[found]] = _FOUND_IN
    first = list(dict.fromkeys(frozen(each) for each in model.values or ()))
    numbered = numbers(history, [history.input[rows]], first)
    elements, present = _present_first(numbered.columns[0], numbered.extra, numbered.count)
    return _native.monitor_members(
        act,
        elements,
        history.invoked_rank[rows],
        history.completed_rank[rows],
        numbered.count,
        present,
        ordered,
        limits.deadline,
        limits.memory_bytes,
        limits.stop,
    )


def _answers(history: History, asked: IntColumn, model: Set) -> npt.NDArray[np.bool_]:
    """Return what these questions were answered. Raises `ModelError` for what is no answer."""
    codes, places = np.unique(history.output[asked], return_inverse=True)
    values = [history.values.decoded(int(code)) for code in codes]
    for code, value in zip(codes, values, strict=True):
        if not isinstance(value, bool):
            wrong = int(asked[np.argmax(history.output[asked] == code)])
            raise unfit(history, wrong, model, "which is neither true nor false")
    return np.array(values, dtype=np.bool_)[places]


def _present_first(elements: CodeColumn, first: list[int], count: int) -> tuple[CodeColumn, int]:
    """Number anew, so that those that are in at first have the first numbers."""
    order = np.argsort(~np.isin(np.arange(count), first), kind="stable")
    number = np.empty(count, dtype=np.int32)
    number[order] = np.arange(count, dtype=np.int32)
    return number[elements], len(set(first))


def _explained(history: History, rows: IntColumn, model: Set, named: list[int]) -> Finding:
    named = sorted(named)
    last = max(named, key=lambda row: history.completed_rank[row])
    return Finding(False, tuple(named), _sentence(history, rows, named, last))


def _sentence(history: History, rows: IntColumn, named: list[int], last: int) -> str:
    asked = history[last]
    element = quoted(asked.input)
    if asked.f == "contains":
        other = "add" if asked.output else "remove"
        begun = rows[history.invoked_rank[rows] < history.completed_rank[last]]
        changes = begun[
            (history.f[begun] == history.f_code(other))
            & (history.input[begun] == history.input[last])
        ]
        over = moment(history, last, completed=True)
        none_begun = f"no {other} of {element} had begun when that was over at {over}"
        if len(named) == 1 and not len(changes):
            was = "not in" if asked.output else "in"
            return (
                f"{capital(who(history, last))} is wrong: it was {was} at first, and {none_begun}."
            )
        (before,) = set(named) - {last} if len(named) == 2 else (last,)
        is_over = history.completed_rank[before] < history.invoked_rank[last]
        between = history.completed_rank[changes] > history.invoked_rank[before]
        if is_over and not between.any():
            return (
                f"{capital(who(history, before))} was over at"
                f" {moment(history, before, completed=True)}, before {who(history, last)} was"
                f" invoked at {moment(history, last)}. But no {other} of {element} came after it."
            )
    if len(named) == 1 or len(named) > _SHOWN:
        return (
            f"All that was over before {moment(history, last, completed=True)} can be put in order,"
            f" but then {who(history, last)} has no place in it."
        )
    names = [who(history, row) for row in named]
    return (
        f"{capital(listed(names))} do not fit together in any order, whichever of the other"
        f" operations on {element} happened."
    )


ENGINE = Engine("members", members, (Set,), "sets", order)
