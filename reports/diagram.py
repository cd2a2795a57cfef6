"""The space-time diagram as a still picture: time to the right, a line for each node and client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from partita.checker import OUTCOMES
from partita.reports.drawing import WIDTH_INCHES
from partita.reports.figures.availability import Floats, Ints
from partita.reports.figures.faults import SECOND, Fault
from partita.reports.palette import INK, MUTED, OUTCOME, PAPER, fault_colour
from partita.reports.spacetime import Line, SpaceTime, said, thinned

POINTS = 72.0
LEFT, RIGHT, BOTTOM = 1.05, 0.15, 0.95  # inches around the diagram
NODE, CLIENT = 0.55, 0.42  # inches of a line
FAULT_ROW = 0.16
HEAD = 5.0  # points of an arrow's head
LETTER = 0.068  # inches
LOST, ENDED = 0.22, 0.11  # inches: how far a lost message gets from here, or to there
NO_TYPE = "(no type)"
TYPES_MAX = 8  # in the legend


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where things are drawn: heights of lines in inches from above, and points a second."""

    axes: Axes
    shown: Sequence[Line]
    heights: Sequence[float]
    begin: float
    end: float
    width: float

    def x(self, times: Ints) -> Floats:
        """Times (ns) as places in inches."""
        return (times / SECOND - self.begin) / (self.end - self.begin) * self.width

    def y(self, codes: Ints, names: int) -> Floats:
        """Heights of names."""
        known = np.zeros(names)
        for line, height in zip(self.shown, self.heights, strict=True):
            known[list(line.codes)] = height
        return known[codes]


def diagram(drawn: SpaceTime) -> tuple[Figure, int, int]:
    """Draw what is shown at first; how many messages there are, and how many are drawn."""
    (begin, end), shown = drawn.interval, drawn.shown()
    faults = [f for f in drawn.run.faults if f.begin < end and f.ended(drawn.run.end) > begin]
    heights = _heights(shown)
    width, tall = WIDTH_INCHES - LEFT - RIGHT, heights[-1] + 0.3
    rows_of_faults = _fault_rows(faults, drawn, width)
    top = FAULT_ROW * (1 + max(rows_of_faults, default=-1)) + 0.12
    figure = Figure(figsize=(WIDTH_INCHES, tall + top + BOTTOM))
    inches = np.array([LEFT, BOTTOM, width, tall])
    axes = figure.add_axes(tuple(inches / np.tile(figure.get_size_inches(), 2)))
    axes.set_xlim(0, width)
    axes.set_ylim(tall, 0)
    ground = _Ground(axes, shown, heights, begin / SECOND, end / SECOND, width)
    for fault, row in zip(faults, rows_of_faults, strict=True):
        _fault(ground, drawn, fault, -FAULT_ROW * row - 0.05)
    _lines(ground)
    rows = drawn.rows_in(begin, end, shown)
    kept = thinned(rows, np.union1d(np.flatnonzero(drawn.messages.lost), drawn.chains))
    _messages(ground, drawn, kept)
    _messages(ground, drawn, np.intersect1d(rows, drawn.chains), bold=True)
    _operations(ground, drawn)
    _ruler(ground)
    figure.legend(
        handles=_handles(drawn, kept), loc="lower center", ncol=6, fontsize=8, columnspacing=1.4
    )
    return figure, len(rows), len(kept)


def _heights(shown: Sequence[Line]) -> list[float]:
    steps = [NODE if line.process is None else CLIENT for line in shown]
    return [float(height) for height in np.cumsum(steps)]


def _lines(ground: _Ground) -> None:
    for line, height in zip(ground.shown, ground.heights, strict=True):
        node = line.process is None
        ground.axes.axhline(height, color=INK if node else MUTED, lw=1.2 if node else 0.6, zorder=2)
        ground.axes.annotate(
            line.name,
            (0, height),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=10 if node else 8,
            fontweight="bold" if node else "normal",
            color=INK if node else MUTED,
            annotation_clip=False,
        )


def _ruler(ground: _Ground) -> None:
    axes, span = ground.axes, ground.end - ground.begin
    power = 10 ** np.floor(np.log10(span / 8))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= span / 8)
    times = np.arange(np.ceil(ground.begin / step), np.floor(ground.end / step) + 1) * step
    digits = max(0, -int(np.floor(np.log10(step) + 1e-9)))
    axes.set_xticks(ground.x(times * SECOND).tolist(), [f"{time:.{digits}f}" for time in times])
    axes.set_xlabel("Time since the run began (s)")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _fault_rows(faults: Sequence[Fault], drawn: SpaceTime, width: float) -> list[int]:
    """The rows in which the faults' names stand, so that none overlaps with another."""
    begin, end = drawn.interval
    rows: list[int] = []
    ends: list[float] = []
    for fault in faults:
        left = max(0.0, (fault.begin - begin) / (end - begin) * width)
        row = next((row for row, taken in enumerate(ends) if taken < left), len(ends))
        ends[row : row + 1] = [left + LETTER * len(fault.label) + 0.1]
        rows.append(row)
    return rows


def _fault(ground: _Ground, drawn: SpaceTime, fault: Fault, above: float) -> None:
    """A band over all, the line of a node that is down, and what the fault is."""
    colour, axes = fault_colour(fault.action), ground.axes
    ends = np.array([fault.begin, fault.ended(drawn.run.end)])
    left, right = np.clip(ground.x(ends), 0, ground.width)
    axes.axvspan(left, right, color=colour, alpha=0.35, lw=0, zorder=0)
    for line, height in zip(ground.shown, ground.heights, strict=True):
        if line.name in fault.down:
            until = fault.restored.get(line.name, int(ends[1]))
            back = float(np.clip(ground.x(np.array([until]))[0], 0, ground.width))
            axes.barh(height, back - left, 0.16, left, color=colour, lw=0, zorder=2.5)
    axes.annotate(
        fault.label,
        (left, above),
        xytext=(2, 0),
        textcoords="offset points",
        fontsize=8,
        va="bottom",
        annotation_clip=False,
    )


