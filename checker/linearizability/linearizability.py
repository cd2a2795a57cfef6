"""The check `linearizability`: `partita.checker.check` as one of the checks of a run."""

import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from partita.checker.checks import Judgement
from partita.checker.history import History
from partita.checker.linearizability.check import check
from partita.checker.models.model import Model
from partita.checker.verdict import Beginning, Verdict

log = logging.getLogger(__name__)

LEVEL = "linearizable"
# So many operations before the one that cannot follow are worth showing.
SHOWN: Final = 6


class Linearizability:
    """Whether one order of the operations explains every answer and respects real time.

    `model` is what the operations are of: a name, `path/to/file.py:Class`, or a model.
    `time_limit` is in seconds, `memory_limit` in bytes for the whole process; None: no limit.
    """

    name = "linearizability"
    levels = (LEVEL,)
    default = LEVEL

    def __init__(
        self,
        model: str | Model = "cas-register",
        time_limit: float | None = None,
        memory_limit: int | None = None,
    ) -> None:
        self.model = model
        self.time_limit = time_limit
        self.memory_limit = memory_limit

    def within(self, time_limit: float | None, memory_limit: int | None) -> "Linearizability":
        """Return the same check with these limits."""
        return Linearizability(self.model, time_limit, memory_limit)

    def verdict_on(self, history: History) -> Verdict:
        """Return what `partita.checker.check` says."""
        return check(
            history, self.model, time_limit=self.time_limit, memory_limit=self.memory_limit
        )

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        verdict = self.verdict_on(history)
        found = verdict.counterexample
        if found:
            found = replace(found, beginning=beginning_of(verdict))
        return Judgement(
            self.name,
            {LEVEL: verdict.valid},
            {LEVEL: found} if found else {},
            reason=verdict.reason,
            figures=verdict.details,
            seconds=verdict.seconds,
            engine=verdict.engine,
            model=verdict.model,
            keys=verdict.keys,
            notes=verdict.notes,
        )


def beginning_of(verdict: Verdict) -> Beginning | None:
    """Return how far there is an order of a history that is not linearizable, if that is known."""
    try:
        order = verdict.order
    except Exception:
        # A model of somebody's may not bear to be asked what could have happened. What was found
        # without does not depend on that.
        log.exception("no order of the beginning could be told")
        return None
    return order.beginning(SHOWN) if order else None
