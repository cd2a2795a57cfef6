"""What became of the elements of queues: which were lost, duplicated, reordered, unexpected.

Those elements stand with their operations, first as a table, then as lanes on the time axis. Below,
how many elements were inside over time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from partita.checker import OUTCOMES
from partita.checker.delivery import Odd, odd_elements
from partita.checker.explain import when
from partita.checker.history import History
from partita.reports.drawing import WIDTH_INCHES, draw_bands, figure_of_height, time_axis
from partita.reports.figures.checks import checks_of
from partita.reports.figures.faults import SECOND
from partita.reports.fragments import fragment
from partita.reports.packing import shortened
from partita.reports.palette import INK, MUTED, OUTCOME
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

ROWS_MAX, LANES_MAX = 100, 20
TAKEN, LOST = OUTCOME["info"], OUTCOME["fail"]
LIVES = (
    "Elements that did not come out once and in their order: while each was put in, from then on "
    "inside, and while it was taken. Of each kind the first are shown. Above what was reordered "
    "stands an element that was in before it and came out after it."
)
INSIDE = "How many elements were inside: acknowledged, and not taken yet."


class Queues:
    """What became of the elements of queues."""

    title = "What became of the elements"
    order = 58

    def applies(self, run: StoredRun) -> bool:
        return "acknowledged" in _figures(run)

    def draw(self, run: StoredRun) -> Iterator[Part]:
        odd = odd_elements(run.history)
        yield fragment(
            "queues.html",
            figures=_figures(run),
            keyed=len(set(run.history.key.tolist())) > 1,
            rows=[_row(run.history, each) for each in odd[:ROWS_MAX]],
            left=max(0, len(odd) - ROWS_MAX),
        )
        if odd:
            yield Picture("queue-elements", lives(run, _chosen(odd)), LIVES)
        yield Picture("queue-inside", inside(run), INSIDE)


@dataclass(frozen=True, slots=True)
class Row:
    """An element as a row of the table."""

    element: str
    key: str
    what: str
    put: str
    takes: Sequence[str]


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check found, empty if it did not judge the run."""
    return next((each.figures for each in checks_of(run.results) if each.name == "delivery"), {})


def _element(history: History, odd: Odd) -> str:
    value = history[odd.takes[0]].output if odd.put is None else history[odd.put].input
    return shortened(value)


def _row(history: History, odd: Odd) -> Row:
    what = odd.what
    if odd.overtook is not None:
        what += f": it overtook {shortened(history[odd.overtook[0]].input)}"
    put = "nobody put it in" if odd.put is None else _told(history, odd.put)
    key = "" if odd.key is None else str(odd.key)
    takes = [_told(history, take) for take in odd.takes]
    return Row(_element(history, odd), key, what, put, takes)


def _told(history: History, row: int) -> str:
    """Whose operation it was, and when; that it is ok needs no words."""
    op = history[row]
    node = f" on {op.node}" if op.node else ""
    failed = ", failed" if op.outcome == "fail" else ""
    return f"process {history.process_of(row)}{node}, {when(history, row)}{failed}"


def _chosen(odd: Sequence[Odd]) -> list[Odd]:
    """As many of each kind as there is room for, so that no kind hides another."""
    kinds = {each.what for each in odd}
    room = max(1, LANES_MAX // max(1, len(kinds)))
    return [each for kind in dict.fromkeys(each.what for each in odd)
            for each in [one for one in odd if one.what == kind][:room]]  # fmt: skip


def lives(run: StoredRun, odd: Sequence[Odd]) -> Figure:
    """Draw one lane for each element; above one that was reordered, one for what it overtook."""
    history = run.history
    lanes = [lane for each in odd for lane in _lanes(history, each)]
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 0.26 * len(lanes)), layout="constrained")
    axes = figure.add_subplot()
    for place, lane in enumerate(reversed(lanes)):
        _lane(axes, run, place, lane)
    draw_bands(axes, run, 0, run.end, labelled=True)
    axes.set_xlim(0, run.end / SECOND)
    axes.set_xlabel("Time since the run began (s)")
    axes.set_ylim(-0.6, len(lanes) - 0.4)
    axes.set_yticks(range(len(lanes)), [label for label, _, _, _ in reversed(lanes)], fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    figure.legend(handles=_handles(), loc="outside lower center", ncol=5, columnspacing=1.4)
    return figure


_Lane = tuple[str, int | None, Sequence[int], str]


def _lanes(history: History, odd: Odd) -> Iterator[_Lane]:
    """Label, put, takes, and what became of the element."""
    if odd.overtook is not None:
        put, take = odd.overtook
        yield f"{shortened(history[put].input)} overtaken", put, [take], "overtaken"
    yield f"{_element(history, odd)} {odd.what}", odd.put, odd.takes, odd.what


def _lane(axes: Axes, run: StoredRun, place: int, lane: _Lane) -> None:
    _, put, takes, what = lane
    history = run.history
    since = None
    if put is not None:
        _bar(axes, run, put, place, OUTCOME["ok"])
        since = _end(run, put)
    for take in takes:
        _bar(axes, run, take, place, TAKEN)
    if since is not None:
        until = run.end if not takes else int(history.invoked_ns[takes[-1]])
        span = [since / SECOND, max(since, until) / SECOND]
        style = ":" if what == "lost" else "-"
        axes.plot(span, [place, place], linestyle=style, lw=1.2, color=MUTED, zorder=1)
    if what == "lost":
        axes.plot([run.end / SECOND], [place], "x", color=LOST, markersize=6, clip_on=False)


def _bar(axes: Axes, run: StoredRun, row: int, place: int, colour: str) -> None:
    """An operation; one that is too short to be seen gets a width that can be."""
    begin = int(run.history.invoked_ns[row])
    width = max(_end(run, row) - begin, run.end // 300)
    axes.broken_barh([(begin / SECOND, width / SECOND)], (place - 0.3, 0.6), color=colour, lw=0)


def _end(run: StoredRun, row: int) -> int:
    completed = int(run.history.completed_ns[row])
    return completed if completed >= 0 else run.end


def _handles() -> list[Patch | Line2D]:
    return [
        Patch(facecolor=OUTCOME["ok"], label="put in"),
        Line2D([], [], color=MUTED, label="inside"),
        Patch(facecolor=TAKEN, label="taken"),
        Line2D([], [], color=MUTED, ls=":", label="never came out"),
    ]


def inside(run: StoredRun) -> Figure:
    """Draw how many elements were inside, over time."""
    history = run.history
    ok = (history.outcome == OUTCOMES.index("ok")) & (history.completed_ns >= 0)
    put = np.sort(history.completed_ns[ok & (history.f == history.f_code("enqueue"))])
    took = np.sort(
        history.completed_ns[ok & (history.f == history.f_code("dequeue")) & (history.output >= 0)]
    )
    times = np.concatenate([[0], np.union1d(put, took), [run.end]])
    counts = np.searchsorted(put, times, "right") - np.searchsorted(took, times, "right")
    figure, axes = figure_of_height(2.2)
    axes.step(times / SECOND, np.maximum(counts, 0), where="post", color=INK, lw=1)
    axes.set_ylabel("elements")
    axes.set_ylim(bottom=0)
    time_axis(axes, run, 0, run.end)
    return figure
