"""What a page shows of a violation: the sentence, two pictures, the reasons, the surroundings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from partita.checker import History, Verdict
from partita.checker.explain import capital, moment
from partita.reports.contradiction import Contradiction, Link, contradiction_of
from partita.reports.faults import faults_of
from partita.reports.packing import shortened
from partita.reports.violation_charts import contradiction_in_time, needed_order

AROUND = 25


@dataclass(frozen=True, slots=True)
class Violation:
    """`figures` are the pictures by their names; `needed` and `forbidden` are reasons in English.

    `context` says what else is worth knowing about the operations. `around` are those of the same
    key near the one that showed the contradiction, as rows of a table.
    """

    sentence: str
    figures: dict[str, Figure]
    needed: list[str]
    forbidden: str | None
    context: list[str]
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
        context=_context(history, contradiction),
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


def _context(history: History, contradiction: Contradiction) -> list[str]:
    """Which key they are about, and who claimed to lead when the last of them was sent."""
    last = contradiction.rows[-1]
    op, keys = history[last], {history[row].key for row in contradiction.rows}
    said = []
    if len(keys) == 1 and op.key is not None:
        said.append(f"These operations are all on key {op.key}.")
    polls = [event for event in history.others if event.f == "leader" and event.time <= op.invoked]
    leaders = polls[-1].value if polls else None
    if op.node and isinstance(leaders, list) and op.node in leaders:
        others = [str(node) for node in leaders if node != op.node]
        also = f", and so did {' and '.join(others)}" if others else ""
        said.append(f"When the last of them was sent to {op.node}, it claimed to lead{also}.")
    return said


def _around(history: History, contradiction: Contradiction) -> list[dict[str, Any]]:
    """Operations of the same key before and after the last that contradicts, and all that do."""
    last = contradiction.rows[-1]
    unsent = [code for code, error in enumerate(history.errors) if error.startswith("not sent")]
    sent = ~np.isin(history.error, unsent)
    same_key = np.flatnonzero(sent & (history.key == history.key[last]))
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
