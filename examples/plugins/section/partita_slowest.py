"""A section of a run's page: the operations that took longest.

It is on every page once it is installed: partita report runs/latest
"""

from collections.abc import Iterator

import numpy as np
from markupsafe import Markup

from partita.reports.section import Part
from partita.reports.stored import StoredRun

COUNT = 10
ROW = Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td>{:.1f}</td></tr>")
HEAD = Markup("<tr><th>operation</th><th>node</th><th>outcome</th><th>ms</th></tr>")


class Slowest:
    """The operations that took longest."""

    title = "Slowest operations"
    order = 65  # the page's own sections go from 0 to 100

    def applies(self, run: StoredRun) -> bool:
        return len(run.history) > 0

    def draw(self, run: StoredRun) -> Iterator[Part]:
        history = run.history
        # One number for each operation; of those that never ended it is below 0.
        took = history.completed_ns - history.invoked_ns
        yield f"The {COUNT} operations that took longest from when they were sent."
        rows = np.argsort(took)[::-1][:COUNT]
        # What is put into a Markup by format is escaped: a store's answer stays text.
        lines = [_line(run, int(row), took[row] / 1e6) for row in rows if took[row] >= 0]
        yield Markup("<table>{}{}</table>").format(HEAD, Markup("").join(lines))


def _line(run: StoredRun, row: int, milliseconds: float) -> Markup:
    operation = run.history[row]
    what = f"{operation.f} {operation.input} on {operation.key}"
    return ROW.format(what, operation.node, operation.outcome, milliseconds)
