"""A proof that a history is linearizable, checked step by step: shorter than any engine.

Whoever does not believe an engine believes this: it knows nothing of engines, only the model and
the times at which operations began and ended.
"""

import numpy as np
import numpy.typing as npt

from partita.checker.explain import who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.models.model import Model


def replay(
    history: History, model: Model, order: npt.ArrayLike, rows: IntColumn | None = None
) -> str | None:
    """Say what is wrong with an order of operations on one object; None: it proves them valid.

    `order` are rows of the history, all on one key, `rows` those that count (else all that did
    not fail). Each must be possible in the state that those before it left behind, none may have
    been over before one that stands before it was invoked, and all with outcome "ok" must be there
    once.
    """
    order = np.asarray(order, dtype=np.int64)
    if rows is None:
        rows = np.flatnonzero(history.outcome != OUTCOMES.index("fail"))
    return (
        _miscounted(history, order, rows)
        or _out_of_time(history, order)
        or _impossible(history, model, order)
    )


def _miscounted(history: History, order: IntColumn, rows: IntColumn) -> str | None:
    found, times = np.unique(order, return_counts=True)
    if len(found) < len(order):
        return f"{who(history, int(found[np.argmax(times > 1)]))} is there more than once"
    if len(strange := np.setdiff1d(found, rows)):
        return f"operation {strange[0]} is none of those that count"
    needed = rows[history.outcome[rows] != OUTCOMES.index("info")]
    if len(missing := np.setdiff1d(needed, found)):
        return f"{who(history, int(missing[0]))} is not there"
    return None


def _out_of_time(history: History, order: IntColumn) -> str | None:
    latest = np.maximum.accumulate(history.invoked_rank[order])
    late = np.flatnonzero(history.completed_rank[order] < latest)
    if not len(late):
        return None
    row = int(order[late[0]])
    before = order[: late[0]]
    begun = int(before[np.argmax(history.invoked_rank[before])])
    return f"{who(history, row)} was over before {who(history, begun)}, which stands before it"


def _impossible(history: History, model: Model, order: IntColumn) -> str | None:
    state = model.initial
    for row in order.tolist():
        after = model.step(state, history[row])
        if after is None:
            return f"{who(history, row)} is not possible where it stands"
        state = after
    return None
