"""The charts that can be zoomed, and the switches above them."""

from collections.abc import Iterator

from partita.reports.figures.checks import contradicting_rows
from partita.reports.fragments import fragment
from partita.reports.interactive import shapes
from partita.reports.packing import chosen_rows
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Charts:
    """The charts that can be zoomed; where scripts do not run, still pictures follow."""

    title = "Charts"
    order = 40

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        count = len(run.history)
        left_out = count - len(chosen_rows(run.history, contradicting_rows(run)))
        yield fragment("charts.html", shapes=shapes(run), left_out=left_out, operations=count)
