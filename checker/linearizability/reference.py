"""The oracle: linearizability by its definition, tried out exhaustively.

Short enough to be believed by reading, exponential, and so for a dozen operations at most.
Every engine is compared with it in the tests; nothing else uses it.
"""

from functools import cache

from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.models.model import Model, State


def linearizable(history: History, rows: IntColumn, model: Model) -> bool:
    """Say whether one order of these operations respects real time and fits the model.

    `rows` are the operations that count, as an engine gets them: every "ok" one must take its
    place in the order, every "info" one may, and a "fail" one is an observation that must too.
    """
    ops = {int(row): history[int(row)] for row in rows}
    invoked = {row: int(history.invoked_rank[row]) for row in ops}
    completed = {row: int(history.completed_rank[row]) for row in ops}
    needed = frozenset(row for row in ops if OUTCOMES[history.outcome[row]] != "info")

    @cache
    def possible(left: frozenset[int], state: State) -> bool:
        if not left & needed:
            return True
        # An operation can be the next one only if none of the others was over before it began.
        limit = min(completed[row] for row in left & needed)
        for row in left:
            if invoked[row] <= limit:
                after = model.step(state, ops[row])
                if after is not None and possible(left - {row}, after):
                    return True
        return False

    return possible(frozenset(ops), model.initial)
