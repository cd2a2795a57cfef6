"""Completed operations per second, by f and outcome."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from partita.checker import OUTCOMES
from partita.reports.drawing import WIDTH_INCHES, draw_bands, legend_below, window_s
from partita.reports.figures.availability import Bools
from partita.reports.figures.faults import SECOND
from partita.reports.palette import OUTCOME
from partita.reports.section import Picture
from partita.reports.stored import StoredRun


class Rate:
    """Completed operations per second, as a still picture."""

    title = ""
    order = 56

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Picture]:
        yield Picture("rate", rate(run), "Completed operations per second.", still=True)


def rate(run: StoredRun) -> Figure:
    """Completions per second, one panel for each f, stacked by outcome."""
    fs = sorted(run.history.fs)
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 1.3 * max(1, len(fs))), layout="constrained")
    panels = figure.subplots(max(1, len(fs)), 1, sharex=True, squeeze=False)[:, 0]
    for axes, f in zip(panels, fs, strict=False):
        _stacked(axes, run, run.history.f == run.history.fs.index(f))
        axes.set_ylabel(f"{f} (Hz)")
        draw_bands(axes, run, 0, run.end, labelled=axes is panels[0])
    panels[-1].set_xlim(0, run.end / SECOND)
    panels[-1].set_xlabel("Time since the run began (s)")
    handles = [Line2D([], [], color=c, lw=5, label=name) for name, c in OUTCOME.items()]
    legend_below(panels[-1], handles)
    return figure


def _stacked(axes: Axes, run: StoredRun, chosen: Bools) -> None:
    width = window_s(run)
    edges = np.arange(0, run.end / SECOND + width, width)
    done = np.where(run.history.completed_ns < 0, run.end, run.history.completed_ns) / SECOND
    below = np.zeros(len(edges) - 1)
    for code, outcome in enumerate(OUTCOMES):
        counts, _ = np.histogram(done[chosen & (run.history.outcome == code)], edges)
        above = below + counts / width
        axes.stairs(above, edges, baseline=below, fill=True, color=OUTCOME[outcome], alpha=0.85)
        below = above
