"""What the nemesis did, whether it bit, and what it cost."""

from collections.abc import Iterator

from partita.reports.figures.faults import lost_of
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
        for lost in lost_of(run.history):
            yield (
                f"{lost.node} was lost: last heard of at {lost.heard_s:.1f} s, "
                f"given up at {lost.said_s:.1f} s."
            )
