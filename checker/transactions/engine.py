"""Which isolation a history of transactions can still have: the native engine, and its words.

The work is native (checker/native/transactions/). It takes lists of micro-operations apart, puts
the values of each key in order, and looks for what no order of the transactions explains: first
what single reads show, then cycles of what had to come before what. Where the store told the
revisions of its commits, their order is tried out first: if it explains all, that is a proof.
"""

import time
from collections import Counter
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.history import NEVER, History, HistoryError
from partita.checker.transactions.analysis import Analysis, Anomaly, Edge, Example
from partita.checker.values import decoded_json

# Models by the relations in which a cycle contradicts them: values alone, with the order of each
# process, with real time.
_MODELS: Final = ("read-uncommitted", "read-committed", "snapshot-isolation", "serializable")
_ORDERS: Final = ("", "strong-session-", "strong-")
_SERIALIZABLE: Final = _MODELS.index("serializable")

# What is contradicted by an anomaly that is no cycle, the weakest models that say so.
_VIOLATED: Final = {
    "G1a": ("read-committed",),
    "G1b": ("read-committed",),
    "dirty-update": ("read-committed",),
    "incompatible-order": ("read-committed",),
    "garbage-read": ("read-committed",),
    "future-read": ("read-committed",),
    "internal": ("read-atomic",),
    "lost-update": (
        "cursor-stability",
        "update-atomic",
        "snapshot-isolation",
        "repeatable-read",
    ),
    "duplicate-elements": ("read-uncommitted",),
    "cyclic-versions": ("read-uncommitted",),
}


def analyse(
    history: History,
    *,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    linearizable_keys: bool = False,
    sequential_keys: bool = False,
    writes_follow_reads: bool = True,
) -> Analysis:
    """Find the anomalies of a history of transactions, and the models that they contradict.

    `time_limit` is in seconds from now, `memory_limit` in bytes for the whole process. The other
    options say by which rules the values of registers are put in order. Where a limit is hit, what
    was found until then is told, as undecided. Raises `HistoryError` for a history that nothing
    can be inferred from.
    """
    begin = time.monotonic()
    deadline = None if time_limit is None else begin + time_limit
    found = _native.transactions(
        history.process,
        history.input,
        history.output,
        history.outcome,
        history.invoked_rank,
        history.completed_rank,
        history.version,
        history.values,
        *_told(history),
        writes_follow_reads,
        linearizable_keys,
        sequential_keys,
        deadline,
        memory_limit,
        None,
    )
    if isinstance(found, str):
        return _undecided(f"{found} reached")
    if isinstance(found, tuple):
        raise HistoryError(_refused(history, *found))
    figures = {
        "transactions": len(history),
        "seconds": time.monotonic() - begin,
        **{name: found[name] for name in _FIGURES},
    }
    if "stopped" in found:
        return _cut_short(_analysis(found, figures), f"{found['stopped']} reached")
    if not found["committed"]:
        return _undecided("no transaction was committed", figures)
    if not found["reads"]:
        return _undecided("nothing was read, so that nothing is known of any order", figures)
    return _analysis(found, figures)


_FIGURES: Final = (
    "committed", "reads", "components", "largest", "nodes", "edges", "visits", "stale", "revisions",
    "rules", "keys",
)  # fmt: skip


def _analysis(found: dict[str, Any], figures: dict[str, Any]) -> Analysis:
    anomalies = {
        name: Anomaly(name, count, tuple(_shown(name, *each) for each in examples))
        for name, count, examples in found["anomalies"]
    }
    for name, count, cut, examples in found["cycles"]:
        shown = tuple(_cycle(edges) for edges in examples)
        anomalies[name] = Anomaly(name, count, shown, at_least=cut)
    violated = {model for name in anomalies for model in _VIOLATED.get(name, ())}
    for model, order in found["violated"]:
        violated.add(_ORDERS[order] + _MODELS[model])
        if model == _SERIALIZABLE:
            violated.add(_ORDERS[order] + "repeatable-read")
    if "strong-serializable" in violated:
        violated.remove("strong-serializable")
        violated.add("strict-serializable")
    return Analysis(
        anomalies,
        frozenset(violated),
        decided_by="revisions" if found["by_revisions"] else "values",
        figures=figures,
        notes=tuple(_notes(found)),
    )


def _notes(found: dict[str, Any]) -> list[str]:
    notes = []
    if found["revisions"] == "incomplete":
        notes.append(
            "the store told the revisions of some commits only, so that they prove nothing"
        )
    if found["stale"] and found["revisions"] == "stale":
        count = found["stale"]
        what = "1 transaction has" if count == 1 else f"{count:,} transactions have"
        notes.append(
            f"{what} an older revision than one that had ended before: values say whether it shows"
        )
    return notes


def _cut_short(analysis: Analysis, reason: str) -> Analysis:
    """What was found stands, and there may be more of it. Of the rest nothing is known."""
    anomalies = {
        name: replace(anomaly, at_least=True) for name, anomaly in analysis.anomalies.items()
    }
    return replace(analysis, anomalies=anomalies, decided=False, reason=reason)


def _undecided(reason: str, figures: dict[str, Any] | None = None) -> Analysis:
    return Analysis({}, frozenset(), decided=False, reason=reason, figures=figures or {})


def _cycle(edges: list[tuple[Any, ...]]) -> Example:
    made = tuple(
        Edge(source, target, relation, _value(key), _value(before), _value(after), rule)
        for source, target, relation, key, before, after, rule in edges
    )
    return Example(tuple(Counter(edge.source for edge in made)), made)


def _shown(
    name: str,
    rows: list[int],
    key: bytes | None,
    element: bytes | None,
    other: bytes | None,
    op: int,
    fact: str,
    rule: str,
    other_rule: str,
) -> Example:
    facts: dict[str, Any] = {}
    if op >= 0:
        facts["micro_op"] = op
    if other is not None:
        facts["other"] = _value(other)
    if fact:
        facts["fact"] = fact
    if rule:
        facts["rules"] = (rule, other_rule)
    return Example(tuple(rows), (), _value(key), _value(element), facts)


def _value(json: bytes | None) -> Any:
    return None if json is None else decoded_json(json)


def _refused(history: History, message: str, rows: list[int]) -> str:
    ranks = [
        int(
            history.ended_rank[row]
            if history.ended_rank[row] < NEVER
            else history.invoked_rank[row]
        )
        for row in rows
    ]
    events = " and ".join(f"{rank + 1:,}" for rank in sorted(ranks))
    return f"event{'s' if len(ranks) > 1 else ''} {events}: {message}"


def _told(
    history: History,
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int32] | None, Any]:
    """Return which rows have a field `versions`, and the codes of what it says."""
    extras = history.extras
    if "versions" not in extras.names:
        return None, None, None
    of_versions = extras.name == extras.names.index("versions")
    ranks, codes = extras.rank[of_versions], extras.value[of_versions]
    by_end = np.argsort(history.ended_rank, kind="stable")
    at = np.searchsorted(history.ended_rank[by_end], ranks)
    at = np.minimum(at, len(by_end) - 1)
    rows = by_end[at]
    is_end = history.ended_rank[rows] == ranks
    return rows[is_end].astype(np.int64), codes[is_end], extras.values
