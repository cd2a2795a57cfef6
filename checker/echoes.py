"""The check `echo`: each answer is what was asked."""

import time
from collections.abc import Collection
from typing import Any

import numpy as np

from partita.checker.checks import Judgement
from partita.checker.explain import capital, quoted, when
from partita.checker.history import OUTCOMES, History
from partita.checker.values import canonical
from partita.checker.verdict import Counterexample

LEVEL = "echoed"
_OK = OUTCOMES.index("ok")


class Echoed:
    """Whether each echo was answered with the value that was sent."""

    name = "echo"
    levels = (LEVEL,)
    default = LEVEL

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        echoes = history.f == history.f_code("echo")
        if len(history) and not echoes.any():
            return Judgement(self.name, {}, reason="nothing was to be echoed", applies=False)
        answered = np.flatnonzero(echoes & (history.outcome == _OK))
        # Most have the very number of what was asked; of the others the values are looked at.
        suspects = answered[history.output[answered] != history.input[answered]]
        wrong = [int(row) for row in suspects if not _is_echo(history, int(row))]
        found = {LEVEL: _told(history, wrong)} if wrong else {}
        return Judgement(
            self.name,
            {LEVEL: False if wrong else True if len(answered) else "unknown"},
            found,
            reason=None if len(answered) else "no echo was answered",
            figures={"echoes": len(answered), "wrong": len(wrong)},
            seconds=time.perf_counter() - begin,
            engine="comparing",
            keys=1,
        )


def _is_echo(history: History, row: int) -> bool:
    values = history.values
    asked, came = values.decoded(history.input[row]), values.decoded(history.output[row])
    return bool(canonical(asked) == canonical(came))


def _told(history: History, wrong: list[int]) -> Counterexample:
    """Tell the first answer that was none."""
    op: Any = history[wrong[0]]
    more = f" {len(wrong)} answers were wrong." if len(wrong) > 1 else ""
    text = (
        f"process {op.process} sent {quoted(op.input)} to be echoed, and "
        f"{op.node or 'the node'} answered {quoted(op.output)} ({when(history, wrong[0])}).{more}"
    )
    return Counterexample((wrong[0],), capital(text))
