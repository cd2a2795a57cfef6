"""What came out, in a few large figures."""

from collections.abc import Iterator

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Tiles:
    """What came out, in a few large figures."""

    title = ""
    order = 0

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("tiles.html", results=run.results)
