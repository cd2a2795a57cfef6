"""The chain engine: registers whose observed values were each written by one operation only.

Then the history is decided in O(n log n), and crashed operations cost nothing. The argument
(it extends Gibbons and Korach, "Testing Shared Memories", SIAM J. Comput. 1997):

1. Every "ok" operation happened. An "info" write or cas happened if its value was observed by
   an operation that happened, as a read's output or as the old value of a cas. Leaving out the
   others loses nothing: in any order that contains one, taking it out leaves an order.
2. A value observed, but never written and not the initial one: invalid.
3. A cas from u to v stands directly after the last read of u and directly before the first
   read of v. So two cas from one u: invalid; and values hang together in chains, the first
   written by a plain write (or initial), the others by cas. A cas in no chain (a ring): invalid.
4. Inside a chain the order is forced, but for reads of one value among themselves. An
   operation that completed before one of an earlier place was invoked: invalid.
5. Chains cannot be interleaved. Let m be a chain's least completion and M its greatest
   invocation. Chain C must come before D exactly if m(C) < M(D). If that relation has a cycle it
   has one of two chains: two forward chains (m < M) whose intervals [m, M] overlap, or a
   backward chain (M < m) whose interval [M, m] lies inside a forward one's. None: valid.

Values that were never observed need no single writer: each such write is a place of its own.
The search is native (checker/native/linearizability/chain.cpp); this file says what it found.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.explain import quoted
from partita.checker.history import OUTCOMES, History, IntColumn, Op
from partita.checker.linearizability.chain_explanation import Conflict, explain, left_behind
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.places import together
from partita.checker.linearizability.register_view import register_view
from partita.checker.models.cas_register import CasRegister
from partita.checker.models.kv import KeyValue
from partita.checker.models.model import Model, ModelError
from partita.checker.values import NO_PAIR, NULL
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch

_KINDS: Final = ("read", "write", "cas")
_VALID, _INVALID, _NOT_APPLICABLE = range(3)


def chain(
    history: History, rows: IntColumn, model: Model, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one register in O(n log n), or return None if this engine does not apply."""
    if isinstance(model, KeyValue):
        return _under_other_names(history, rows, model, limits, mismatch)
    if not isinstance(model, CasRegister):
        return None
    rows = recorded(history, rows, model)
    answer, kind, roles, links, _ = _decided(history, rows, model, limits, ordered=False)
    if answer == _VALID:
        return Finding(True)
    if answer == _NOT_APPLICABLE:
        return None
    if answer != _INVALID:
        return Finding("unknown", reason=f"{kind} reached")
    conflict = Conflict(
        kind,
        [int(rows[each]) if each >= 0 else None for each in roles],
        [int(rows[each]) for each in links],
        model.value,
    )
    return explain(history, rows, conflict)


def order(
    history: History, rows: IntColumn, model: CasRegister | KeyValue, limits: Limits
) -> IntColumn:
    """Return rows in an order that proves it valid."""
    if isinstance(model, KeyValue):
        view = register_view(history, rows, model)
        assert view is not None
        return order(view.history, rows, view.model, limits)
    known = recorded(history, rows, model)
    answer, kind, *_, places = _decided(history, known, model, limits, ordered=True)
    if answer != _VALID:
        raise LimitReached(f"{kind} reached")
    anywhere = np.setdiff1d(rows, known)
    return together(history, [known[np.array(places, dtype=np.int64)], anywhere])


def _decided(
    history: History, rows: IntColumn, model: CasRegister, limits: Limits, *, ordered: bool
) -> tuple[int, str, list[int], list[int], list[int]]:
    return _native.chain(
        rows,
        kinds_of_f(history, rows, model),
        history.f,
        history.input,
        history.output,
        history.outcome,
        history.invoked_rank,
        history.completed_rank,
        history.pairs,
        history.code(model.value),
        limits.deadline,
        limits.memory_bytes,
        limits.stop,
        ordered,
    )


def _under_other_names(
    history: History, rows: IntColumn, model: KeyValue, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    view = register_view(history, rows, model)
    if view is None:
        return None
    found = chain(view.history, rows, view.model, limits, mismatch)
    if isinstance(found, Finding):
        return view.told(found)
    return Declined("a value that was got had been put more than once, so that the search decided")


def recorded(history: History, rows: IntColumn, model: CasRegister) -> IntColumn:
    """Leave out the reads whose value was not recorded: they fit anywhere.

    See `CasRegister`: these are reads of null, of a register that never held it.
    """
    if model.value is None or (left_behind(history, rows) == NULL).any():
        return rows
    is_read = history.f[rows] == history.f_code("read")
    is_ok = history.outcome[rows] == OUTCOMES.index("ok")
    kept: IntColumn = rows[~(is_read & is_ok & (history.output[rows] < 0))]
    return kept


def kinds_of_f(history: History, rows: IntColumn, model: CasRegister) -> npt.NDArray[np.int8]:
    """Give each f its number in the native code; refuse operations that the model has not."""
    known = _KINDS if model.name == "cas-register" else _KINDS[:2]
    kinds = np.array([known.index(f) if f in known else -1 for f in history.fs], dtype=np.int8)
    codes = history.f[rows]
    strange = rows[kinds[codes] < 0]
    if not len(strange):
        cas = rows[kinds[codes] == _KINDS.index("cas")]
        inputs = history.input[cas]
        strange = cas[inputs < 0]
        if not len(strange):
            strange = cas[history.pairs[inputs, 0] == NO_PAIR]
    if len(strange):
        raise _unfit(history[int(strange[0])], model)
    return kinds


def _unfit(op: Op, model: CasRegister) -> ModelError:
    what = f"operation {op.index} is {op.f!r} with value {quoted(op.input)}"
    return ModelError(f"model {model.name} does not fit the history: {what}")


ENGINE = Engine("chain", chain, (CasRegister, KeyValue), "registers", order)
