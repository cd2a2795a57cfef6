"""The search engine: any model, by looking for an order of the operations.

The search is native (checker/native/frontier.h: one event; decide.h: the whole), over integers.
It goes through the events and keeps the set of *configurations* that are possible after each:
what the state may be, which pending operations may have been done, and how many of the crashed
ones have been used. Only pending operations can be in doubt, so that a configuration is as wide
as the window of operations under way, not as the history is long.

Where that set grows large, only the most promising few are kept (a beam). If the beam reaches
the end, an order exists: valid. If it dies, local refutation starts a little before from any
state, with everything that is pending there optional and every crashed operation reusable.
That contains every true configuration, so that if it dies too, the history is invalid, whatever
came before. Else windows and beams grow by turns, until a beam that left nothing out decides.
"""

from dataclasses import dataclass
from typing import Final

from checker import _native
from checker.chain import kinds_of_f
from checker.explain import who
from checker.history import History, IntColumn
from checker.models import CasRegister, Model
from checker.verdict import Finding, Limits, Mismatch


@dataclass(frozen=True, slots=True)
class Plan:
    """How to search; only tests need another than the usual.

    `beam` is how many configurations are kept after an event (0: all). `without` names the
    reductions to leave out: p(ure), h(idden), e(arliest), u(seful), d(ominate), (u)n(seen).
    """

    beam: int = 4
    refute: bool = True
    without: str = ""


PLAN: Final = Plan()
_VALID, _INVALID, _UNKNOWN = range(3)


def search(
    history: History,
    rows: IntColumn,
    model: Model,
    limits: Limits,
    mismatch: Mismatch,
    plan: Plan = PLAN,
) -> Finding | None:
    """Decide one key's operations under any model, within the limits."""
    if not isinstance(model, CasRegister):
        return None
    decision, stopped, place, rank, nodes = _native.search_register(
        rows,
        kinds_of_f(history, rows),
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
        plan.refute,
        plan.without,
    )
    details = {"configurations": nodes}
    if decision == _VALID:
        return Finding(True, details=details)
    if decision == _UNKNOWN:
        return Finding("unknown", reason=f"{stopped} reached", proven=rank, details=details)
    row = int(rows[place])
    sentence = f"No order of the operations can hold {who(history, row)}."
    return Finding(False, (row,), sentence, details=details)
