"""What a page shows of a violation: the sentence, two pictures, the reasons, the surroundings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from checker import History, Verdict
from checker.explain import capital, moment
from reports.charts import save
from reports.contradiction import Contradiction, contradiction_of
from reports.faults import Fault, faults_of
from reports.packing import shortened
from reports.violation_charts import contradiction_in_time, needed_order

AROUND = 25


@dataclass(frozen=True, slots=True)
class Violation:
    """`pictures` map names to SVG files; `needed` and `forbidden` are reasons in English.

    `around` are the operations of the same key near the one that showed the contradiction, as
    rows of a table.
    """

    sentence: str
    pictures: dict[str, Path]
    needed: list[str]
    forbidden: str | None
    around: list[dict[str, Any]]


def violation_of(
    history: History, rows: Sequence[int], sentence: str, directory: Path
) -> Violation:
    """Explain what is wrong with a few operations, drawing the pictures into a directory."""
    contradiction = contradiction_of(history, rows)
    return Violation(
        sentence=sentence,
        pictures=_drawn(history, contradiction, faults_of(history), directory),
        needed=[capital(link.reason) + "." for link in contradiction.needed],
        forbidden=capital(contradiction.forbidden.reason) + "."
        if contradiction.forbidden
        else None,
        around=_around(history, contradiction),
    )


def violation_of_verdict(history: History, verdict: Verdict, directory: Path) -> Violation | None:
    """The same from a checker's verdict; None if it names no contradiction."""
    found = verdict.counterexample
    if found is None or not found.operations:
        return None
    return violation_of(history, found.operations, found.explanation, directory)


def _drawn(
    history: History, contradiction: Contradiction, faults: Sequence[Fault], directory: Path
) -> dict[str, Path]:
    figures = {"violation": contradiction_in_time(history, contradiction, faults)}
    if contradiction.forbidden:
        figures["violation-order"] = needed_order(history, contradiction)
    return {name: save(figure, directory, name)[1] for name, figure in figures.items()}


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
