"""The pictures of a violation: the contradicting operations in time, and the order they lack."""

import math
from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as MplPath

from partita.checker import NEVER, History
from partita.checker.explain import is_answered, is_cas, moment
from partita.reports.drawing import STYLE, WIDTH_INCHES
from partita.reports.figures.faults import Fault
from partita.reports.packing import shortened
from partita.reports.palette import INK, MUTED, OUTCOME, PAPER, fault_colour
from partita.reports.violations.contradiction import Contradiction, Link

ROWS_MAX = 14


def contradiction_in_time(
    history: History, contradiction: Contradiction, faults: Sequence[Fault]
) -> Figure:
    """A lane for each operation, to the order of events; below, what they leave in the register."""
    rows = contradiction.rows[:ROWS_MAX]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 1.1 + 0.42 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        place = _scale(history, rows)
        right = place(_last(history, rows)) + 1.2
        keyed = len(set(history.key[list(rows)].tolist())) > 1
        _draw_faults(axes, history, rows, faults, place, right)
        for lane, row in enumerate(rows):
            _draw_operation(axes, history, row, lane, place, right, keyed=keyed)
        if shows_values(history, rows):
            _draw_values(axes, history, rows, place, right)
        axes.text(-0.4, len(rows) + 0.6, "time →  (gaps are not to scale)", color=MUTED, fontsize=8)
        axes.set_xlim(-0.4, right)
        axes.set_ylim(len(rows) + 0.75, -0.75)
        axes.set_yticks(range(len(rows)), [_lane_name(history, row) for row in rows])
        _bare(axes)
    return figure


def _bare(axes: Axes) -> None:
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.tick_params(axis="y", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _lane_name(history: History, row: int) -> str:
    node = history[row].node
    return f"process {history.process_of(row)}" + (f" on {node}" if node else "")


def _times(history: History, row: int) -> tuple[int, int]:
    """When an operation began and ended: in ns, or as ranks where the history has no clock."""
    if history.invoked_ns[row] < 0:
        completed = int(history.completed_rank[row])
        return int(history.invoked_rank[row]), completed if completed != NEVER else -1
    return int(history.invoked_ns[row]), int(history.completed_ns[row])


def _last(history: History, rows: Sequence[int]) -> int:
    return max(max(_times(history, row)) for row in rows)


def _scale(history: History, rows: Sequence[int]) -> Callable[[int], float]:
    """From a time to a place: in order, but with long gaps shortened to their logarithm.

    A stale read may come a minute after the write that it missed, and last a millisecond.
    """
    points = sorted({time for row in rows for time in _times(history, row) if time >= 0})
    gaps = np.diff(points)
    least = max(1, int(gaps.min(initial=points[-1] or 1)))
    widths = [0.5 + math.log10(max(1.0, gap / least)) for gap in gaps]
    places = np.concatenate([[0.0], np.cumsum(widths)])
    total = 10.0 / (places[-1] or 1.0)
    return lambda time: float(np.interp(time, points, places * total))


def _draw_operation(
    axes: Axes,
    history: History,
    row: int,
    lane: int,
    place: Callable[[int], float],
    right: float,
    *,
    keyed: bool,
) -> None:
    op = history[row]
    key = f" of key {op.key}" if keyed else ""
    begin, end = _times(history, row)
    left = place(begin)
    width = max(0.12, (right if op.outcome == "info" else place(end)) - left)
    axes.barh(lane, width, left=left, height=0.5, color=OUTCOME[op.outcome], alpha=0.85, zorder=3)
    at, alignment = _text_place(left, width, right)
    axes.annotate(
        f"{brief(history, row)}{key}   ({_span(history, row)})",
        (at, lane),
        xytext=(5 if alignment == "left" else -5, 0),
        textcoords="offset points",
        ha=alignment,
        va="center",
        zorder=5,
        bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 1},
    )


def _text_place(left: float, width: float, right: float) -> tuple[float, str]:
    """Beside the bar where there is room for a text, else inside it."""
    room = 0.38 * right
    if right - (left + width) > room:
        return left + width, "left"
    return (left, "left") if width > room else (left, "right")


def brief(history: History, row: int) -> str:
    """An operation in a few words: "cas 3 → 4", "read → 4"."""
    op = history[row]
    if is_cas(op):
        return f"cas {shortened(op.input[0])} → {shortened(op.input[1])}"
    if op.f in ("read", "get"):
        return f"{op.f} → {shortened(op.output)}"
    said = op.f if op.input is None else f"{op.f} {shortened(op.input)}"
    return f"{said} → {shortened(op.output)}" if is_answered(op) else said


def _span(history: History, row: int) -> str:
    begin = moment(history, row)
    if history[row].outcome == "info":
        return f"from {begin}, never answered"
    failed = ", failed" if history[row].outcome == "fail" else ""
    return f"{begin} to {moment(history, row, completed=True)}{failed}"


