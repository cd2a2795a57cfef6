"""Every operation as a point: latency over due time, for the whole run and around each fault."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
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
)
from partita.reports.figures.availability import Bools
from partita.reports.figures.faults import SECOND, Fault
from partita.reports.palette import INK, MUTED, OUTCOME, PAPER
from partita.reports.section import Picture
from partita.reports.stored import StoredRun

SHAPES = ("o", "^", "s", "D", "v", "P", "X", "h")
# More points than this are drawn as pixels inside an SVG: it would take seconds to open.
POINTS_AS_VECTORS = 2000
FAULTS_DRAWN_CLOSE = 3
CAPTION = (
    "Latency of every operation, from the time it was due. Filled: ok. "
    "Hollow: failed for certain (faint: a cas that met another value), or nobody knows."
)
CLOSE = "The same around fault {}: from the cut to the first acknowledged write."


class Latency:
    """Latency of every operation, as still pictures."""

    title = ""
    order = 50

    def applies(self, run: StoredRun) -> bool:
        return True

    def draw(self, run: StoredRun) -> Iterator[Picture]:
        yield Picture("latency", latency(run), CAPTION, still=True)
        for fault in run.faults[:FAULTS_DRAWN_CLOSE]:
            caption = CLOSE.format(fault.number)
            yield Picture(
                f"latency-fault-{fault.number}", latency_around(run, fault), caption, still=True
            )


def latency(run: StoredRun) -> Figure:
    """Every operation: latency over due time, colour by outcome, shape by f."""
    figure, axes = figure_of_height(4.2)
    _scatter(axes, run, 0, run.end)
    return figure


def latency_around(run: StoredRun, fault: Fault) -> Figure:
    """The same, from shortly before a fault until the store has found its new leader."""
    figure, axes = figure_of_height(4.2)
    result = next(each for each in run.results["faults"] if each["fault"] == fault.number)
    elected = result["seconds_to_new_leader"]
    end = min(run.end, fault.cut + round(((elected or 20) + 12) * SECOND))
    _scatter(axes, run, max(0, fault.begin - 8 * SECOND), end)
    if elected is not None:
        _mark(axes, fault.cut / SECOND + elected, f"first write after the cut: +{elected:.1f} s")
    return figure


def _scatter(axes: Axes, run: StoredRun, begin: int, end: int) -> None:
    """The operations due between two moments (ns), with legend and time axis."""
    history, due = run.history, due_s(run)
    shown = (due >= begin / SECOND) & (due <= end / SECOND)
    mismatch = np.isin(history.error, [c for c, e in enumerate(history.errors) if e == "mismatch"])
    for code, outcome in enumerate(OUTCOMES):
        for number in range(len(history.fs)):
            chosen = shown & (history.outcome == code) & (history.f == number)
            # A mismatch is a store's everyday answer: faint, and behind all else.
            _points(axes, run, chosen & mismatch, outcome, number, faint=True)
            _points(axes, run, chosen & ~mismatch, outcome, number, faint=False)
    axes.set_ylabel("Latency from due time")
    _time_out_line(axes, run.timeout * 1000)
    log_latencies(axes)
    _scatter_legend(axes, run, shown)
    time_axis(axes, run, begin, end)


def _time_out_line(axes: Axes, at_ms: float) -> None:
    axes.axhline(at_ms, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(
        "time-out",
        (1, at_ms),
        xycoords=("axes fraction", "data"),
        xytext=(0, 2),
        textcoords="offset points",
        ha="right",
        color=MUTED,
        fontsize=8,
    )


def _points(
    axes: Axes, run: StoredRun, chosen: Bools, outcome: str, shape: int, *, faint: bool
) -> None:
    colour, certain, total = OUTCOME[outcome], outcome == "ok", len(run.history)
    if not chosen.any():
        return
    # Markers of a line, not a scatter: they are stamped, which is many times faster.
    size = float(np.sqrt(np.clip(30_000 / max(total, 1), 3, 16)))
    axes.plot(
        due_s(run)[chosen],
        latencies_ms(run)[chosen],
        linestyle="",
        marker=SHAPES[shape % len(SHAPES)],
        markersize=size * (1 if certain else 1.25),
        markerfacecolor=colour if certain else "none",
        markeredgecolor="none" if certain else colour,
        markeredgewidth=0.9,
        alpha=0.55 if certain else 0.35 if faint else 0.9,
        rasterized=total > POINTS_AS_VECTORS,
        zorder=2 if faint else 3 if certain else 4,
    )


def _scatter_legend(axes: Axes, run: StoredRun, shown: Bools) -> None:
    history = run.history
    handles = []
    for code, outcome in enumerate(OUTCOMES):
        count = int((shown & (history.outcome == code)).sum())
        face = OUTCOME[outcome] if outcome == "ok" else "none"
        handles.append(_swatch("o", face, OUTCOME[outcome], f"{outcome} {count:,}"))
    for number, f in enumerate(history.fs):
        handles.append(_swatch(SHAPES[number % len(SHAPES)], "none", INK, f))
    legend_below(axes, handles)


def _swatch(marker: str, face: str, edge: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=marker, markersize=5, mfc=face, mec=edge, label=label
    )


def _mark(axes: Axes, at_s: float, text: str) -> None:
    axes.axvline(at_s, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=5)
    axes.annotate(
        text,
        (at_s, 0.45),
        xycoords=("data", "axes fraction"),
        xytext=(4, 0),
        textcoords="offset points",
        va="top",
        fontsize=8,
        zorder=6,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.85, "pad": 1.5},
    )
