"""How the operations of a run ended: what a verdict alone does not tell.

A run in which every write failed is linearizable, and proves nothing. `vacuous` says so.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker.history import OUTCOMES, CodeColumn, History

READS = frozenset({"read", "get"})
# Where these are all there is, an operation that reads could have been.
_OF_OBJECTS_WITH_READS = READS | {"write", "cas", "add", "put", "append"}


# What these are answered is that they were done.
GIVING = frozenset({"write", "add", "put", "append", "enqueue", "transfer"})


@dataclass(frozen=True, slots=True)
class Counts:
    """How many operations there were, and how many of them ended in each way."""

    count: int
    ok: int
    fail: int
    info: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """Counts of all operations, of each f, and of each node (if operations name nodes)."""

    overall: Counts
    by_f: dict[str, Counts]
    by_node: dict[str, Counts]


def statistics(history: History) -> Statistics:
    """Count the operations by outcome: overall, by f and by node."""
    everything = np.zeros(len(history), dtype=np.int32)
    return Statistics(
        overall=_count(everything, 1, history.outcome)[0],
        by_f=_table(history.fs, history.f, history.outcome),
        by_node=_table(history.nodes, history.node, history.outcome),
    )


def vacuous(history: History, spared: Collection[str] = ()) -> str | None:
    """Say why a run proves nothing, None if it does: an f never succeeded, or nothing was read.

    The `spared` need not succeed.
    """
    by_f = statistics(history).by_f
    if not by_f:
        return "no operation was invoked"
    for f, counts in by_f.items():
        if not counts.ok and f not in spared:
            return f"no {f} ever succeeded ({counts.count} invoked{_mostly(history, f)})"
    if by_f.keys() <= _OF_OBJECTS_WITH_READS and not READS & by_f.keys():
        return "nothing was ever read"
    return None


def unread(history: History) -> str | None:
    """Say that a history shows nothing of the state, None if any operation that succeeded does.

    Then every answer was only that something was done: no order of it can be wrong.
    """
    ok = history.outcome == OUTCOMES.index("ok")
    if (ok & (history.output >= 0)).any():
        return None
    giving = history.among(GIVING)
    if (ok & ~giving).any():
        return None
    reads = [f for f in history.fs if f not in GIVING]
    tried = "no operation that reads ever succeeded" if reads else "no operation reads"
    return f"nothing was read: {tried}"


def _mostly(history: History, f: str) -> str:
    """Say which error operations of that f met most often."""
    codes = history.error[history.f == history.fs.index(f)]
    codes = codes[codes >= 0]
    return f", most often: {history.errors[np.bincount(codes).argmax()]}" if codes.size else ""


def _table(names: list[Any], codes: CodeColumn, outcome: npt.NDArray[np.int8]) -> dict[str, Counts]:
    return dict(zip(names, _count(codes, len(names), outcome), strict=True))


def _count(codes: CodeColumn, length: int, outcome: npt.NDArray[np.int8]) -> list[Counts]:
    known = codes >= 0
    both = codes[known] * len(OUTCOMES) + outcome[known]
    table = np.bincount(both, minlength=length * len(OUTCOMES)).reshape(-1, len(OUTCOMES))
    return [Counts(int(row.sum()), *map(int, row)) for row in table]
