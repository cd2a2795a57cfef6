"""How far a history can be put in order, and what cannot follow: where to look for the mistake."""

from collections.abc import Iterator
from typing import Any

from partita.checker import History
from partita.checker.explain import moment
from partita.checker.verdict import Beginning
from partita.reports.fragments import fragment
from partita.reports.packing import shortened
from partita.reports.section import Part


def ending(history: History, beginning: Beginning) -> Iterator[Part]:
    """Show the last operations of an order of the longest beginning that has one."""
    rows = [*beginning.last, *beginning.stuck]
    if not all(0 <= row < len(history) for row in rows):
        return  # these results are about another history
    yield fragment(
        "beginning.html",
        possible=beginning.end,
        events=history.events,
        last=[_told(history, row, beginning.end) for row in beginning.last],
        stuck=[_told(history, row, beginning.end + 1) for row in beginning.stuck],
    )


def _told(history: History, row: int, end: int) -> dict[str, Any]:
    """Say what was known of an operation before an event."""
    op = history[row]
    is_over = history.completed_rank[row] < end
    return {
        "process": op.process,
        "node": op.node or "",
        "f": op.f,
        "input": "" if op.input is None else shortened(op.input),
        "output": shortened(op.output) if is_over and op.output != op.input else "",
        "sent": moment(history, row),
        "answered": moment(history, row, completed=True) if is_over else "not yet",
    }
