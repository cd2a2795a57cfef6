"""The pictures of a run: pure functions from a stored run to matplotlib figures.

Figures are made by themselves, without pyplot and its global state. Every chart has time on the x
axis, in seconds since the run began, and the faults as bands behind what it shows, so that charts
can be read one above the other.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, PercentFormatter

from partita.checker import OUTCOMES
from partita.reports.availability import Bools, Floats, by_second
from partita.reports.faults import SECOND, Fault
from partita.reports.leaders import leaders_over_time
from partita.reports.palette import GRID, INK, MUTED, OUTCOME, PAPER, QUANTILE, fault_colour
from partita.reports.quorum import bound_over_time
from partita.reports.statistics import MILLISECOND, since_due
from partita.reports.stored import StoredRun

STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": PAPER,
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,  # a dollar in a value is a dollar
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}

WIDTH_INCHES = 9.0
SHAPES = ("o", "^", "s", "D", "v", "P", "X", "h")
# More points than this are drawn as pixels inside an SVG: it would take seconds to open.
POINTS_AS_VECTORS = 2000
FAULTS_DRAWN_CLOSE = 3
QUANTILE_NAME = {"0.5": "median", "0.95": "0.95", "0.99": "0.99", "1": "maximum"}


def charts_of(run: StoredRun) -> Iterator[tuple[str, Figure]]:
    """Name and figure of each chart, the most telling first."""
    with mpl.rc_context(STYLE):
        yield "latency", latency(run)
        for fault in run.faults[:FAULTS_DRAWN_CLOSE]:
            yield f"latency-fault-{fault.number}", latency_around(run, fault)
        yield "availability", availability(run)
        yield "latency-quantiles", quantiles(run)
        yield "rate", rate(run)


def rendered(figure: Figure, name: str, kind: str) -> bytes:
    """A figure as a "png" or "svg" file; the same run always gives the same bytes."""
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    file = BytesIO()
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        figure.savefig(file, format=kind, dpi=150, metadata=nothing[kind])
    return file.getvalue()


def latency(run: StoredRun) -> Figure:
    """Every operation: latency over due time, colour by outcome, shape by f."""
    figure, axes = _figure(4.2)
    _scatter(axes, run, 0, run.end)
    return figure


def latency_around(run: StoredRun, fault: Fault) -> Figure:
    """The same, from shortly before a fault until the store has found its new leader."""
    figure, axes = _figure(4.2)
    result = next(each for each in run.results["faults"] if each["fault"] == fault.number)
    elected = result["seconds_to_new_leader"]
    end = min(run.end, fault.cut + round(((elected or 20) + 12) * SECOND))
    _scatter(axes, run, max(0, fault.begin - 8 * SECOND), end)
    if elected is not None:
        _mark(axes, fault.cut / SECOND + elected, f"first write after the cut: +{elected:.1f} s")
    return figure


def _figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


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
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(milliseconds))
    axes.set_ylabel("Latency from due time")
    _time_out_line(axes, run.timeout * 1000)
    _scatter_legend(axes, run, shown)
    _time_axis(axes, run, begin, end)


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


def due_s(run: StoredRun) -> Floats:
    history = run.history
    due = np.where(history.due_ns < 0, history.invoked_ns, history.due_ns)
    return due / SECOND


def latencies_ms(run: StoredRun) -> Floats:
    """From the due time; an operation that never ended reaches to the end of the run."""
    never = run.history.completed_ns < 0
    waited = run.end - due_s(run) * SECOND
    ns = np.where(never, waited, since_due(run.history))
    return np.maximum(ns / MILLISECOND, 1e-3)


def milliseconds(value: float, _position: int) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


def _scatter_legend(axes: Axes, run: StoredRun, shown: Bools) -> None:
    history = run.history
    handles = []
    for code, outcome in enumerate(OUTCOMES):
        count = int((shown & (history.outcome == code)).sum())
        face = OUTCOME[outcome] if outcome == "ok" else "none"
        handles.append(_swatch("o", face, OUTCOME[outcome], f"{outcome} {count:,}"))
    for number, f in enumerate(history.fs):
        handles.append(_swatch(SHAPES[number % len(SHAPES)], "none", INK, f))
    _legend_below(axes, handles)


def _swatch(marker: str, face: str, edge: str, label: str) -> Line2D:
    return Line2D(
        [], [], linestyle="", marker=marker, markersize=5, mfc=face, mec=edge, label=label
    )


def _legend_below(axes: Axes, handles: list[Line2D]) -> None:
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    figure.legend(handles=handles, loc="outside lower center", ncol=len(handles), columnspacing=1.6)


def _time_axis(axes: Axes, run: StoredRun, begin: int, end: int) -> None:
    axes.set_xlim(begin / SECOND, end / SECOND)
    axes.set_xlabel("Time since the run began (s)")
    _bands(axes, run, begin, end, labelled=True)


def _bands(axes: Axes, run: StoredRun, begin: int, end: int, *, labelled: bool) -> None:
    for fault in run.faults:
        left, right = max(begin, fault.begin), min(end, fault.ended(run.end))
        if left >= right:
            continue
        colour = fault_colour(fault.action)
        axes.axvspan(left / SECOND, right / SECOND, color=colour, alpha=0.4, lw=0, zorder=0)
        axes.axvline(fault.begin / SECOND, color=MUTED, linewidth=0.8, zorder=1)
        if labelled:
            _band_label(axes, fault, left, (right - left) / (end - begin))


def _band_label(axes: Axes, fault: Fault, left: int, share: float) -> None:
    """The fault's name above its band; only its number where the band is too narrow."""
    room = share * (WIDTH_INCHES - 1) / 0.065
    text = fault.label if len(fault.label) <= room else f"#{fault.number}"
    axes.annotate(
        text,
        (left / SECOND, 1),
        xycoords=("data", "axes fraction"),
        xytext=(1, 3),
        textcoords="offset points",
        fontsize=8,
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


def quantiles(run: StoredRun) -> Figure:
    """Quantiles of the latency of `ok` operations, in windows of due time."""
    figure, axes = _figure(3.4)
    ok = (run.history.outcome == OUTCOMES.index("ok")) & (run.history.completed_ns >= 0)
    width = _window(run)
    due, latencies = due_s(run)[ok], latencies_ms(run)[ok]
    starts = np.arange(0, run.end / SECOND, width)
    for name, colour in reversed(QUANTILE.items()):
        values = _quantile_by_window(due, latencies, starts, width, float(name))
        axes.stairs(values, [*starts, starts[-1] + width], color=colour, lw=1.6, baseline=None)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(milliseconds))
    axes.set_ylabel(f"Latency of ok, {width:g} s windows")
    _time_axis(axes, run, 0, run.end)
    _legend_below(
        axes, [Line2D([], [], color=c, lw=2, label=QUANTILE_NAME[q]) for q, c in QUANTILE.items()]
    )
    return figure


