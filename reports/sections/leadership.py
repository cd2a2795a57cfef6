"""Who led, who only believed so, and for how long nobody did."""

from collections.abc import Iterator, Mapping
from typing import Any

from partita.checker.holders.grants import Holdings, holdings_of
from partita.reports.figures.checks import checks_of
from partita.reports.figures.faults import SECOND
from partita.reports.fragments import fragment
from partita.reports.lanes import lanes, most_telling
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

CAPTION = (
    "Who campaigned, led while the store owed it, and went on to believe so; in red the time in "
    "which two believed to lead, by the rule that is judged."
)


class Leadership:
    """Who led, who only believed so, and for how long nobody did."""

    title = "Who led"
    order = 61

    def applies(self, run: StoredRun) -> bool:
        figures = _figures(run)
        return figures.get("kind") == "elections" and bool(figures.get("grants"))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        figures = _figures(run)
        holdings = holdings_of(run.history)
        following = [] if holdings is None else _following(run, holdings)
        yield fragment("leadership.html", figures=figures, following=following)
        yield fragment("beliefs.html", figures=figures, effect=figures.get("effect"))
        if holdings is not None and holdings.grants:
            shown = most_telling(holdings, figures["belief"])
            yield Picture("leadership", lanes(run, holdings, shown), CAPTION)


def _following(run: StoredRun, holdings: Holdings) -> list[tuple[str, float | None]]:
    """Return for each fault how many seconds after it began somebody was elected."""
    claims = [grant.got for grant in holdings.grants]
    found = []
    for fault in run.faults:
        after = (time for time in claims if time >= fault.cut)
        first = next(after, None)
        took = None if first is None else (first - fault.cut) / SECOND
        found.append((f"#{fault.number} {fault.label}", took))
    return found


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check found, empty if it did not judge the run."""
    return next((each.figures for each in checks_of(run.results) if each.name == "holders"), {})
