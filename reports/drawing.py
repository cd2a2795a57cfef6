"""How pictures are drawn: their style, and what all charts over time have in common.

Figures are made by themselves, without pyplot and its global state. Every chart has time on the x
axis, in seconds since the run began, and the faults as bands behind what it shows, so that charts
can be read one above the other.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, NullFormatter

from partita.reports.figures.availability import Floats
from partita.reports.figures.faults import SECOND, Fault
from partita.reports.figures.statistics import MILLISECOND, since_due
from partita.reports.palette import GRID, INK, MUTED, PAPER, fault_colour
from partita.reports.stored import StoredRun

# Characters that fit below a figure, and what a handle and the space around it take of them.
_ROW, _AROUND_LABEL = 112, 7

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


def rendered(figure: Figure, name: str, kinds: Iterable[str]) -> dict[str, bytes]:
    """A figure as "png" and "svg" files; the same run always gives the same bytes."""
    with mpl.rc_context({**STYLE, "svg.hashsalt": name}):
        _lay_out(figure)
        return {kind: _file(figure, kind) for kind in kinds}


def _lay_out(figure: Figure) -> None:
    """Once for all files, for that takes as long as drawing two of them."""
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine(None)


def _file(figure: Figure, kind: str) -> bytes:
    nothing = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    file = BytesIO()
    figure.savefig(file, format=kind, dpi=150, metadata=nothing[kind])
    return file.getvalue()


def figure_of_height(height: float) -> tuple[Figure, Axes]:
    """An empty picture of so many inches, as wide as all others."""
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.add_subplot()


def time_axis(axes: Axes, run: StoredRun, begin: int, end: int) -> None:
    axes.set_xlim(begin / SECOND, end / SECOND)
    axes.set_xlabel("Time since the run began (s)")
    draw_bands(axes, run, begin, end, labelled=True)


def draw_bands(axes: Axes, run: StoredRun, begin: int, end: int, *, labelled: bool) -> None:
    """Draw each fault as a band behind all else; those that overlap share the height in lanes."""
    lanes = _lanes(run)
    for fault in run.faults:
        left, right = max(begin, fault.begin), min(end, fault.ended(run.end))
        if left >= right:
            continue
        colour, (lane, count) = fault_colour(fault.action), lanes[fault.number]
        top, bottom = 1 - lane / count, 1 - (lane + 1) / count
        axes.axvspan(
            left / SECOND, right / SECOND, bottom, top, color=colour, alpha=0.4, lw=0, zorder=0
        )
        axes.axvline(fault.begin / SECOND, color=MUTED, linewidth=0.8, zorder=1)
        if labelled:
            _band_label(axes, fault, left, (right - left) / (end - begin), top)


def _lanes(run: StoredRun) -> dict[int, tuple[int, int]]:
    """Return for each fault, by its number, its lane, and how many lanes there are beside it."""
    found: dict[int, tuple[int, int]] = {}
    together: list[Fault] = []  # that overlap, each at least one other of them
    ends: list[int] = []  # of the last fault in each lane
    for fault in sorted(run.faults, key=lambda fault: fault.begin):
        if ends and max(ends) <= fault.begin:
            together, ends = [], []
        free = (lane for lane, end in enumerate(ends) if end <= fault.begin)
        lane = next(free, len(ends))
        ends[lane : lane + 1] = [fault.ended(run.end)]
        together.append(fault)
        found[fault.number] = lane, 0
        found |= {each.number: (found[each.number][0], len(ends)) for each in together}
    return found


def _band_label(axes: Axes, fault: Fault, left: int, share: float, top: float) -> None:
    """The fault's name above its band, or inside it if another band is above.

    Only its number where the band is too narrow.
    """
    room = share * (WIDTH_INCHES - 1) / 0.065
    text = fault.label if len(fault.label) <= room else f"#{fault.number}"
    axes.annotate(
        text,
        (left / SECOND, top),
        xycoords=("data", "axes fraction"),
        xytext=(1, 3 if top == 1 else -9),
        textcoords="offset points",
        fontsize=8,
    )


def legend_below(axes: Axes, handles: list[Line2D]) -> None:
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    lengths = [len(str(handle.get_label())) + _AROUND_LABEL for handle in handles]
    columns = next(count for count in range(len(handles), 0, -1) if _width(lengths, count) <= _ROW)
    figure.legend(handles=handles, loc="outside lower center", ncol=columns, columnspacing=1.6)


def _width(lengths: Sequence[int], columns: int) -> int:
    """Return the width of a legend (in characters), which is filled column by column."""
    rows, longer = divmod(len(lengths), columns)
    places = [
        (rows + 1) * min(at, longer) + rows * max(0, at - longer) for at in range(columns + 1)
    ]
    return sum(max(lengths[begin:end]) for begin, end in pairwise(places)) if columns > 1 else 0


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


def log_latencies(axes: Axes) -> None:
    """A logarithmic y axis of milliseconds, once all is drawn on it."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(milliseconds))
    low, high = axes.get_ylim()
    # Within one power of ten there may be no other tick to be labelled.
    narrow = high < 10 * low
    axes.yaxis.set_minor_formatter(FuncFormatter(milliseconds) if narrow else NullFormatter())


def milliseconds(value: float, _position: int) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


def window_s(run: StoredRun) -> float:
    """A window's width in seconds, such that a chart has about fifty of them."""
    wanted = run.end / SECOND / 50
    return next((width for width in (1.0, 2.0, 5.0, 10.0) if width >= wanted), 30.0)
