"""Scaling pictures of all models and checks: a panel for each kind, over the length of a history.

Both axes are logarithmic. Filled marks were decided; a cross is where a tool decided nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from kinds import KINDS
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

Row = Mapping[str, Any]
_COLOURS: Final = MappingProxyType({"partita": "#0b7a75", "Porcupine": "#d1495b"})
_STYLES: Final = MappingProxyType({(0, True): "-", (0, False): "--", (0.02, True): "-.",
                                   (0.02, False): ":"})  # fmt: skip
_WORDS: Final = MappingProxyType({(0, True): "valid", (0, False): "violation",
                                  (0.02, True): "valid, 2 % crashed",
                                  (0.02, False): "violation, 2 % crashed"})  # fmt: skip
_LABELS: Final = MappingProxyType({"seconds": "time of the check (s)",
                                   "peak_mb": "peak memory (MB)"})  # fmt: skip
_COLUMNS = 5


def draw(rows: Sequence[Row], measure: str, path: Path) -> None:
    """Draw the time of the check ("seconds") or the peak memory ("peak_mb") of both tools."""
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    height = -(-len(kinds) // _COLUMNS)
    figure, grid = plt.subplots(
        height, min(_COLUMNS, len(kinds)), figsize=(14, 0.6 + 2.3 * height), sharex=True,
        sharey=True, squeeze=False, layout="constrained",
    )  # fmt: skip
    panels = grid.ravel()
    for axes, kind in zip(panels, kinds, strict=False):
        _panel(axes, [row for row in rows if row["kind"] == kind], measure)
        axes.set_title(kind + (" (hard)" if KINDS[kind].hard else ""), fontsize=10)
    for axes in panels[len(kinds) :]:
        axes.set_axis_off()
    for row in grid:
        row[0].set_ylabel(_LABELS[measure], fontsize=9)
    figure.supxlabel("operations", fontsize=10)
    handles = [Line2D([], [], color=colour, label=tool) for tool, colour in _COLOURS.items()]
    handles += [Line2D([], [], color="black", ls=ls, label=_WORDS[sort])
                for sort, ls in _STYLES.items()]  # fmt: skip
    handles.append(Line2D([], [], color="black", ls="", marker="x", label="not decided"))
    figure.legend(handles=handles, loc="outside upper center", ncols=len(handles), frameon=False)
    figure.savefig(path, dpi=90)
    plt.close(figure)


def _panel(axes: Axes, rows: Sequence[Row], measure: str) -> None:
    for tool, colour in _COLOURS.items():
        for sort, style in _STYLES.items():
            mine = [row for row in rows
                    if (row["tool"], row["crash"], row["expect"]) == (tool, *sort)]  # fmt: skip
            mine.sort(key=lambda row: row["operations"])
            decided = [row for row in mine if row["valid"] != "unknown"]
            lost = [row for row in mine if row["valid"] == "unknown"]
            look: dict[str, Any] = {"color": colour, "linestyle": style, "lw": 1.1, "ms": 3}
            axes.plot(*_points(decided, measure), marker="o", **look)
            axes.plot(*_points(lost, measure), marker="x", color=colour, linestyle="", ms=6)
    axes.set(xscale="log", yscale="log")
    axes.grid(axis="y", alpha=0.25)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _points(rows: Sequence[Row], measure: str) -> tuple[list[float], list[float]]:
    return [row["operations"] for row in rows], [row[measure] for row in rows]
