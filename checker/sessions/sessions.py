"""What each session saw, judged by the versions that the store itself gave to its updates.

**Levels.** All operations have one legal order in which updates stand in the order of their
versions, and an operation stands after all of its session's that were over before it was invoked
(`sequential`); updates stand after whatever was over before them, whoever did it
(`ordered-sequential`: what ZooKeeper promises); so does everything (`linearizable`). The full
definition, tried out exhaustively, is `reference.py`.

**Sessions.** An operation belongs to the session that its field `session` names, else to that of
its process. In a process that names sessions, one that names none belongs to nobody's.
"""

import time
from collections.abc import Collection
from typing import Any

import numpy as np

from partita.checker.checks import Judgement
from partita.checker.history import History
from partita.checker.sessions import lists, registers
from partita.checker.sessions.explanation import explained
from partita.checker.sessions.observed import Contradicted, Unfit
from partita.checker.sessions.order import LEVELS, first_violation
from partita.checker.sessions.placing import Placed, place
from partita.checker.sessions.staleness import Staleness, figures, staleness
from partita.checker.sessions.versions import resolve
from partita.checker.verdict import Counterexample, Validity

NAME = "sessions"
_KINDS = (({"read", "write", "cas"}, registers), ({"read", "add"}, lists))


class Sessions:
    """What each session saw: linearizable, as ZooKeeper orders it, or at least sequential.

    Works on registers (read, write, cas) and lists (read, add) whose store tells versions of one
    order over all keys.
    """

    name = NAME
    levels = LEVELS
    default: str | None = None

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        """Find out which of these levels hold."""
        begin = time.perf_counter()
        wanted = [level for level in LEVELS if level in levels]
        try:
            found = _judgement(history, wanted)
        except Unfit as unfit:
            found = {"levels": {}, "applies": False, "reason": str(unfit)}
        keys = len(np.unique(history.key))
        return Judgement(
            NAME, **found, seconds=time.perf_counter() - begin, engine="versions", keys=keys
        )


def staleness_of(history: History) -> Staleness | None:
    """Measure how old what each read returned was; None where no version tells it."""
    try:
        return staleness(_placed(history))
    except (Unfit, Contradicted):
        return None


def _placed(history: History) -> Placed:
    kind = _kind(history)
    seen = kind.observe(history)
    resolve(seen)
    return place(seen, kind.hidden(seen))


def _judgement(history: History, levels: list[str]) -> dict[str, Any]:
    try:
        placed = _placed(history)
    except Contradicted as contradicted:
        example = Counterexample(contradicted.rows, str(contradicted), contradicted.key)
        return {"levels": dict.fromkeys(levels, False), "found": dict.fromkeys(levels, example)}
    answers: dict[str, Validity] = {}
    found: dict[str, Counterexample] = {}
    for level in levels:
        # A level that holds takes all weaker ones with it.
        answers[level] = True in answers.values() or _answer(placed, level, found)
    doubts = placed.seen.doubts if "unknown" in answers.values() else []
    return {
        "levels": answers,
        "found": found,
        "reason": "; ".join(dict.fromkeys(doubts)) or None,
        "figures": figures(placed),
    }


def _answer(placed: Placed, level: str, found: dict[str, Counterexample]) -> Validity:
    violation = first_violation(placed, level)
    if violation is None:
        return "unknown" if placed.seen.doubts else True
    found[level] = explained(placed, violation)
    return False


def _kind(history: History) -> Any:
    if not len(history):
        raise Unfit("there are no operations")
    if (history.version < 0).all():
        raise Unfit("the store's clients return no versions")
    used = {history.fs[code] for code in np.unique(history.f).tolist()}
    for fs, kind in _KINDS:
        if used <= fs:
            return kind
    raise Unfit(f"it judges read, write and cas, or read and add, not {', '.join(sorted(used))}")
