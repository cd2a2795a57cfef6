"""How long ephemeral entries lived, beside what their sessions were owed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from partita.checker.history import NEVER
from partita.checker.leases.entries import kept_of
from partita.checker.leases.rules import Fate, fates
from partita.reports.drawing import WIDTH_INCHES, draw_bands
from partita.reports.figures.checks import checks_of
from partita.reports.figures.faults import SECOND
from partita.reports.fragments import fragment
from partita.reports.palette import INK, OUTCOME
from partita.reports.section import Part, Picture
from partita.reports.stored import StoredRun

LIVES_MAX = 30
EARLY, LATE = "#cf222e", OUTCOME["info"]
CAPTION = (
    "Ephemeral entries from their creation until they were certainly gone. The diamond is until "
    "when each was owed; ticks are renewals that were answered. Red was gone too early, amber was "
    "still there after its time. The earliest and the latest are shown, then the first."
)


class Leases:
    """How long ephemeral entries lived, beside what their sessions were owed."""

    title = "How long ephemeral entries lived"
    order = 62

    def applies(self, run: StoredRun) -> bool:
        return bool(_figures(run).get("entries"))

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("leases.html", figures=_figures(run))
        kept = kept_of(run.history)
        if kept is not None and kept.entries:
            yield Picture("leases", lives(run, _chosen(fates(kept))), CAPTION)


def _chosen(found: Sequence[Fate]) -> list[Fate]:
    """Those that were furthest from what they were owed, in the order of their creation."""
    order = sorted(found, key=lambda fate: (-max(_early(fate), fate.late_ns), fate.entry.made))
    return sorted(order[:LIVES_MAX], key=lambda fate: fate.entry.made)


def _early(fate: Fate) -> int:
    return max(0, fate.entry.owed - fate.gone.time)


def lives(run: StoredRun, chosen: Sequence[Fate]) -> Figure:
    """Draw one row for each entry."""
    figure = Figure(figsize=(WIDTH_INCHES, 1.3 + 0.22 * len(chosen)), layout="constrained")
    axes = figure.add_subplot()
    for lane, fate in enumerate(reversed(chosen)):
        _life(axes, fate, lane, run.end)
    draw_bands(axes, run, 0, run.end, labelled=True)
    axes.set_xlim(0, run.end / SECOND)
    axes.set_xlabel("Time since the run began (s)")
    axes.set_ylim(-0.7, len(chosen) - 0.3)
    names = [str(fate.entry.key) for fate in reversed(chosen)]
    axes.set_yticks(range(len(chosen)), names, fontsize=7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    handles = [
        Patch(facecolor=OUTCOME["ok"], label="is there"),
        Patch(facecolor=EARLY, label="gone too early"),
        Patch(facecolor=LATE, label="late"),
        Line2D([], [], color=INK, marker="|", ls="", label="renewed"),
        Line2D([], [], color=INK, marker="d", ls="", label="owed until"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncol=5, columnspacing=1.4)
    return figure


def _life(axes: Axes, fate: Fate, lane: int, end: int) -> None:
    entry = fate.entry
    gone = min(fate.gone.time, end)
    late = entry.expires if fate.late_ns else NEVER
    _bar(axes, entry.made, min(gone, late), lane, OUTCOME["ok"])
    _bar(axes, min(gone, late), gone, lane, LATE)
    _bar(axes, gone, entry.owed, lane, EARLY)
    sent = [time / SECOND for time in entry.life.sent if entry.made <= time <= gone]
    axes.plot(sent, [lane] * len(sent), "|", color=INK, markersize=5, lw=0, zorder=4)
    if 0 <= entry.owed < NEVER:
        axes.plot([entry.owed / SECOND], [lane], "d", color=INK, markersize=5, zorder=5)


def _bar(axes: Axes, begin: int, end: int, lane: int, colour: str) -> None:
    if end > begin:
        span = [(begin / SECOND, (end - begin) / SECOND)]
        axes.broken_barh(span, (lane - 0.3, 0.6), color=colour, lw=0, zorder=2)


def _figures(run: StoredRun) -> Mapping[str, Any]:
    """What the check found, empty if it did not judge the run."""
    return next((each.figures for each in checks_of(run.results) if each.name == "leases"), {})
