"""Quantiles of the latency over time."""

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from partita.checker import OUTCOMES
from partita.reports.drawing import (
    due_s,
    figure_of_height,
    latencies_ms,
    legend_below,
    log_latencies,
    time_axis,
    window_s,
)
from partita.reports.figures.availability import Floats
from partita.reports.figures.faults import SECOND
from partita.reports.palette import QUANTILE
from partita.reports.section import Picture
from partita.reports.stored import StoredRun

QUANTILE_NAME = {"0.5": "median", "0.95": "0.95", "0.99": "0.99", "1": "maximum"}
CAPTION = "Quantiles of the latency of acknowledged operations, from the due time."


class Quantiles:
    """Quantiles of the latency over time."""

    title = ""
    order = 54

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Picture]:
        yield Picture("latency-quantiles", quantiles(run), CAPTION)


def quantiles(run: StoredRun) -> Figure:
    """Quantiles of the latency of `ok` operations, in windows of due time."""
    figure, axes = figure_of_height(3.4)
    ok = (run.history.outcome == OUTCOMES.index("ok")) & (run.history.completed_ns >= 0)
    width = window_s(run)
    due, latencies = due_s(run)[ok], latencies_ms(run)[ok]
    starts = np.arange(0, run.end / SECOND, width)
    for name, colour in reversed(QUANTILE.items()):
        values = _quantile_by_window(due, latencies, starts, width, float(name))
        axes.stairs(values, [*starts, starts[-1] + width], color=colour, lw=1.6, baseline=None)
    log_latencies(axes)
    axes.set_ylabel(f"Latency of ok, {width:g} s windows")
    time_axis(axes, run, 0, run.end)
    legend_below(
        axes, [Line2D([], [], color=c, lw=2, label=QUANTILE_NAME[q]) for q, c in QUANTILE.items()]
    )
    return figure


def _quantile_by_window(
    x: Floats, y: Floats, starts: Floats, width: float, quantile: float
) -> Floats:
    window = (x / width).astype(np.int64)
    values = [y[window == number] for number in range(len(starts))]
    return np.array([np.quantile(each, quantile) if len(each) else np.nan for each in values])
