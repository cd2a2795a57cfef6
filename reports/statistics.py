"""Counts and latencies by `f` and by node.

Latency is given twice: from the due time, which is what a user of the store waited, and from
sending, which is what the store took. Under a fault they differ, since blocked clients send late.
"""

from typing import Any

import numpy as np

from checker import OUTCOMES, History
from checker.history import CodeColumn
from reports.availability import Bools, Ints

MILLISECOND = 1_000_000
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def statistics(history: History) -> dict[str, Any]:
    """`{"by_f": {f: row}, "by_node": {node: row}}`, a row being counts and latencies."""
    return {
        "by_f": _rows(history, history.fs, history.f),
        "by_node": _rows(history, history.nodes, history.node),
    }


def _rows(history: History, names: list[str], codes: CodeColumn) -> dict[str, Any]:
    return {name: row(history, codes == names.index(name)) for name in sorted(names)}


def row(history: History, chosen: Bools) -> dict[str, Any]:
    """Counts by outcome, and quantiles in ms of the latencies of the `ok` operations."""
    outcome = history.outcome[chosen]
    counts: dict[str, int] = {
        name: int((outcome == code).sum()) for code, name in enumerate(OUTCOMES)
    }
    ok = chosen & (history.outcome == OUTCOMES.index("ok")) & (history.completed_ns >= 0)
    return {
        "count": len(outcome),
        **counts,
        "latency_ms_from_due": _quantiles(since_due(history)[ok]),
        "latency_ms_from_sending": _quantiles(since_sending(history)[ok]),
    }


def since_due(history: History) -> Ints:
    """Latencies from the due time, ns (from sending where none was written down)."""
    due = np.where(history.due_ns < 0, history.invoked_ns, history.due_ns)
    return history.completed_ns - due


def since_sending(history: History) -> Ints:
    """Latencies from sending, ns."""
    return history.completed_ns - history.invoked_ns


def _quantiles(latencies: Ints) -> dict[str, float] | None:
    if not len(latencies):
        return None
    values = np.quantile(latencies, list(QUANTILES.values())) / MILLISECOND
    return {name: round(float(v), 3) for name, v in zip(QUANTILES, values, strict=True)}
