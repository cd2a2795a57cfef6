"""The pictures of the checker's benchmark.

Each point is one history; where a tool decided nothing it is a cross. Lines join medians over
what was decided. Axes of time and memory are logarithmic: they span six orders of magnitude.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any, Final

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

Row = Mapping[str, Any]
_COLOURS: Final = MappingProxyType(
    {"partita": "#0b7a75", "Porcupine": "#d1495b", "Knossos": "#7d5ba6"}
)


def _kind(row: Row) -> str:
    return f"{row['domain']}\n{'valid' if row['violation'] == 'none' else 'invalid'}"


_Dimension = tuple[str, Callable[[Row], Any], Callable[[Any], str]]
_DIMENSIONS: Final[tuple[_Dimension, ...]] = (
    ("operations", lambda row: row["operations"], lambda each: f"{each:,}"),
    ("processes", lambda row: row["processes"], str),
    ("crash probability", lambda row: row["crash"], lambda each: f"{each:g}"),
    ("values", _kind, str),
)


def compare(rows: Sequence[Row], path: Path) -> None:
    """Draw the time of the check and the peak memory of all tools over each dimension."""
    figure, axes = plt.subplots(2, 4, figsize=(14, 7), sharey="row", layout="constrained")
    for column, dimension in enumerate(_DIMENSIONS):
        _draw(axes[0][column], rows, dimension, "seconds")
        _draw(axes[1][column], rows, dimension, "peak_mb")
        axes[1][column].set_xlabel(dimension[0])
    axes[0][0].set_ylabel("time of the check (s)")
    axes[1][0].set_ylabel("peak memory of the process (MB)")
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(handles), frameon=False)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw(axis: Axes, rows: Sequence[Row], dimension: _Dimension, measure: str) -> None:
    _, value, label = dimension
    values = sorted({value(row) for row in rows})
    tools = [tool for tool in _COLOURS if any(row["tool"] == tool for row in rows)]
    for place, tool in enumerate(tools):
        shift = (place - (len(tools) - 1) / 2) * 0.24
        mine = [row for row in rows if row["tool"] == tool]
        places = [(values.index(value(row)) + shift, row) for row in mine]
        _points(axis, places, measure, tool)
        _medians(axis, places, measure, tool)
    axis.set_yscale("log")
    axis.set_xticks(range(len(values)), [label(each) for each in values])
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _points(axis: Axes, places: Sequence[tuple[float, Row]], measure: str, tool: str) -> None:
    """Draw the histories side by side, so that they do not hide each other."""
    jitter = Random(tool)
    for decided, marker, label in ((True, "o", tool), (False, "x", f"{tool}: unknown")):
        chosen = [(x, row) for x, row in places if (row["valid"] != "unknown") == decided]
        if chosen:
            axis.scatter(
                [x + jitter.uniform(-0.07, 0.07) for x, _ in chosen],
                [row[measure] for _, row in chosen],
                s=14,
                marker=marker,
                color=_COLOURS[tool],
                alpha=0.6,
                linewidths=1 if marker == "x" else 0,
                label=label,
            )


def _medians(axis: Axes, places: Sequence[tuple[float, Row]], measure: str, tool: str) -> None:
    decided = [(x, row[measure]) for x, row in places if row["valid"] != "unknown"]
    at = sorted({x for x, _ in decided})
    medians = [statistics.median(y for x, y in decided if x == each) for each in at]
    axis.plot(at, medians, color=_COLOURS[tool], linewidth=1.4)


def scale(rows: Sequence[Row], path: Path) -> None:
    """Draw time for each operation, and peak memory, over length."""
    figure, (times, memory) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
    lengths = [row["operations"] for row in rows]
    for name, label in (("seconds", "check"), ("load_seconds", "reading")):
        costs = [row[name] / row["operations"] * 1e9 for row in rows]
        times.plot(lengths, costs, marker="o", label=label)
    whole = [row["wall_seconds"] / row["operations"] * 1e9 for row in rows]
    times.plot(lengths, whole, marker="o", label="whole command")
    times.set(ylabel="ns for each operation", yscale="log")
    times.legend(frameon=False)
    memory.plot(lengths, [row["peak_mb"] for row in rows], marker="o", label="peak memory")
    memory.plot(lengths, [row["file_mb"] for row in rows], marker="o", label="file")
    memory.set(ylabel="MB", yscale="log")
    memory.legend(frameon=False)
    for axis in (times, memory):
        axis.set(xscale="log", xlabel="operations")
        axis.grid(axis="y", alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    plt.close(figure)
