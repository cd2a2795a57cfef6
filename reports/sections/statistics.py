"""Counts and latencies by f and by node."""

from collections.abc import Iterator

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Statistics:
    """Counts and latencies by f and by node."""

    title = "Statistics"
    order = 70

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("statistics.html", results=run.results)
