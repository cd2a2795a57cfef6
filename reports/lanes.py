"""One lane a client on the time axis: who waited for a lock, held it, and only believed so.

Waiting is grey, held and owed is solid, believed but no longer owed is hatched, and what two
believed at once is red. What the clients were told stands as marks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from partita.checker.history import NEVER
from partita.checker.holders.belief import BELIEFS, Overlap, overlaps
from partita.checker.holders.grants import Grant, Holdings
from partita.reports.drawing import WIDTH_INCHES, draw_bands
from partita.reports.figures.faults import SECOND
from partita.reports.palette import INK, MUTED, OUTCOME
from partita.reports.stored import StoredRun

LANES_MAX = 20
OVERLAP = "#cf222e"
_HEIGHT = 0.6


@dataclass(frozen=True, slots=True)
class Shown:
    """What is drawn: one lock, its grants, its overlaps by one rule, and which processes."""

    key: Any
    rule: str
    grants: Sequence[Grant]
    overlaps: Sequence[Overlap]
    processes: Sequence[int | str]


def most_telling(holdings: Holdings, rule: str) -> Shown:
    """Choose the lock with the most overlap, and its processes with the longest."""
    until = BELIEFS[rule]
    found = []
    for key, grants in holdings.by_key().items():
        mine = overlaps(grants, until, holdings.horizon)
        found.append((sum(each.end - each.begin for each in mine), len(grants), key, grants, mine))
    _, _, key, grants, mine = max(found, key=lambda each: each[:2])
    weight: dict[int | str, tuple[int, int]] = {}
    for grant in grants:
        overlap, count = weight.get(grant.process, (0, 0))
        weight[grant.process] = (overlap, count + 1)
    for each in mine:
        for grant in (each.earlier, each.later):
            overlap, count = weight[grant.process]
            weight[grant.process] = (overlap + each.end - each.begin, count)
    chosen = sorted(weight, key=lambda process: weight[process], reverse=True)[:LANES_MAX]
    first = {grant.process: grant.got for grant in reversed(grants)}
    return Shown(key, rule, grants, mine, sorted(chosen, key=lambda process: first[process]))


def lanes(run: StoredRun, holdings: Holdings, shown: Shown) -> Figure:
    """Draw the lanes, with the faults behind them."""
    height = 1.3 + 0.3 * len(shown.processes)
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    axes = figure.add_subplot()
    places = {process: lane for lane, process in enumerate(reversed(shown.processes))}
    _wait(axes, holdings, shown, places)
    for grant in shown.grants:
        if grant.process in places:
            _hold(axes, grant, places[grant.process], shown.rule, holdings.horizon)
    for each in shown.overlaps:
        _overlap(axes, each, places, run.end)
    draw_bands(axes, run, 0, run.end, labelled=True)
    axes.set_xlim(0, run.end / SECOND)
    axes.set_xlabel("Time since the run began (s)")
    axes.set_ylim(-0.6, len(places) - 0.4)
    axes.set_yticks(list(places.values()), [f"process {process}" for process in places])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    figure.legend(handles=_handles(), loc="outside lower center", ncol=6, columnspacing=1.4)
    return figure


def _handles() -> list[Patch | Line2D]:
    return [
        Patch(facecolor=MUTED, alpha=0.35, label="waits"),
        Patch(facecolor=OUTCOME["ok"], label="holds, and is owed it"),
        Patch(facecolor="none", edgecolor=OUTCOME["ok"], hatch="////", label="only believes so"),
        Patch(facecolor=OVERLAP, label="two at once"),
        Line2D([], [], ls="", marker="v", color=OUTCOME["info"], label="suspended"),
        Line2D([], [], ls="", marker="X", color=INK, label="told it is lost"),
    ]


def _wait(axes: Axes, holdings: Holdings, shown: Shown, places: dict[int | str, int]) -> None:
    got = {(grant.process, grant.asked): grant.got for grant in shown.grants}
    for asked, until, key, process in holdings.waits:
        if key == shown.key and process in places:
            end = got.get((process, asked), until)
            _bar(axes, asked, end, places[process], color=MUTED, alpha=0.35, height=0.22)


def _hold(axes: Axes, grant: Grant, lane: int, rule: str, horizon: int) -> None:
    until = min(BELIEFS[rule](grant), horizon)
    # Where no time to live is known, nobody can say that it is owed no longer.
    owed = until if grant.life.ttl_ns < 0 else min(until, max(grant.owed, grant.got))
    _bar(axes, grant.got, owed, lane, color=OUTCOME["ok"])
    _bar(axes, owed, until, lane, facecolor="none", edgecolor=OUTCOME["ok"], hatch="////")
    for time, marker, colour in (
        (grant.suspended, "v", OUTCOME["info"]),
        (grant.told, "X", INK),
    ):
        if time < min(NEVER, horizon + 1):
            axes.plot([time / SECOND], [lane], marker, color=colour, markersize=5, zorder=5)


def _overlap(axes: Axes, each: Overlap, places: dict[int | str, int], end: int) -> None:
    for grant in (each.earlier, each.later):
        if grant.process in places:
            _bar(axes, each.begin, each.end, places[grant.process], color=OVERLAP, zorder=3)
    lane = places.get(each.later.process)
    if lane is not None and each.end - each.begin > end / 50:
        middle = (each.begin + each.end) / 2 / SECOND
        text = f"{each.seconds:.3g} s"
        axes.annotate(
            text, (middle, lane), ha="center", va="center", fontsize=7, color="white", zorder=6
        )


def _bar(axes: Axes, begin: int, end: int, lane: int, height: float = _HEIGHT, **look: Any) -> None:
    if end > begin:
        span = [(begin / SECOND, (end - begin) / SECOND)]
        axes.broken_barh(span, (lane - height / 2, height), **({"lw": 0, "zorder": 2} | look))
