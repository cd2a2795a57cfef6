"""Whom each node is told to talk to, where a workload tells nodes that: shapes of networks."""

from collections.abc import Mapping, Sequence
from math import ceil, sqrt
from typing import Literal

Shape = Literal["grid", "line", "total", "tree", "tree2", "tree3", "tree4"]


def neighbours_in(shape: Shape, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the neighbours of each node: all are connected, and each link goes both ways."""
    count = len(names)
    if shape == "grid":
        pairs = _grid(count)
    elif shape == "line":
        pairs = [(place, place + 1) for place in range(count - 1)]
    elif shape == "total":
        pairs = [(one, other) for one in range(count) for other in range(one)]
    else:
        branches = int(shape.removeprefix("tree") or 2)
        pairs = [(place, (place - 1) // branches) for place in range(1, count)]
    neighbours: dict[str, list[str]] = {name: [] for name in names}
    for one, other in pairs:
        neighbours[names[one]].append(names[other])
        neighbours[names[other]].append(names[one])
    return neighbours


def _grid(count: int) -> list[tuple[int, int]]:
    """Return who stands beside whom, in rows that are about as long as there are rows."""
    width = ceil(sqrt(count))
    beside = [(place, place + 1) for place in range(count - 1) if (place + 1) % width]
    return beside + [(place, place + width) for place in range(count - width)]
