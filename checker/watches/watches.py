"""The check `watches`: whether everybody who watches is told of every change, once and in order.

`docs/coordination.md` has the rules. Streams, one-shot watches and blocking queries have rules of
their own, and what a history has of them is judged by these.
"""

import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from partita.checker.checks import Judgement
from partita.checker.history import History, IntColumn
from partita.checker.lives import SECOND, Unreadable
from partita.checker.settings import Setting
from partita.checker.values import NULL
from partita.checker.verdict import Counterexample, Validity
from partita.checker.watches import queries, shots, streams
from partita.checker.watches.changes import (
    Attempts,
    Changes,
    Seen,
    Unfit,
    attempts_of,
    changes_of,
    contradictions,
    told_by_operations,
)
from partita.checker.watches.coding import Codes
from partita.checker.watches.lag import Lags, lags_of
from partita.checker.watches.violation import RULES, Violation

NAME = "watches"
LEVEL = "reliable"
SETTLE_S = 10.0
_FS = ("resume", "event", "progress", "compacted", "poll", *shots.FS)


class Thresholds:
    """How long a change may take to those who watch."""

    def __init__(
        self,
        max_watch_lag: Annotated[
            float | None,
            Setting("Longest time from a change to its delivery to a watch.", 0, metavar="S"),
        ] = None,
    ) -> None:
        self.max_watch_lag = max_watch_lag

    def missed(self, figures: Mapping[str, Any]) -> list[str]:
        """Say whether it was missed. What was not measured is missed too."""
        worst, most = (figures.get("lag_s") or {}).get("most"), self.max_watch_lag
        if most is None or (worst is not None and worst <= most):
            return []
        said = "no watch delivered anything" if worst is None else (
            f"a change was delivered to a watch {worst:g} s after it was known"
        )  # fmt: skip
        return [f"{said}, --max-watch-lag is {most:g}"]


class Watches:
    """Whether watches deliver every change, once, in its order, and nothing that never was."""

    name = NAME
    levels = (LEVEL,)
    default: str | None = LEVEL
    thresholds = Thresholds

    def __init__(self, settle: float = SETTLE_S) -> None:
        """`settle` is how many seconds a live watch has for the last changes."""
        self.settle_ns = round(settle * SECOND)

    @staticmethod
    def recognises(history: History) -> bool:
        """Say whether somebody watches something in a history."""
        return len(history.others.rows(*_FS, type="event")) > 0

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        found = _judged(history, self.settle_ns)
        seconds = time.perf_counter() - begin
        return Judgement(NAME, **found, seconds=seconds, engine="log")


@dataclass(slots=True)
class Watched:
    """All that a history says of watches, put together; `polls` are places in its others."""

    changes: Changes
    delivered: streams.Delivered
    shots: shots.Shots
    polls: IntColumn

    def lags(self) -> Lags:
        """Measure how late everything was delivered."""
        return lags_of(self.delivered, self.shots, self.changes)


def watched_of(history: History) -> Watched:
    """Read a history. Raises `Unreadable` for what cannot be, `Unfit` if there are no watches."""
    others = history.others
    if not len(others.rows(*_FS, type="event")):
        raise Unfit("nobody watches anything in it")
    keys, values = Codes(), Codes()
    attempts = attempts_of(history, keys, values)
    polls = queries.polls_of(others)
    told = shots.shots_of(others)
    lines = streams.lines_of(others, polls, keys, values)
    seen, place = _seen(history, keys, values, attempts, lines, polls)
    changes = changes_of(history, keys, values, attempts, seen)
    count = len(lines.delivered)
    delivered = streams.delivered(lines, changes, changes.of[place : place + count])
    return Watched(changes, delivered, told, polls)


def _seen(
    history: History,
    keys: Codes,
    values: Codes,
    attempts: Attempts,
    lines: streams.Lines,
    polls: IntColumn,
) -> tuple[Seen, int]:
    """Put together what is known of changes; return also where what streams delivered begins."""
    others = history.others
    version, key, value, rows, by_writer = told_by_operations(history, keys, values, attempts)
    mine = lines.delivered
    read = np.concatenate([others.rows("arm", type="event"), others.rows("seen", type="event")])
    read, polls = (each[others.value[each] != NULL] for each in (read, polls))
    modified, _ = others.numbers("modified", polls)
    more = np.concatenate([read, polls])
    columns = [
        (version, lines.version[mine], np.concatenate([others.version[read], modified])),
        (key, lines.key[mine], keys.of(others.keys, others.key[more])),
        (value, lines.value[mine], values.of(others.values, others.value[more])),
        (history.ended_rank[rows], lines.rank[mine], others.rank[more]),
        (history.completed_ns[rows], lines.time[mine], others.time[more]),
        (rows, np.full(len(mine), -1), np.full(len(more), -1)),
        (np.full(len(rows), -1), lines.row[mine], more),
    ]
    version, key, value, rank, known, row, event = map(np.concatenate, columns)
    return Seen(version, key, value, rank, known, row, event, by_writer), len(rows)


