"""The check `holders`: locks and elections. The store's answer is judged, the clients' belief told.

`docs/coordination.md` has the definitions. What two clients believed at once is no fault of the
store, and so no level: it is measured, by four rules, and a threshold may be set for it.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Annotated, Any, Literal

from partita.checker.checks import Judgement
from partita.checker.collection import uncollected
from partita.checker.history import History
from partita.checker.holders.belief import BELIEFS, joined, overlaps_of
from partita.checker.holders.effect import Effect, effect_of
from partita.checker.holders.explanation import explained
from partita.checker.holders.grants import Holdings, holdings_of
from partita.checker.holders.leadership import leadership_of
from partita.checker.holders.order import RULES, broken
from partita.checker.lives import SECOND, Unreadable
from partita.checker.settings import Setting
from partita.checker.verdict import Validity

NAME = "holders"
LEVEL = "exclusive"
Belief = Literal["naive", "told", "suspended", "deadline"]
MaxOverlap = Annotated[
    float | None,
    Setting("Longest time for which two may believe to hold one lock.", 0, metavar="S"),
]


class Thresholds:
    """What overlaps of belief may come to."""

    def __init__(self, max_overlap: MaxOverlap = None) -> None:
        self.max_overlap = max_overlap

    def missed(self, figures: Mapping[str, Any]) -> list[str]:
        """Say which thresholds were missed. What was not measured is missed too."""
        found = []
        longest, most = figures.get("longest_overlap_s"), self.max_overlap
        if most is not None and (longest is None or longest > most):
            said = "no belief was measured"
            if longest is not None:
                rule = figures["belief"]
                said = f"two believed to hold one lock for {longest:g} s (by the rule {rule})"
            found.append(f"{said}, --max-overlap is {most:g}")
        return found


class ElectionThresholds(Thresholds):
    """What overlaps of belief, and times without a leader, may come to."""

    def __init__(
        self,
        max_overlap: MaxOverlap = None,
        max_leaderless: Annotated[
            float | None, Setting("Longest time without a leader.", 0, metavar="S")
        ] = None,
    ) -> None:
        super().__init__(max_overlap)
        self.max_leaderless = max_leaderless

    def missed(self, figures: Mapping[str, Any]) -> list[str]:
        """Say which thresholds were missed. What was not measured is missed too."""
        found = super().missed(figures)
        longest, most = figures.get("longest_leaderless_s"), self.max_leaderless
        if most is not None and (longest is None or longest > most):
            said = "nobody led" if longest is None else f"nobody led for {longest:g} s"
            found.append(f"{said}, --max-leaderless is {most:g}")
        return found


class Holders:
    """Whether locks and leaderships are granted to one at a time, to sessions that are alive."""

    name = NAME
    levels = (LEVEL,)
    default: str | None = LEVEL
    thresholds = Thresholds

    def __init__(self, belief: Belief = "told") -> None:
        """`belief` is the rule by which the clients of the history stop to believe."""
        self.belief = belief

    @staticmethod
    def recognises(history: History) -> bool:
        """Say whether a history is of an election, or of locks with tokens."""
        acquired = history.f == history.f_code("acquire")
        return "campaign" in history.fs or bool((history.version[acquired] >= 0).any())

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        with uncollected():
            found = _judged(history, self.belief)
        keys = found.pop("keys", 0)
        seconds = time.perf_counter() - begin
        return Judgement(NAME, **found, seconds=seconds, engine="tokens", keys=keys)


class Leaders(Holders):
    """The same of a workload of elections: of locks no time without a leader is measured."""

    thresholds = ElectionThresholds


def _judged(history: History, belief: str) -> dict[str, Any]:
    try:
        holdings = holdings_of(history)
        if holdings is None:
            nothing = "nobody acquires a lock or campaigns in it"
            return {"levels": {}, "applies": False, "reason": nothing}
        effect = effect_of(holdings)
    except Unreadable as unreadable:
        return {"levels": {LEVEL: "unknown"}, "reason": str(unreadable)}
    violations = broken(holdings)
    figures = _figures(holdings, belief, effect)
    figures["violations"] = _counted([each.rule for each in violations])
    reason = None if violations else _untested(holdings, figures)
    answer: Validity = "unknown" if reason else not violations
    examples = {LEVEL: explained(holdings, violations[0])} if violations else {}
    keys = len(holdings.by_key())
    return {"levels": {LEVEL: answer}, "found": examples, "reason": reason, "figures": figures,
            "keys": keys}  # fmt: skip


def _untested(holdings: Holdings, figures: Mapping[str, Any]) -> str | None:
    """Say why nothing was tested, if nothing was."""
    if not holdings.grants:
        return "nothing was ever granted"
    if not figures["contended"]:
        kind = "lock" if holdings.takes == "acquire" else "election"
        return f"no {kind} was ever contended: nobody asked for one that somebody else held"
    return None


def contended(holdings: Holdings) -> int:
    """Count who asked for what another process held or had asked for, and has not yet left."""
    by_key: dict[Any, list[tuple[int, int, Any]]] = {}
    for asked, until, key, process in holdings.waits:
        by_key.setdefault(key, []).append((asked, until, process))
    count = 0
    for waits in by_key.values():
        last: dict[Any, int] = {}  # the two processes that go on the longest, of those before
        for asked, until, process in sorted(waits, key=lambda each: each[:2]):
            count += any(end > asked and other != process for other, end in last.items())
            last[process] = max(until, last.get(process, until))
            last = dict(sorted(last.items(), key=lambda each: -each[1])[:2])
    return count


def _figures(holdings: Holdings, belief: str, effect: Effect) -> dict[str, Any]:
    rules = {rule: _overlap_figures(holdings, rule, effect) for rule in BELIEFS}
    leads = holdings.takes == "campaign"
    figures = {
        "kind": "elections" if leads else "locks",
        "grants": len(holdings.grants),
        "contended": contended(holdings),
        "lost": sum(grant.told < grant.left for grant in holdings.grants),
        "belief": belief,
        "rules": rules,
        "longest_overlap_s": rules[belief]["longest_s"],
        "effect": _effect_figures(effect) if effect.accesses else None,
    }
    if leads:
        figures |= _leadership_figures(holdings, belief)
    return figures


def _overlap_figures(holdings: Holdings, rule: str, effect: Effect) -> dict[str, Any]:
    found = overlaps_of(holdings, rule)
    of_store = sum(each.store for each in found)
    by_key: dict[Any, list[Any]] = {}
    for each in found:
        by_key.setdefault(each.later.key, []).append(each)
    spans = [end - begin for each in by_key.values() for begin, end in joined(each)]
    return {
        "overlaps": len(found),
        "seconds": _s(sum(spans)),
        "longest_s": _s(max(spans, default=0)),
        "store": of_store,
        "client": len(found) - of_store,
        "stale": effect.stale_by(BELIEFS[rule]),
    }


def _effect_figures(effect: Effect) -> dict[str, Any]:
    return {
        "additions": effect.additions,
        "stale": len(effect.stale),
        "lost": len(effect.lost),
        "lost_fenced": len(effect.lost_fenced),
        "refused": sum(each.stale for each in effect.accesses),
        "refused_fresh": effect.refused_fresh,
    }


def _leadership_figures(holdings: Holdings, belief: str) -> dict[str, Any]:
    found = [leadership_of(holdings, key, BELIEFS[belief]) for key in holdings.by_key()]
    measured = [each for each in found if each is not None]
    if not measured:
        return {"leadership": None, "longest_leaderless_s": None}
    shares = {name: round(sum(getattr(each, name) for each in measured) / len(measured), 6)
              for name in ("one", "none", "several")}  # fmt: skip
    longest = max(each.longest_gap for each in measured)
    return {"leadership": shares, "longest_leaderless_s": _s(longest)}


def _counted(rules: list[str]) -> dict[str, int]:
    counts = Counter(rules)
    return {rule: counts[rule] for rule in RULES if rule in counts}


def _s(ns: int) -> float:
    return round(ns / SECOND, 6)
