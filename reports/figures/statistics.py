"""Counts and latencies by `f` and by node.

Latency is given twice: from the due time, which is what a user of the store waited, and from
sending, which is what the store took. Under a fault they differ, since blocked clients send late.
"""

from dataclasses import asdict
from typing import Any

import numpy as np

from partita import checker
from partita.checker import OUTCOMES, Counts, History
from partita.checker.history import CodeColumn
from partita.reports.figures.availability import Bools, Ints

MILLISECOND = 1_000_000
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


def statistics(history: History) -> dict[str, Any]:
    """`{"by_f": {f: row}, "by_node": {node: row}}`, a row being counts and latencies."""
    counted = checker.statistics(history)
    return {
        "by_f": _rows(history, counted.by_f, history.fs, history.f),
        "by_node": _rows(history, counted.by_node, history.nodes, history.node),
    }


def _rows(
    history: History, counted: dict[str, Counts], names: list[Any], codes: CodeColumn
) -> dict[str, Any]:
    ok = (history.outcome == OUTCOMES.index("ok")) & (history.completed_ns >= 0)
    return {
        name: asdict(counted[name]) | _latencies(history, ok & (codes == names.index(name)))
        for name in sorted(counted)
    }


def _latencies(history: History, chosen: Bools) -> dict[str, Any]:
    """Quantiles in ms of the latencies of the chosen operations."""
    return {
        "latency_ms_from_due": _quantiles(since_due(history)[chosen]),
        "latency_ms_from_sending": _quantiles(since_sending(history)[chosen]),
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