def _messages(ground: _Ground, drawn: SpaceTime, rows: Ints, *, bold: bool = False) -> None:
    messages, names = drawn.messages, len(drawn.messages.names)
    x, y = ground.x(messages.sent[rows]), ground.y(messages.sender[rows], names)
    to_x, to_y = ground.x(messages.at[rows]), ground.y(messages.dest[rows], names)
    lost, copy = messages.lost[rows], messages.copy[rows]
    ended = np.array([fate not in ("cut", "loss") for fate in messages.fates])[messages.fate[rows]]
    way = np.sign(to_y - y)
    died = np.where(ended, to_y - way * ENDED, y + way * np.minimum(LOST, abs(to_y - y) / 2))
    to_y = np.where(lost, died, to_y)
    to_x = np.where(lost, x + 0.04, to_x + 0.04 * copy)
    dim = 0.45 if len(drawn.chains) and not bold else 1.0
    look: dict[str, Any] = {
        "linewidths": 1.8 if bold else 0.7,
        "alpha": dim,
        "zorder": 4 if bold else 3,
    }
    for code, colour in enumerate(drawn.colours):
        mine = messages.kind[rows] == code
        for chosen, style in ((mine & ~lost & ~copy, "solid"), (mine & (lost | copy), "dashed")):
            ends = np.stack([x, y, to_x, to_y], axis=1)[chosen].reshape(-1, 2, 2)
            ground.axes.add_collection(
                LineCollection(list(ends), colors=colour, linestyles=style, **look)
            )
            heads = list(_heads(ends[~lost[chosen]]))
            ground.axes.add_collection(
                PolyCollection(heads, facecolors=colour, edgecolors=colour, **look)
            )
    ground.axes.plot(
        to_x[lost], to_y[lost], "x", color=OUTCOME["fail"], markersize=5, mew=1.3, zorder=6
    )


def _heads(ends: Floats) -> Floats:
    """Triangles at the ends of arrows; all is in inches, so that they are even."""
    tip, way = ends[:, 1], ends[:, 1] - ends[:, 0]
    length = np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)[:, None]
    along = way / length * (HEAD / POINTS)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * 0.32
    return np.stack([tip, tip - along + across, tip - along - across], axis=1)


def _operations(ground: _Ground, drawn: SpaceTime) -> None:
    history, named = drawn.run.history, set(drawn.named)
    for line, height in zip(ground.shown, ground.heights, strict=True):
        if line.process is None:
            continue
        labels = []
        for row in np.flatnonzero(history.process == line.process).tolist():
            open_end = history.completed_ns[row] < 0 or OUTCOMES[history.outcome[row]] == "info"
            ends = np.array([history.invoked_ns[row], history.completed_ns[row]])
            left, right = ground.x(ends)
            right = ground.width if open_end else right
            if right < 0 or left > ground.width:
                continue
            left, right = max(0.0, left), min(max(right, left + 0.03), ground.width)
            colour = OUTCOME[OUTCOMES[history.outcome[row]]]
            edge = {"edgecolor": INK, "lw": 1.2} if row in named else {"lw": 0}
            ground.axes.barh(height, right - left, 0.1, left, color=colour, zorder=5, **edge)
            labels.append((row not in named, left, said(history, row)))
        _label(ground, height, labels)


def _label(ground: _Ground, height: float, labels: list[tuple[bool, float, str]]) -> None:
    """Write what operations are above them where there is room; the plain ones come last."""
    taken: list[tuple[float, float]] = []
    for plain, left, text in sorted(labels):
        wide = LETTER * len(text) + 0.08
        begin = min(left, ground.width - wide)
        if plain and any(begin < end and start < begin + wide for start, end in taken):
            continue
        taken.append((begin, begin + wide))
        at_right = begin < left
        ground.axes.annotate(
            text,
            (ground.width if at_right else left, height - 0.08),
            ha="right" if at_right else "left",
            va="bottom",
            fontsize=8,
            fontweight="normal" if plain else "bold",
            zorder=7,
            bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )


def _handles(drawn: SpaceTime, rows: Ints) -> list[Line2D]:
    """The types that are drawn, the most frequent first, and how lost ones and copies look."""
    counts = np.bincount(drawn.messages.kind[rows], minlength=len(drawn.messages.kinds))
    by_colour: dict[str, list[str]] = {}
    for code in np.argsort(-counts, kind="stable").tolist():
        if counts[code]:
            by_colour.setdefault(drawn.colours[code], []).append(
                drawn.messages.kinds[code] or NO_TYPE
            )
    handles = [
        Line2D([], [], color=colour, label=_listed(kinds))
        for colour, kinds in list(by_colour.items())[:TYPES_MAX]
    ]
    if drawn.messages.lost[rows].any():
        cross = Line2D([], [], label="lost", color=OUTCOME["fail"], marker="x", ls="")
        handles.append(cross)
    if drawn.messages.copy[rows].any():
        handles.append(Line2D([], [], color=MUTED, ls="dashed", label="sent twice"))
    return handles


def _listed(kinds: Sequence[str]) -> str:
    more = ", …" if len(kinds) > 3 else ""
    return ", ".join(kinds[:3]) + more