def _draw_faults(
    axes: Axes,
    history: History,
    rows: Sequence[int],
    faults: Sequence[Fault],
    place: Callable[[int], float],
    right: float,
) -> None:
    """The faults in force meanwhile, as bands; one that began before reaches in from the left."""
    if history.invoked_ns[rows[0]] < 0:
        return
    first, last = int(history.invoked_ns[rows[0]]), _last(history, rows)
    for fault in faults:
        end = fault.ended(last + 1)
        if end < first or fault.begin > last:
            continue
        left = -0.4 if fault.begin < first else place(fault.begin)
        stop = right if end > last else place(end)
        axes.axvspan(left, stop, color=fault_colour(fault.action), alpha=0.45, lw=0, zorder=0)
        axes.annotate(
            fault.label,
            (left, 1),
            xycoords=("data", "axes fraction"),
            xytext=(2, 2),
            textcoords="offset points",
            fontsize=8,
        )


def shows_values(history: History, rows: Sequence[int]) -> bool:
    """Whether the operations are on one register, of which can be said what it holds."""
    ops = [history[row] for row in rows]
    one_key = len(set(history.key[list(rows)].tolist())) == 1
    return one_key and all(op.f in ("read", "write") or is_cas(op) for op in ops)


def _draw_values(
    axes: Axes, history: History, rows: Sequence[int], place: Callable[[int], float], right: float
) -> None:
    """What a register holds after each acknowledged write, were these all the operations."""
    writes = [row for row in rows if _written(history, row) is not None]
    writes.sort(key=lambda row: _times(history, row)[1] if history[row].outcome == "ok" else NEVER)
    lane = len(rows) + 0.1
    for number, row in enumerate(writes):
        if history[row].outcome != "ok":
            continue
        begin = place(_times(history, row)[1])
        end = right
        if number + 1 < len(writes):
            end = max(begin, place(_times(history, writes[number + 1])[0]))
        if end <= begin:
            continue
        axes.plot([begin, end], [lane, lane], color=INK, lw=2.2, solid_capstyle="butt", zorder=3)
        axes.annotate(
            f"holds {_written(history, row)}",
            (begin, lane),
            xytext=(2, 4),
            textcoords="offset points",
            fontsize=8,
            va="bottom",
        )


def _written(history: History, row: int) -> str | None:
    op = history[row]
    if op.outcome == "fail" or op.f not in ("write", "cas"):
        return None
    return shortened(op.input[1] if op.f == "cas" else op.input)


def needed_order(history: History, contradiction: Contradiction) -> Figure:
    """The operations from left to right as they would have to be, and the link that forbids it."""
    order = contradiction.order[:ROWS_MAX]
    spot = {row: float(n) for n, row in enumerate(order)}
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH_INCHES, 2.0), layout="constrained")
        axes = figure.add_subplot()
        for row in order:
            _draw_node(axes, history, row, spot[row], len(order))
        for x in range(1, len(order)):
            axes.annotate("", (x, 0), (x - 1, 0), arrowprops={"arrowstyle": "->", "color": MUTED})
        for link in contradiction.needed:
            _draw_link(axes, link, spot, "must come before", above=True)
        if contradiction.forbidden:
            by_time = contradiction.forbidden.kind == "time"
            said = "was over before" if by_time else "must come before, too"
            _draw_link(axes, contradiction.forbidden, spot, said, above=False)
        axes.set_xlim(-0.6, max(2.0, len(order) - 1) + 0.6)
        axes.set_ylim(-0.95, 0.95)
        axes.set_yticks([])
        _bare(axes)
    return figure


def _draw_node(axes: Axes, history: History, row: int, x: float, count: int) -> None:
    edge = OUTCOME[history[row].outcome]
    axes.text(
        x,
        0,
        f"{brief(history, row)}\n{_lane_name(history, row)}",
        ha="center",
        va="center",
        fontsize=9 if count < 7 else 7,
        zorder=4,
        bbox={"facecolor": PAPER, "edgecolor": edge, "linewidth": 1.6, "boxstyle": "round,pad=0.4"},
    )


def _draw_link(axes: Axes, link: Link, spot: dict[int, float], text: str, *, above: bool) -> None:
    """An arc over the operations, or in red under them, with a word at its top."""
    if link.before not in spot or link.after not in spot:
        return
    begin, end, side = spot[link.before], spot[link.after], 1 if above else -1
    foot, top = 0.38 * side, (0.75 + 0.1 * min(4, abs(end - begin))) * side
    colour = INK if above else OUTCOME["fail"]
    curve = MplPath(
        [(begin, foot), (begin, top), (end, top), (end, foot)],
        [MplPath.MOVETO, MplPath.CURVE4, MplPath.CURVE4, MplPath.CURVE4],
    )
    axes.add_patch(
        FancyArrowPatch(
            path=curve,
            arrowstyle="-|>",
            mutation_scale=14,
            linewidth=1.5 if above else 2.4,
            color=colour,
            zorder=3,
        )
    )
    axes.text(
        (begin + end) / 2,
        foot + 0.75 * (top - foot),
        text,
        ha="center",
        va="center",
        color=colour,
        fontweight="bold",
        zorder=6,
        bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 2},
    )
