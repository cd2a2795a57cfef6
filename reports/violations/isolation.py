"""What a page shows of transactions: which models hold, and each anomaly in words and as a picture.

The figures are those of the check `transactions`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from partita.checker import History
from partita.checker.transactions.isolation import MODELS, SESSION, STRONG, closure, in_form
from partita.reports.fragments import figure, fragment
from partita.reports.section import Part
from partita.reports.violations.cycle import MEANINGS, cycle

# What has a form for the order of each process and one for real time, the strongest first.
_ROWS: Final = (
    "serializable", "snapshot-isolation", "repeatable-read", "read-committed", "read-uncommitted",
)  # fmt: skip
# A cycle of more transactions is told, and not drawn.
_DRAWN_MAX: Final = 10
# What shows some anomalies without a cycle is a step from one transaction to another.
_STEPS: Final = {"G1a": "wr", "G1b": "wr", "dirty-update": "ww", "lost-append": "realtime"}
_SIGNS: Final = {"valid": "✓", "invalid": "✗", "unknown": "?"}
CAPTION: Final = (
    "Time runs to the right, each process has a row. An arrow leads from what came before to what"
    " came after"
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A model in the table: its name, its tone, and whether nothing stronger can hold."""

    model: str
    tone: str
    strongest: bool

    @property
    def sign(self) -> str:
        return _SIGNS[self.tone]


@dataclass(frozen=True, slots=True)
class Told:
    """An anomaly as the page tells it."""

    name: str
    called: str
    count: str
    meaning: str
    rules_out: str
    lines: tuple[str, ...]
    picture: Markup | None


def isolation(history: History, figures: Mapping[str, Any]) -> Iterator[Part]:
    """Show which models hold, and what speaks against the others."""
    yield _summary(figures)
    yield fragment(
        "isolation.html",
        rows=[_row(base, figures) for base in _ROWS],
        others=[_cell(model, figures) for model in MODELS if not _has_forms(model)],
        anomalies=[_told(history, each) for each in figures["anomalies"]],
    )


def _summary(figures: Mapping[str, Any]) -> str:
    if not figures["decided_by"]:
        return "The check was cut short: this was found until then, and there may be more."
    by = "the revisions that the store told" if figures["decided_by"] == "revisions" else "values"
    shown = f"{figures['committed']:,} committed transactions were put in order by {by}."
    if not figures["anomalies"] and not figures["violated"]:
        return f"{shown} No anomaly was found."
    possible = " or ".join(figures["possible"]) or "none of the models"
    return f"{shown} The strongest that can still hold: {possible}."


def _has_forms(model: str) -> bool:
    return any(model in (base, in_form(SESSION, base), in_form(STRONG, base)) for base in _ROWS)


def _row(base: str, figures: Mapping[str, Any]) -> list[Cell]:
    forms = (base, in_form(SESSION, base), in_form(STRONG, base))
    return [_cell(model, figures) for model in forms if model is not None]


def _cell(model: str, figures: Mapping[str, Any]) -> Cell:
    tone = "unknown"
    if model in closure(figures["violated"]):
        tone = "invalid"
    elif model in figures["holding"]:
        tone = "valid"
    return Cell(model, tone, model in figures["possible"])


def _told(history: History, anomaly: Mapping[str, Any]) -> Told:
    least = "at least " if anomaly["at_least"] else ""
    _, *lines = anomaly["explanation"].splitlines()
    return Told(
        anomaly["name"],
        anomaly["called"],
        f"{least}{anomaly['count']:,}",
        anomaly["meaning"],
        ", ".join(anomaly["rules_out"]),
        tuple(line for line in lines if line != anomaly["meaning"]),
        _picture(history, anomaly),
    )


def _picture(history: History, anomaly: Mapping[str, Any]) -> Markup | None:
    rows = [row for row in anomaly["rows"] if 0 <= row < len(history)]
    edges = anomaly["edges"] or _steps(anomaly)
    if not edges or len(rows) < len(anomaly["rows"]) or len(rows) > _DRAWN_MAX:
        return None
    try:
        drawn = cycle(history, rows, edges)
    except ValueError:  # there is no room: the words have to do
        return None
    width = re.search(r'width="(\d+)"', drawn)
    shown = figure(f"anomaly-{anomaly['name'].lower()}", drawn, _caption(edges))
    # Letters in it are as large as those of the page: it must not be stretched.
    return fragment("drawn.html", width=int(width[1]) if width else 0, figure=shown)


def _steps(anomaly: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what to draw of an anomaly that two transactions show without a cycle."""
    relation = _STEPS.get(anomaly["name"])
    if relation is None or len(anomaly["rows"]) != 2:
        return []
    first, second = anomaly["rows"]
    step = {"from": first, "to": second, "relation": relation, "key": anomaly["key"]}
    return [{**step, "before": anomaly["value"], "after": anomaly["facts"].get("other")}]


def _caption(edges: Sequence[Mapping[str, Any]]) -> str:
    used = dict.fromkeys(edge["relation"] for edge in edges)
    told = "; ".join(f"{relation}: {MEANINGS[relation]}" for relation in used)
    return f"{CAPTION}. {told}."
