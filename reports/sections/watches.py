"""How long changes took to those who watch, over time and in the worst case."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from partita.checker.watches.lag import Lags
from partita.checker.watches.watches import watched_of
from partita.reports.drawing import figure_of_height, log_latencies, time_axis
from partita.reports.figures.checks import checks_of
from partita.reports.figures.faults import SECOND
from partita.reports.fragments import fragment
from partita.reports.palette import OUTCOME
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

CAPTION = (
    "Each delivery of a change to a watch, at the time of the delivery, by how long after its "
    "acknowledgement it came; at the very bottom, what came before it. What was there before a "
    "watch began counts from its beginning."
)
# More points than this are drawn as pixels inside an SVG: it would take seconds to open.
POINTS_AS_VECTORS = 2000


class Watches:
    """How long changes took to those who watch."""

    title = "How long watches took"
    order = 63

    def applies(self, run: StoredRun) -> bool:
        return bool(_figures(run).get("lag_s"))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        lags = watched_of(run.history).lags()
        yield fragment("watches.html", figures=_figures(run), rows=_in_and_out(run, lags))
        if len(lags.ns):
            yield Picture("watches", over_time(run, lags), CAPTION)


def over_time(run: StoredRun, lags: Lags) -> Figure:
    """Draw each delivery as a point."""
    figure, axes = figure_of_height(2.8)
    axes.plot(
        lags.at / SECOND,
        np.maximum(lags.ns / 1e6, 1e-2),
        linestyle="",
        marker="o",
        markersize=2.5,
        markeredgewidth=0,
        color=OUTCOME["ok"],
        alpha=1 if len(lags.ns) <= POINTS_AS_VECTORS else 0.25,
        rasterized=len(lags.ns) > POINTS_AS_VECTORS,
    )
    log_latencies(axes)
    axes.set_ylabel("From change to delivery")
    time_axis(axes, run, 0, run.end)
    return figure


def _in_and_out(run: StoredRun, lags: Lags) -> list[tuple[str, dict[str, Any]]]:
    """Sum deliveries up: those while a fault was in force, and all others."""
    inside = np.zeros(len(lags.at), dtype=bool)
    for fault in run.faults:
        inside |= (lags.at >= fault.cut) & (lags.at < fault.ended(run.end))
    parts = [("in faults", inside), ("otherwise", ~inside)] if run.faults else []
    return [(name, _summary(lags.ns[chosen])) for name, chosen in parts if chosen.any()]


def _summary(ns: Any) -> dict[str, Any]:
    median, most_of, worst = np.quantile(ns, [0.5, 0.99, 1]).tolist()
    return {
        "count": len(ns),
        "median": median / SECOND,
        "p99": most_of / SECOND,
        "most": worst / SECOND,
    }


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check found, empty if it did not judge the run."""
    return next((each.figures for each in checks_of(run.results) if each.name == "watches"), {})
