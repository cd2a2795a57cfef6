"""Who held a lock, who only believed so, and what came of it, with a fence and without."""

from collections.abc import Iterator, Mapping
from typing import Any

from partita.checker.holders.grants import holdings_of
from partita.reports.figures.checks import checks_of
from partita.reports.fragments import fragment
from partita.reports.lanes import lanes, most_telling
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

CAPTION = (
    "Who waited for a lock, held it while the store owed it, and went on to believe so; in red the "
    "time in which two believed to hold it, by the rule that is judged. The lock with the most of "
    "it is shown, and of its clients those who overlapped the longest."
)


class Locks:
    """Who held a lock, who only believed so, and what came of it."""

    title = "Who held the lock"
    order = 60

    def applies(self, run: StoredRun) -> bool:
        figures = _figures(run)
        return figures.get("kind") == "locks" and bool(figures.get("grants"))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        figures = _figures(run)
        yield fragment("beliefs.html", figures=figures, effect=figures.get("effect"))
        holdings = holdings_of(run.history)
        if holdings is not None and holdings.grants:
            shown = most_telling(holdings, figures["belief"])
            yield Picture("locks", lanes(run, holdings, shown), CAPTION)


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check found, empty if it did not judge the run."""
    return next((each.figures for each in checks_of(run.results) if each.name == "holders"), {})