def _window(run: StoredRun) -> float:
    """A window's width in seconds, such that a chart has about fifty of them."""
    wanted = run.end / SECOND / 50
    return next((width for width in (1.0, 2.0, 5.0, 10.0) if width >= wanted), 30.0)


def _quantile_by_window(
    x: Floats, y: Floats, starts: Floats, width: float, quantile: float
) -> Floats:
    window = (x / width).astype(np.int64)
    values = [y[window == number] for number in range(len(starts))]
    return np.array([np.quantile(each, quantile) if len(each) else np.nan for each in values])


def rate(run: StoredRun) -> Figure:
    """Completions per second, one panel for each f, stacked by outcome."""
    fs = sorted(run.history.fs)
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 1.3 * max(1, len(fs))), layout="constrained")
    panels = figure.subplots(max(1, len(fs)), 1, sharex=True, squeeze=False)[:, 0]
    for axes, f in zip(panels, fs, strict=False):
        _stacked(axes, run, run.history.f == run.history.fs.index(f))
        axes.set_ylabel(f"{f} (Hz)")
        _bands(axes, run, 0, run.end, labelled=axes is panels[0])
    panels[-1].set_xlim(0, run.end / SECOND)
    panels[-1].set_xlabel("Time since the run began (s)")
    handles = [Line2D([], [], color=c, lw=5, label=name) for name, c in OUTCOME.items()]
    _legend_below(panels[-1], handles)
    return figure


def _stacked(axes: Axes, run: StoredRun, chosen: Bools) -> None:
    width = _window(run)
    edges = np.arange(0, run.end / SECOND + width, width)
    done = np.where(run.history.completed_ns < 0, run.end, run.history.completed_ns) / SECOND
    below = np.zeros(len(edges) - 1)
    for code, outcome in enumerate(OUTCOMES):
        counts, _ = np.histogram(done[chosen & (run.history.outcome == code)], edges)
        above = below + counts / width
        axes.stairs(above, edges, baseline=below, fill=True, color=OUTCOME[outcome], alpha=0.85)
        below = above


def availability(run: StoredRun) -> Figure:
    """Availability by the second beside the quorum bound; below, each node and who leads."""
    figure = Figure(figsize=(WIDTH_INCHES, 2.6 + 0.42 * len(run.nodes)), layout="constrained")
    heights = [2.0, 0.42 * max(1, len(run.nodes))]
    top, lanes = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    _overall(top, run)
    _node_lanes(lanes, run)
    _bands(top, run, 0, run.end, labelled=True)
    _bands(lanes, run, 0, run.end, labelled=False)
    lanes.set_xlim(0, run.end / SECOND)
    lanes.set_xlabel("Time since the run began (s)")
    handles = [
        Line2D([], [], color=OUTCOME["ok"], lw=6, alpha=0.7, label="acknowledged in time"),
        Line2D([], [], color=INK, lw=1.4, ls=(0, (4, 2)), label="nodes that can reach a majority"),
        Line2D([], [], color=INK, lw=3.5, label="claims to lead"),
    ]
    _legend_below(lanes, handles)
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
