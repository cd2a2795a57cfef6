"""How old what reads returned was: by node, and over time."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from partita.checker.sessions.sessions import staleness_of
from partita.checker.sessions.staleness import Staleness
from partita.reports.drawing import WIDTH_INCHES, draw_bands, log_latencies
from partita.reports.figures.availability import Bools
from partita.reports.figures.checks import checks_of
from partita.reports.figures.faults import SECOND
from partita.reports.fragments import fragment
from partita.reports.palette import OUTCOME
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

CAPTION = (
    "Reads that returned what was known to be replaced before they were sent, by the node that "
    "answered: for how long it was. Reads of the newest are not drawn."
)
# More points than this are drawn as pixels inside an SVG: it would take seconds to open.
POINTS_AS_VECTORS = 2000


class Stale:
    """How old what reads returned was: by node, and over time."""

    title = "How old reads were"
    order = 64

    def applies(self, run: StoredRun) -> bool:
        return bool(_figures(run).get("reads"))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        figures = _figures(run)
        if not figures.get("stale"):
            yield f"None of the {figures['reads']:,} reads was stale: each returned the newest."
            return
        yield fragment("staleness.html", all=figures, nodes=figures.get("nodes") or {})
        found = staleness_of(run.history)
        if found is not None and _drawn(found).any():
            yield Picture("staleness", over_time(run, found), CAPTION)


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check that measures it found, empty if it did not judge the run."""
    checks = {check.name: check for check in checks_of(run.results)}
    return checks["sessions"].figures if "sessions" in checks else {}


def _drawn(found: Staleness) -> Bools:
    return found.stale & ~np.isnan(found.age_s)


def over_time(run: StoredRun, found: Staleness) -> Figure:
    """A panel for each node: the age of its stale reads over the time of sending."""
    figure = Figure(figsize=(WIDTH_INCHES, 0.9 + 0.8 * len(run.nodes)), layout="constrained")
    panels = figure.subplots(len(run.nodes), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, node in zip(panels, run.nodes, strict=True):
        _panel(axes, run, found, node)
        draw_bands(axes, run, 0, run.end, labelled=axes is panels[0])
    panels[-1].set_xlim(0, run.end / SECOND)
    panels[-1].set_xlabel("Time since the run began (s)")
    return figure


def _panel(axes: Axes, run: StoredRun, found: Staleness, node: str) -> None:
    code = run.history.nodes.index(node) if node in run.history.nodes else -1
    chosen = _drawn(found) & (run.history.node[found.rows] == code)
    sent = run.history.invoked_ns[found.rows[chosen]] / SECOND
    axes.plot(
        sent,
        np.maximum(found.age_s[chosen] * 1000, 1e-3),
        linestyle="",
        marker="o",
        markersize=2.5,
        markeredgewidth=0,
        color=OUTCOME["ok"],
        rasterized=int(_drawn(found).sum()) > POINTS_AS_VECTORS,
    )
    log_latencies(axes)
    axes.set_ylabel(node, rotation=0, ha="right", va="center")
