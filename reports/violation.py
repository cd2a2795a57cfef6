"""What a page shows of a violation: the sentence, two pictures, the reasons, the surroundings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from checker import History, Verdict
from checker.explain import capital, moment
from reports.contradiction import Contradiction, Link, contradiction_of
from reports.faults import faults_of
from reports.packing import shortened
from reports.violation_charts import contradiction_in_time, needed_order

AROUND = 25


@dataclass(frozen=True, slots=True)
class Violation:
    """`figures` are the pictures by their names; `needed` and `forbidden` are reasons in English.

    `around` are the operations of the same key near the one that showed the contradiction, as
    rows of a table.
    """

    sentence: str
    figures: dict[str, Figure]
    needed: list[str]
    forbidden: str | None
    around: list[dict[str, Any]]


def violation_of(history: History, rows: Sequence[int], sentence: str) -> Violation:
    """Explain what is wrong with a few operations (rows of the history)."""
    contradiction = contradiction_of(history, rows)
    forbidden = contradiction.forbidden
    return Violation(
        sentence=sentence,
        figures=_figures(history, contradiction),
        needed=[_sentence(link) for link in contradiction.needed],
        forbidden=_sentence(forbidden) if forbidden else None,
        around=_around(history, contradiction),
    )


def violation_of_verdict(history: History, verdict: Verdict) -> Violation | None:
    """The same from a checker's verdict; None if it names no contradiction."""
    found = verdict.counterexample
    if found is None or not found.operations:
        return None
    return violation_of(history, found.operations, found.explanation)


def _sentence(link: Link) -> str:
    return capital(link.reason) + "."


def _figures(history: History, contradiction: Contradiction) -> dict[str, Figure]:
    figures = {"violation": contradiction_in_time(history, contradiction, faults_of(history))}
    if contradiction.forbidden:
        figures["violation-order"] = needed_order(history, contradiction)
    return figures


def _around(history: History, contradiction: Contradiction) -> list[dict[str, Any]]:
    """Operations of the same key before and after the last that contradicts, and all that do."""
    last = contradiction.rows[-1]
    same_key = np.flatnonzero(history.key == history.key[last])
    at = int(np.searchsorted(same_key, last))
    near = same_key[max(0, at - AROUND) : at + AROUND + 1].tolist()
    rows = sorted({*near, *contradiction.rows})
    return [_table_row(history, row, row in contradiction.rows) for row in rows]


def _table_row(history: History, row: int, contradicts: bool) -> dict[str, Any]:
    op = history[row]
    return {
        "contradicts": contradicts,
        "sent": moment(history, row),
        "answered": "—" if op.outcome == "info" else moment(history, row, completed=True),
        "process": op.process,
        "node": op.node or "",
        "f": op.f,
        "input": "" if op.input is None else shortened(op.input),
        "output": "" if op.f not in ("read", "get") or op.outcome != "ok" else shortened(op.output),
        "outcome": op.outcome + (f": {op.error}" if op.error else ""),
    }
