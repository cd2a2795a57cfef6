"""The search engine: any model, by looking for an order of the operations.

The search is native, over integers (native/linearizability/frontier.h has one event, decide.h the
whole).
It goes through the events and keeps the set of *configurations* that are possible after each:
what the state may be, which pending operations may have been done, and how many of the crashed
ones have been used. Only pending operations can be in doubt, so that a configuration is as wide
as the window of operations under way, not as the history is long.

Where that set grows large, only the most promising few are kept (a beam). If the beam reaches
the end, an order exists: valid. If it dies, local refutation starts a little before from any
state, with everything that is pending there optional and every crashed operation reusable.
That contains every true configuration, so that if it dies too, the history is invalid, whatever
came before. Else windows and beams grow by turns, until a beam that left nothing out decides.

Beside all this, for as much time, goes a descent (descent.h): one order at a time, depth first. It
is quick where beams drown in what is possible. When nothing is left to try, the history is invalid.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from partita.checker import _native
from partita.checker.history import History, IntColumn, Op
from partita.checker.linearizability.chain import kinds_of_f, recorded
from partita.checker.linearizability.engine import Engine
from partita.checker.linearizability.places import together
from partita.checker.linearizability.register_view import register_view
from partita.checker.linearizability.search_explanation import explain
from partita.checker.models.cas_register import CasRegister
from partita.checker.models.cells import Cells
from partita.checker.models.model import Model, ModelError
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search; only tests need another than the usual.

    `beam` is how many configurations are kept after an event (0: all), `window` how many
    events the first local refutation goes back (0: none is tried). A beam does not tell apart
    how often a crashed operation was used of which `plenty` are left. The first refutation
    demotes all but so many operations that at most `tracked` are under way at once. `without`
    names the reductions to leave out: p(ure), h(idden), e(arliest), u(seful), c(ommute),
    d(ominate), (u)n(seen). If it is `ordered`, the order that was found is kept. A descent goes
    down beside the rest, alone, or not at all; crashed operations that are `few` it soon tries
    everywhere. Unless it `explains`, it only says what is invalid.
    """

    beam: int = 4
    window: int = 64
    plenty: int = 16
    tracked: int = 6
    without: str = ""
    ordered: bool = False
    descents: Literal["none", "beside", "alone"] = "beside"
    few: int = 32
    explains: bool = True


PLAN: Final = Plan()
_VALID, _INVALID, _UNKNOWN = range(3)
_DESCENTS: Final = ("none", "beside", "alone")


def search(
    history: History,
    rows: IntColumn,
    model: Model,
    limits: Limits,
    mismatch: Mismatch,
    plan: Plan = PLAN,
) -> Finding | None:
    """Decide one key's operations under any model, within the limits."""
    if view := register_view(history, rows, model):
        found = search(view.history, rows, view.model, limits, mismatch, plan)
        return view.told(found) if found else None
    if isinstance(model, CasRegister):
        rows = recorded(history, rows, model)
        answer = _search_register(history, rows, model, limits, plan)
    else:
        answer = _search_table(history, rows, model, limits, plan)
    decision, stopped, place, rank, contradiction, nodes, explaining, _ = answer
    details: dict[str, Any] = {"configurations": nodes}
    if decision == _VALID:
        return Finding(True, details=details)
    if decision == _UNKNOWN:
        reason = f"{stopped} reached" if stopped.endswith("limit") else stopped
        return Finding("unknown", reason=reason, proven=rank, details=details)
    details["explaining_seconds"] = round(explaining, 6)
    last = int(rows[place])
    if not plan.explains:
        return Finding(False, (last,), details=details)
    operations, explanation = explain(
        history, rows, model, last, sorted(int(rows[each]) for each in contradiction)
    )
    return Finding(False, operations, explanation, details=details)


