"""The check `leases`: whether ephemeral entries go when their sessions do, and not before.

`docs/coordination.md` has the definitions. How late an entry goes is measured, and judged only
if it is still there at the end, when nothing is broken any more.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

import numpy as np

from partita.checker.checks import Judgement
from partita.checker.collection import uncollected
from partita.checker.history import NEVER, History
from partita.checker.leases.entries import Kept, kept_of
from partita.checker.leases.explanation import explained
from partita.checker.leases.rules import RULES, Fate, broken, fates
from partita.checker.lives import SECOND, Unreadable
from partita.checker.settings import Setting
from partita.checker.verdict import Validity

NAME = "leases"
LEVEL = "kept"


class Thresholds:
    """How late ephemeral entries may go."""

    def __init__(
        self,
        max_late: Annotated[
            float | None,
            Setting("Longest time for which an entry may outlive its session.", 0, metavar="S"),
        ] = None,
    ) -> None:
        self.max_late = max_late

    def missed(self, figures: Mapping[str, Any]) -> list[str]:
        """Say whether it was missed. What was not measured is missed too."""
        worst, most = figures.get("latest_s"), self.max_late
        if most is None or (worst is not None and worst <= most):
            return []
        said = "no entry was seen to go late or in time" if worst is None else (
            f"an entry was still there {worst:g} s after its session was over"
        )  # fmt: skip
        return [f"{said}, --max-late is {most:g}"]


class Leases:
    """Whether ephemeral entries live exactly as long as the store owes them to their sessions."""

    name = NAME
    levels = (LEVEL,)
    default: str | None = LEVEL
    thresholds = Thresholds

    @staticmethod
    def recognises(history: History) -> bool:
        """Say whether somebody makes an ephemeral entry in a history."""
        return "ephemeral" in history.fs

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        with uncollected():
            found = _judged(history)
        keys = found.pop("keys", 0)
        seconds = time.perf_counter() - begin
        return Judgement(NAME, **found, seconds=seconds, engine="looks", keys=keys)


def _judged(history: History) -> dict[str, Any]:
    try:
        kept = kept_of(history)
    except Unreadable as unreadable:
        return {"levels": {LEVEL: "unknown"}, "reason": str(unreadable)}
    if kept is None:
        nothing = "nobody makes an ephemeral entry in it"
        return {"levels": {}, "applies": False, "reason": nothing}
    found = fates(kept)
    violations = broken(kept, found, final_reads(history))
    counts = Counter(each.rule for each in violations)
    figures = _figures(kept, found)
    figures["violations"] = {rule: counts[rule] for rule in RULES if counts[rule]}
    reason = None if violations else _untested(kept, found)
    answer: Validity = "unknown" if reason else not violations
    examples = {LEVEL: explained(kept, violations[0])} if violations else {}
    keys = len({entry.key for entry in kept.entries})
    return {"levels": {LEVEL: answer}, "found": examples, "reason": reason, "figures": figures,
            "keys": keys}  # fmt: skip


def final_reads(history: History) -> int:
    """Return when the final reads began, `NEVER` if the history does not say."""
    phases = history.others.of("phase")
    reads = (each.time for each in phases if each.value == "final reads" and each.time >= 0)
    return next(reads, NEVER)


def _untested(kept: Kept, found: Sequence[Fate]) -> str | None:
    if not kept.entries:
        return "no ephemeral entry was ever made"
    if not kept.looks:
        return "nobody looked at an ephemeral entry"
    if not any(fate.expired for fate in found):
        return "no lease ever expired while somebody looked"
    return None


def _figures(kept: Kept, found: Sequence[Fate]) -> dict[str, Any]:
    expired = [fate for fate in found if fate.expired]
    late = [fate.late_ns for fate in expired]
    after = [fate.gone.time - fate.entry.life.owed for fate in expired if fate.gone.time < NEVER]
    return {
        "entries": len(found),
        "looks": len(kept.looks),
        "expired": len(expired),
        "ended": sum(fate.entry.end_answered < NEVER for fate in found),
        "latest_s": _s(max(late)) if late else None,
        "late": sum(each > 0 for each in late),
        "gone_after_s": _quantiles(after),
    }


def _quantiles(ns: Sequence[int]) -> dict[str, float] | None:
    """Say when entries were seen gone, counted from the moment until which they were owed."""
    if not ns:
        return None
    return {"median": _s(float(np.median(ns))), "most": _s(max(ns))}


def _s(ns: float) -> float:
    return round(ns / SECOND, 6)
