"""Availability over time, beside what the network allowed, by node, and who led."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from partita.reports.drawing import WIDTH_INCHES, draw_bands, legend_below
from partita.reports.figures.availability import by_second
from partita.reports.figures.faults import SECOND
from partita.reports.figures.leaders import leaders_over_time
from partita.reports.figures.quorum import bound_over_time
from partita.reports.palette import INK, OUTCOME
from partita.reports.section import Picture
from partita.reports.stored import StoredRun

CAPTION = (
    "Share of the operations due in each second that were acknowledged within "
    "their time-out, beside the share of nodes that could reach a majority; below, "
    "the same for each node, and who claimed to lead. An operation due shortly before the heal "
    "is in time if it is acknowledged after it."
)


class Availability:
    """Availability over time, as a still picture."""

    title = ""
    order = 52

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Picture]:
        yield Picture("availability", availability(run), CAPTION, still=True)


def availability(run: StoredRun) -> Figure:
    """Availability by the second beside the quorum bound; below, each node and who leads."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.6 + 0.42 * len(run.nodes)), layout="constrained")
    heights = [2.0, 0.42 * max(1, len(run.nodes))]
    top, lanes = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    _overall(top, run)
    _node_lanes(lanes, run)
    draw_bands(top, run, 0, run.end, labelled=True)
    draw_bands(lanes, run, 0, run.end, labelled=False)
    lanes.set_xlim(0, run.end / SECOND)
    lanes.set_xlabel("Time since the run began (s)")
    handles = [
        Line2D([], [], color=OUTCOME["ok"], lw=6, alpha=0.7, label="acknowledged in time"),
        Line2D([], [], color=INK, lw=1.4, ls=(0, (4, 2)), label="nodes that can reach a majority"),
        Line2D([], [], color=INK, lw=3.5, label="claims to lead"),
    ]
    legend_below(lanes, handles)
    return figure


def _overall(axes: Axes, run: StoredRun) -> None:
    windows = by_second(run.load)
    edges = np.append(windows.start_s, len(windows.start_s))
    axes.stairs(windows.overall, edges, fill=True, color=OUTCOME["ok"], alpha=0.7)
    steps = bound_over_time(run.nodes, run.faults, run.end)
    times, shares = [time / SECOND for time, _ in steps], [share for _, share in steps]
    axes.step(times, shares, where="post", color=INK, lw=1.4, ls=(0, (4, 2)))
    axes.set_ylim(0, 1.04)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("Availability")


def _node_lanes(axes: Axes, run: StoredRun) -> None:
    windows = by_second(run.load)
    edges = np.append(windows.start_s, len(windows.start_s))
    leaders = leaders_over_time(run.history, run.nodes, run.end)
    for lane, node in enumerate(reversed(run.nodes)):
        shares = windows.by_node[run.nodes.index(node)] * 0.66
        axes.stairs(lane + shares, edges, baseline=lane, fill=True, color=OUTCOME["ok"], alpha=0.7)
        spans = [(begin / SECOND, (end - begin) / SECOND) for begin, end in leaders[node]]
        axes.broken_barh(spans, (lane + 0.72, 0.13), color=INK, lw=0)
    axes.set_yticks([lane + 0.4 for lane in range(len(run.nodes))], list(reversed(run.nodes)))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_ylim(-0.1, len(run.nodes))