def _judged(history: History, settle_ns: int) -> dict[str, Any]:
    try:
        watched = watched_of(history)
    except Unfit as unfit:
        return {"levels": {}, "applies": False, "reason": str(unfit)}
    except Unreadable as unreadable:
        return {"levels": {LEVEL: "unknown"}, "reason": str(unreadable)}
    violations, doubts, waits = _broken(history, watched, settle_ns)
    figures = _figures(watched, waits)
    figures["violations"] = _counted(violations)
    reason = None if violations else _untested(watched) or "; ".join(doubts[:3]) or None
    answer: Validity = "unknown" if reason else not violations
    first = min(violations, key=lambda each: RULES.index(each.rule), default=None)
    found = {} if first is None else {
        LEVEL: Counterexample(tuple(sorted(first.rows)), first.text, first.key)
    }  # fmt: skip
    return {"levels": {LEVEL: answer}, "found": found, "reason": reason, "figures": figures,
            "keys": len(watched.changes.keys)}  # fmt: skip


def _broken(
    history: History, watched: Watched, settle_ns: int
) -> tuple[list[Violation], list[str], list[int]]:
    """Return what is wrong, why something is not known, and how long live watches have waited."""
    changes, settled, others = watched.changes, _settled(history), history.others
    found = [*contradictions(changes), *streams.broken(watched.delivered)]
    lacking, owed = streams.gaps(watched.delivered, settled, settle_ns)
    found += [*lacking, *watched.shots.violations, *queries.falling(others, watched.polls)]
    waits = [history.end - each.since for each in owed]
    doubts = [f"stream {each.stream} had not delivered {changes.said(each.change)} when the run"
              f" ended, {each.waited / SECOND:.3f} s after it could be expected to"
              for each in owed if each.waited < settle_ns]  # fmt: skip
    overdue = [
        *((shots.late, each)
          for each in shots.overdue(others, watched.shots, changes, settled, settle_ns)),
        *((queries.late, each)
          for each in queries.behind(others, watched.polls, changes, settled, settle_ns)),
    ]  # fmt: skip
    for say, (event, change, since, enough) in overdue:
        waits.append(history.end - since)
        if enough:
            found.append(say(event, change, changes, since))
        else:
            doubts.append(
                f"the watch on {event.key} of process {event.process} had not told of"
                f" {changes.said(change)} when the run ended"
            )
    return found, doubts, waits


def _settled(history: History) -> int:
    """Return when the nemesis was done."""
    others = history.others
    return int(others.time[others.by("nemesis")].max(initial=0))


def _untested(watched: Watched) -> str | None:
    if not any(map(len, (watched.delivered.line, watched.shots.fired, watched.polls))):
        return "no watch ever delivered anything"
    return None


def _counted(violations: Iterable[Violation]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for each in violations:
        counts[each.rule] += each.times
    return {rule: counts[rule] for rule in RULES if counts[rule]}


def _figures(watched: Watched, waits: Sequence[int]) -> dict[str, Any]:
    lags = watched.lags().ns
    waited = np.concatenate([lags, np.array(waits, dtype=np.int64)])
    lines = watched.delivered.lines
    return {
        "changes": len(watched.changes),
        "streams": len(lines.names),
        "delivered": len(watched.delivered.line),
        "resumed": int(max(0, len(lines.begin) - len(lines.names))),
        "compacted": int((lines.kind == streams.COMPACTED).sum()),
        "fired": len(watched.shots.fired),
        "answers": len(watched.polls),
        "lag_s": _quantiles(waited),
    }


def _quantiles(ns: IntColumn) -> dict[str, float] | None:
    if not len(ns):
        return None
    median, most_of = np.quantile(ns, [0.5, 0.99]).tolist()
    return {"median": _s(median), "p99": _s(most_of), "most": _s(float(ns.max()))}


def _s(ns: float) -> float:
    return round(ns / SECOND, 6)
