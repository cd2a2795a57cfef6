"""What the nemesis did, whether it bit, and what it cost."""

from collections.abc import Iterator

from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun


class Faults:
    """What the nemesis did, whether it bit, and what it cost."""

    title = "Faults"
    order = 30

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("faults.html", results=run.results)
