"""The check `linearizability`: `partita.checker.check` as one of the checks of a run."""

from collections.abc import Collection

from partita.checker.checks import Judgement
from partita.checker.history import History
from partita.checker.linearizability.check import check
from partita.checker.models.model import Model

LEVEL = "linearizable"


class Linearizability:
    """Whether one order of the operations explains every answer and respects real time.

    `model` is what the operations are of: a name, `path/to/file.py:Class`, or a model.
    """

    name = "linearizability"
    levels = (LEVEL,)
    default = LEVEL

    def __init__(self, model: str | Model = "cas-register") -> None:
        self.model = model

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        verdict = check(history, self.model)
        found = verdict.counterexample
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
        )
