"""Every operation as a bar, a lane for each worker."""

from collections.abc import Iterator

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Timeline:
    """Every operation as a bar, a lane for each worker."""

    title = ""  # it has one in itself, which is there only if scripts run
    order = 60

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("timeline.html")
