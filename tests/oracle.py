"""Comparing engines with the oracle, many small histories at a time."""

from dataclasses import replace

import numpy as np

from partita.checker import NEVER, OUTCOMES, Finding, History, Model
from partita.checker.history import IntColumn
from partita.checker.linearizability.reference import linearizable


def rows_by_key(history: History, rows: IntColumn) -> list[IntColumn]:
    """Split rows by the key of their operations."""
    order = rows[np.argsort(history.key[rows], kind="stable")]
    borders = np.flatnonzero(np.diff(history.key[order])) + 1
    return np.split(order, borders)


def contradicts(history: History, rows: IntColumn, model: Model, finding: Finding) -> bool:
    """Say whether a counterexample stands by itself.

    All other operations may then have happened or not, at any time after their invocation: it
    must not be that the history is invalid only for one of them.
    """
    own = np.isin(np.arange(len(history)), finding.operations)
    optional = replace(
        history,
        outcome=np.where(own, history.outcome, OUTCOMES.index("info")).astype(np.int8),
        completed_rank=np.where(own, history.completed_rank, NEVER),
    )
    is_read = history.f == history.f_code("read")
    failed = history.outcome == OUTCOMES.index("fail")
    return not linearizable(optional, rows[own[rows] | ~(is_read | failed)[rows]], model)
