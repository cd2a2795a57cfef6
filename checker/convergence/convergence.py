"""The check `convergence`: in the end all nodes show the same, and all that was acknowledged.

It is for sets that only grow and for counters, whose nodes may differ while the run goes on. The
definition, which `reference.py` tries out literally:

- No read of a set, whenever it is, shows an element that nobody had tried to add by then, nor one
  whose add certainly failed, nor one twice.
- In the end every node shows the same. It is all that was acknowledged, and of what nobody knows
  any part.

The end is a matter of time, as there is no other sign of it: nodes that gossip take a while. So
nodes that differ are blamed only if nothing had changed for `settle` seconds before each one's last
answer, after all was healed. If something had, or if a node gave no answer, nobody knows. Nodes
that are the same are the same: then nobody waits.
"""

import time
from collections.abc import Collection, Iterator
from typing import Annotated, Any

import numpy as np

from partita.checker.checks import Judgement
from partita.checker.convergence import counters, sets
from partita.checker.convergence.looks import ADDS, OK, READ, heal_of, looks_at, places_of
from partita.checker.convergence.outcome import Outcome
from partita.checker.history import History
from partita.checker.settings import Setting

LEVEL = "eventual"
SETTLE_S = 10.0

Settle = Annotated[
    float,
    Setting("Seconds without any change after which nodes that differ are blamed.", 0, 100_000),
]


class Convergence:
    """Whether the copies of a set or a counter are the same in the end, with all acknowledged."""

    name = "convergence"
    levels = (LEVEL,)
    default: str | None = LEVEL

    def __init__(self, settle: Settle = SETTLE_S) -> None:
        self.settle = settle

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        outcomes = list(self._outcomes(history))
        if len(history) and not outcomes:
            why = "nothing is added to a set or a counter, and read"
            return Judgement(self.name, {}, reason=why, applies=False)
        wrong = next((each.found for each in outcomes if each.found), None)
        reason = next((each.reason for each in outcomes if each.answer == "unknown"), None)
        if not outcomes:
            reason = "no operation was invoked"
        return Judgement(
            self.name,
            {LEVEL: False if wrong else "unknown" if reason else True},
            {LEVEL: wrong} if wrong else {},
            reason=None if wrong else reason,
            figures=outcomes[0].figures if len(outcomes) == 1 else {},
            seconds=time.perf_counter() - begin,
            engine="comparing",
            keys=len(outcomes),
        )

    def _outcomes(self, history: History) -> Iterator[Outcome]:
        """Judge each key by itself."""
        is_add = history.among(ADDS)
        is_read = history.f == history.f_code(READ)
        read = np.flatnonzero(is_read & (history.outcome == OK))
        if not is_add.any():
            return
        kind: Any = sets if _is_of_sets(history, read) else counters
        heal, places, settle_ns = heal_of(history), places_of(history), round(self.settle * 1e9)
        for key in np.unique(history.key[is_add | is_read]).tolist():
            adds = np.flatnonzero(is_add & (history.key == key))
            reads = read[history.key[read] == key]
            looks = looks_at(history, reads, heal, places, lambda row: kind.shown_by(history, row))
            name = history.decoded_key(key)
            yield kind.judged(history, name, adds, reads, looks, settle_ns)


def _is_of_sets(history: History, read: Any) -> bool:
    """Say whether any read is answered with a list, or, if there are none, what was added to."""
    if not len(read):
        return "broadcast" in history.fs
    answers = np.unique(history.output[read])
    return any(isinstance(history.values.decoded(each), list) for each in answers)