def order(
    history: History, rows: IntColumn, model: Model, limits: Limits, plan: Plan = PLAN
) -> IntColumn:
    """Return rows in an order that proves it valid, by the same search once more."""
    if view := register_view(history, rows, model):
        return order(view.history, rows, view.model, limits, plan)
    plan = replace(plan, ordered=True)
    if isinstance(model, CasRegister):
        known = recorded(history, rows, model)
        answer = _search_register(history, known, model, limits, plan)
    else:
        known = rows
        answer = _search_table(history, known, model, limits, plan)
    decision, stopped, *_, places = answer
    if decision != _VALID:
        raise LimitReached(f"{stopped} reached" if stopped.endswith("limit") else stopped)
    anywhere = np.setdiff1d(rows, known)
    return together(history, [known[np.array(places, dtype=np.int64)], anywhere])


_Answer = tuple[int, str, int, int, list[int], int, float, list[int]]


def _search_register(
    history: History, rows: IntColumn, model: CasRegister, limits: Limits, plan: Plan
) -> _Answer:
    return _native.search_register(
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
        plan.beam,
        plan.window,
        plan.plenty,
        plan.tracked,
        plan.without,
        plan.ordered,
        _DESCENTS.index(plan.descents),
        plan.few,
        plan.explains,
    )


def _search_table(
    history: History, rows: IntColumn, model: Model, limits: Limits, plan: Plan
) -> _Answer:
    kinds, examples = _native.kinds_of(
        rows, history.f, history.input, history.output, history.outcome
    )
    ops = [history[row] for row in examples]
    in_cells = getattr(model, "in_cells", None)  # to ask whether it is `InCells` takes longer
    cells: Cells | None = in_cells(ops) if in_cells else None
    reads, overwrites = (getattr(model, name, ()) for name in ("reads", "overwrites"))
    return _native.search_table(
        rows,
        kinds,
        [op.f in reads for op in ops],
        [op.f in overwrites for op in ops],
        None if cells else _Transitions(model, ops),
        cells.first if cells else (),
        cells.steps if cells else (),
        history.outcome,
        history.invoked_rank,
        history.completed_rank,
        limits.deadline,
        limits.memory_bytes,
        limits.stop,
        plan.beam,
        plan.window,
        plan.plenty,
        plan.tracked,
        plan.without,
        plan.ordered,
        _DESCENTS.index(plan.descents),
        plan.few,
        plan.explains,
    )


class _Transitions:
    """A model's steps by numbers: states are numbered as they come, the initial one is 0."""

    def __init__(self, model: Model, ops: list[Op]) -> None:
        self.model = model
        self.ops = ops
        reads, overwrites = (getattr(model, name, ()) for name in ("reads", "overwrites"))
        self.reads = [op.f in reads for op in ops]
        self.overwrites = [op.f in overwrites for op in ops]
        self.states: list[Any] = []
        # Many small tables: one large one would need thrice its memory in the moment it grows.
        self.numbers: list[dict[Any, int]] = [{} for _ in range(64)]
        self._number(model.initial)

    def __call__(self, state: int, kind: int) -> int:
        op = self.ops[kind]
        after = self.model.step(self.states[state], op)
        if self.overwrites[kind]:
            self._hold_to_overwriting(state, op, after)
        if after is None:
            return -1
        number = self._number(after)
        if self.reads[kind] and number != state:
            raise ModelError(
                f"model {self.model.name} declares {op.f!r} among its reads, but it changes"
                f" {self.states[state]!r} to {after!r}"
            )
        return number

    def _hold_to_overwriting(self, state: int, op: Op, after: Any) -> None:
        if after is None or after != self.model.step(self.model.initial, op):
            raise ModelError(
                f"model {self.model.name} declares {op.f!r} among its overwrites, but what it leads"
                f" to from {self.states[state]!r} is not what it leads to from"
                f" {self.model.initial!r}"
            )

    def _number(self, state: Any) -> int:
        try:
            number = self.numbers[hash(state) % 64].setdefault(state, len(self.states))
        except TypeError:
            name = type(state).__name__
            raise ModelError(
                f"states of model {self.model.name} must be hashable, but {state!r} is a {name}:"
                " return a tuple or a frozenset"
            ) from None
        if number == len(self.states):
            self.states.append(state)
        return number


ENGINE = Engine("search", search, order=order)
