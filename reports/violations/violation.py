"""What a page shows of a violation: two pictures, the reasons, the surroundings."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from partita.checker import History, Op
from partita.checker.explain import capital, is_answered, moment
from partita.reports.figures.faults import faults_of
from partita.reports.fragments import fragment
from partita.reports.packing import shortened
from partita.reports.section import Part, Picture
from partita.reports.violations.contradiction import Contradiction, Link, contradiction_of
from partita.reports.violations.pictures import contradiction_in_time, needed_order, shows_values

AROUND = 25
# The levels that real time refutes: only of them can be said that what was over had to come first.
REAL_TIME = ("linearizable",)
IN_TIME = "The operations that contradict each other, in the order of time"
ALONE = "The operation that it is about"
VALUES = "; below, what a register holds after each acknowledged write"
ORDER = (
    "From left to right an order in which each operation could have seen "
    "what it saw; in red, what really happened, and forbids it."
)


def violation(
    history: History, rows: Sequence[int], *, name: str = "violation", ordered: bool = True
) -> Iterator[Part]:
    """Explain what is wrong with a few operations (rows of the history).

    The pictures are called `name`, and `name`-order. Only if `ordered` must what was over come
    before what began after it, and be looked for what forbids that.
    """
    contradiction = contradiction_of(history, rows)
    forbidden = contradiction.forbidden if ordered else None
    yield from _context(history, contradiction)
    figure = contradiction_in_time(history, contradiction, faults_of(history))
    values = VALUES if shows_values(history, contradiction.rows) else ""
    shown = IN_TIME if len(contradiction.rows) > 1 else ALONE
    yield Picture(name, figure, f"{shown}{values}.")
    if forbidden:
        yield Picture(f"{name}-order", needed_order(history, contradiction), ORDER)
    yield fragment(
        "violation.html",
        needed=[_sentence(link) for link in contradiction.needed],
        forbidden=_sentence(forbidden) if forbidden else None,
        around=_around(history, contradiction),
    )


def _sentence(link: Link) -> str:
    return capital(link.reason) + "."


def _context(history: History, contradiction: Contradiction) -> list[str]:
    """Which key they are about, and who claimed to lead when the last of them was sent."""
    last = contradiction.rows[-1]
    op, keys = history[last], set(history.key[list(contradiction.rows)].tolist())
    said = []
    if len(keys) == 1 and op.key is not None:
        said.append(f"These operations are all on key {op.key}.")
    polls = [event for event in history.others.of("leader") if event.time <= op.invoked]
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
        "output": shortened(op.output) if _tells(op) else "",
        "outcome": op.outcome + (f": {op.error}" if op.error else ""),
    }


def _tells(op: Op) -> bool:
    """Whether the output says more than the input did; what a read found is told in any case."""
    return is_answered(op) or (op.outcome == "ok" and op.f in ("read", "get"))
