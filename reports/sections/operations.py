"""The operations themselves, packed, and the scripts that make charts and timeline of them."""

from collections.abc import Iterator

from partita.reports.fragments import fragment
from partita.reports.interactive import interactive
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Operations:
    """The operations, packed, and the scripts that draw them: nothing to see by itself."""

    title = ""
    order = 1000  # scripts stand below all that they fill

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("operations.html", data=interactive(run))
