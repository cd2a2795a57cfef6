"""What the nodes wrote into their logs when a fault began and when it was healed.

Lines are put on the run's clock, in seconds since it began, and merged over the nodes, so that an
election can be read as it happened.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from statistics import median

from partita.reports.figures.faults import SECOND, Fault
from partita.reports.fragments import fragment
from partita.reports.section import Part
from partita.reports.stored import StoredRun

STAMP = re.compile(
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?"
)
ALARM = re.compile(r"\b(warn|warning|error|fatal|lead|leading|leader|elect\w*)\b", re.IGNORECASE)
LINES_A_NODE = 8
WIDTH = 220
BYTES_MAX = 64 * 2**20
QUARTER_HOUR = 900.0


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a node's log; `at` in seconds since the run began."""

    at: float
    node: str
    text: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The lines around one moment of a fault; `left_out` more were written by talkative nodes."""

    title: str
    lines: tuple[Line, ...]
    left_out: int


class Logs:
    """What the nodes logged when a fault began and when it was healed."""

    title = "What the nodes logged"
    order = 80

    def applies(self, run: StoredRun) -> bool:
        return bool(run.faults)

    def draw(self, run: StoredRun) -> Iterator[Part]:
        yield fragment("logs.html", excerpts=excerpts(run))


def excerpts(run: StoredRun) -> list[Excerpt]:
    """The lines around the beginning and the end of each fault, where nodes logged anything."""
    if not run.faults or run.began_ns is None:
        return []
    lines = sorted(_lines(run, run.began_ns / SECOND), key=lambda line: line.at)
    found = [_excerpt(title, lines, a, b) for title, a, b in _windows(run)]
    return [excerpt for excerpt in found if excerpt.lines]


def _windows(run: StoredRun) -> Iterator[tuple[str, float, float]]:
    """Title, begin and end (s) of what is shown: until a new leader was found, and the heal."""
    for fault, result in zip(run.faults, run.results["faults"], strict=True):
        begin, elected = fault.begin / SECOND, result["seconds_to_new_leader"]
        after = 10.0 if elected is None else min(elected + 1, 30.0)
        yield f"{_name(fault)} begins", begin - 0.5, fault.cut / SECOND + after
        if fault.heal is not None and fault.end is not None and fault.end > fault.begin:
            yield f"{_name(fault)} is healed", fault.heal / SECOND - 0.5, fault.end / SECOND + 5


def _name(fault: Fault) -> str:
    return f"Fault {fault.number} ({fault.label})"


def _excerpt(title: str, lines: list[Line], begin: float, end: float) -> Excerpt:
    inside = [line for line in lines if begin <= line.at <= end]
    by_node = groupby(sorted(inside, key=lambda line: line.node), key=lambda line: line.node)
    kept = [line for _, mine in by_node for line in _telling(list(mine))[:LINES_A_NODE]]
    kept.sort(key=lambda line: line.at)
    return Excerpt(title, tuple(kept), len(inside) - len(kept))


def _telling(lines: list[Line]) -> list[Line]:
    """The lines that are unlike each other but for numbers, warnings and errors first."""
    first: dict[str, Line] = {}
    for line in lines:
        first.setdefault(re.sub(r"[0-9a-f]+", "0", line.text.lower()), line)
    return sorted(first.values(), key=lambda line: not ALARM.search(line.text))


def _lines(run: StoredRun, origin: float) -> Iterator[Line]:
    for path in sorted((run.directory / "nodes").glob("*/*.log")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= BYTES_MAX:
            yield from _lines_of(path, origin, run.end / SECOND)


def _lines_of(path: Path, origin: float, end: float) -> list[Line]:
    stamped = [found for raw in path.read_bytes().splitlines() if (found := _parsed(raw))]
    shift = _time_zone([at - origin for at, _ in stamped], end)
    return [Line(at - origin - shift, path.parent.name, text) for at, text in stamped]


def _parsed(raw: bytes) -> tuple[float, str] | None:
    """A line's time (s since 1970, taken as UTC if it names no zone), and the rest of it."""
    found = STAMP.search(raw, 0, 80)
    if not found:
        return None
    day, clock, fraction, zone = (part.decode() if part else "" for part in found.groups())
    text = f"{day}T{clock}.{fraction[:6]:0<6}{zone or 'Z'}"
    try:
        at = datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
    rest = (raw[: found.start()] + raw[found.end() :]).decode(errors="replace")
    return at, " ".join(rest.split())[:WIDTH]


def _time_zone(times: list[float], end: float) -> float:
    """By how many seconds a log in local time is off: whole quarter hours, or nothing."""
    if not times or any(0 <= at <= end for at in times):
        return 0.0
    return round((median(times) - end / 2) / QUARTER_HOUR) * QUARTER_HOUR
