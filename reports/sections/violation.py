"""Why a run is invalid: the operations that contradict what was expected."""

from collections.abc import Iterator

from markupsafe import Markup

from partita.reports.figures.checks import contradicting_rows
from partita.reports.section import Part
from partita.reports.stored import StoredRun
from partita.reports.violations.violation import violation

TO_TIMELINE = Markup(
    '<p class="live-only"><button type="button" id="to-contradiction">'
    "Show them in the timeline of all operations</button></p>"
)


class Violation:
    """Why a run is invalid: the operations that contradict what was expected."""

    title = "Why it is invalid"
    order = 10

    def applies(self, run: StoredRun) -> bool:
        return run.results.get("valid") is False and bool(contradicting_rows(run))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield from violation(run.history, contradicting_rows(run))
        yield TO_TIMELINE
