"""What the checker's benchmark measured, as Markdown tables and pictures.

Tables compare tools only on histories that all of the compared were given, in the same run.
"""

import os
import platform
import re
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
_SHAPE = ("operations", "processes", "crash", "domain", "violation", "seed")
_OURS = "partita"


def write(rows: Sequence[Row], folder: Path) -> None:
    """Put the tables between the marks in benchmarks.md, and the pictures beside it."""
    import pictures  # matplotlib is big, and would count towards what small children hold

    put("checker", text(rows), folder)
    pictures.compare(_with_peers(_part(rows, "grid")), folder / "checker.png")
    if _part(rows, "scaling"):
        pictures.scale(_part(rows, "scaling"), folder / "checker-scaling.png")


def put(part: str, text: str, folder: Path, name: str = "benchmarks.md") -> None:
    """Put a text between the marks of a part of a page."""
    page = folder / name
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    before, _, rest = page.read_text().partition(begin)
    _, _, after = rest.partition(end)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}")


def text(rows: Sequence[Row]) -> str:
    """Return all tables."""
    grid = _part(rows, "grid")
    sections = [
        _conditions(_part(rows, "machine"), _part(rows, "idle")),
        _decided(grid),
        *(_compared(grid, peer) for peer in _peers(grid)),
        _ours(grid),
        _scaling(_part(rows, "scaling")),
        _everything(grid),
    ]
    return "\n\n".join(each for each in sections if each)


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    names = re.findall(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    return {
        "cpu": names[0] if names else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gb": round(memory / 1e9),
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def conditions(machine: Row) -> str:
    """Say on what the figures depend."""
    return (
        f"Measured on {machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"Python {machine['python']}; {machine['load']:.1f} processes were runnable when it began."
    )


def _part(rows: Iterable[Row], part: str) -> list[Row]:
    return [row for row in rows if row["part"] == part]


def _peers(grid: Iterable[Row]) -> list[str]:
    return sorted({row["tool"] for row in grid} - {_OURS}, reverse=True)


def _history(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SHAPE)


def _by_history(grid: Iterable[Row], tool: str) -> dict[tuple[Any, ...], Row]:
    return {_history(row): row for row in grid if row["tool"] == tool}


def _with_peers(grid: Sequence[Row]) -> list[Row]:
    """Return the rows of the histories that any other tool was given, of all if none was."""
    shared = {_history(row) for row in grid if row["tool"] != _OURS}
    return [row for row in grid if not shared or _history(row) in shared]


def _is_decided(row: Row) -> bool:
    return bool(row["valid"] != "unknown")


def _is_wrong(row: Row) -> bool:
    return _is_decided(row) and row["expect"] not in (None, row["valid"])


def _table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in cells)


def _conditions(machines: Sequence[Row], idle: Sequence[Row]) -> str:
    if not machines:
        return ""
    m = machines[-1]
    said = (
        f"Measured on {m['cpu']}, {m['cores']} cores, {m['memory_gb']} GB, Python {m['python']};"
        f" {m['load']:.1f} processes were runnable when it began. Peak memory is that of the whole"
        f" process; below {m['smallest_mb']:.0f} MB it cannot be measured."
    )
    parts = [f"{row['tool']} {row['peak_mb']:.0f} MB" for row in idle]
    return f"{said} On a history of one operation that is: {', '.join(parts)}."


def _decided(grid: Sequence[Row]) -> str:
    lengths = sorted({row["operations"] for row in grid})
    lines = []
    for peer in _peers(grid):
        shared = _by_history(grid, peer)
        for tool in (peer, _OURS):
            rows = [row for row in grid if row["tool"] == tool and _history(row) in shared]
            cells = [_count(row for row in rows if row["operations"] == each) for each in lengths]
            wrong = sum(map(_is_wrong, rows))
            lines.append([f"{tool}, on what {peer} got", *cells, _count(rows), wrong])
    ours = [row for row in grid if row["tool"] == _OURS]
    cells = [_count(row for row in ours if row["operations"] == each) for each in lengths]
    lines.append([f"{_OURS}, on all", *cells, _count(ours), sum(map(_is_wrong, ours))])
    header = ["decided", *(f"{each:,} operations" for each in lengths), "all", "wrong"]
    return f"### How many are decided\n\n{_table(header, lines)}" if grid else ""


def _count(rows: Iterable[Row]) -> str:
    listed = list(rows)
    return f"{sum(map(_is_decided, listed))} of {len(listed)}" if listed else ""


def _compared(grid: Sequence[Row], peer: str) -> str:
    """Compare where both decide: how many times more time and memory the other takes."""
    ours, theirs = _by_history(grid, _OURS), _by_history(grid, peer)
    both = [
        (ours[each], row)
        for each, row in theirs.items()
        if each in ours and _is_decided(row) and _is_decided(ours[each])
    ]
    lines = []
    for length in sorted({mine["operations"] for mine, _ in both}):
        pairs = [pair for pair in both if pair[0]["operations"] == length]
        times = [other["seconds"] / mine["seconds"] for mine, other in pairs]
        memories = [other["peak_mb"] / mine["peak_mb"] for mine, other in pairs]
        faster = sum(each > 1 for each in times)
        of = f"{faster} of {len(pairs)}"
        lines.append([f"{length:,}", len(pairs), _range(times), of, _range(memories)])
    header = ["operations", "both decide", "time: times ours", "ours faster", "memory: times ours"]
    title = f"### Where {peer} decides too\n\nMedian, with the least and the greatest in brackets."
    return f"{title}\n\n{_table(header, lines)}"


def _range(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.3g} ({min(ratios):.2g} to {max(ratios):.3g})"


def _ours(grid: Sequence[Row]) -> str:
    ours = [row for row in grid if row["tool"] == _OURS]
    lines = []
    for domain in ("unique", "small"):
        for length in sorted({row["operations"] for row in ours}):
            rows = [r for r in ours if r["domain"] == domain and r["operations"] == length]
            if rows:
                lines.append([domain, f"{length:,}", _count(rows), *_costs(rows)])
    header = ["values", "operations", "decided", "median check", "slowest check", "most memory"]
    return f"### Ours on the whole grid\n\n{_table(header, lines)}" if ours else ""


def _costs(rows: Sequence[Row]) -> list[str]:
    seconds = [row["seconds"] for row in rows]
    memory = max(row["peak_mb"] for row in rows)
    return [_seconds(statistics.median(seconds)), _seconds(max(seconds)), f"{memory:,.0f} MB"]


def _seconds(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1e3:.2g} ms"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def _scaling(rows: Sequence[Row]) -> str:
    lines = [
        [
            f"{row['operations']:,}",
            f"{row['file_mb']:,.0f} MB",
            row["valid"],
            _seconds(row["seconds"]),
            f"{row['seconds'] / row['operations'] * 1e9:.0f} ns",
            _seconds(row["load_seconds"]),
            _seconds(row["wall_seconds"]),
            f"{row['peak_mb']:,.0f} MB",
        ]
        for row in rows
    ]
    header = [
        "operations",
        "file",
        "valid",
        "check",
        "for each operation",
        "reading",
        "whole command",
        "peak memory",
    ]
    title = "### Length alone: unique values, 30 processes, 5 % crashed"
    return f"{title}\n\n{_table(header, lines)}" if rows else ""


def _everything(grid: Sequence[Row]) -> str:
    """List each history that another tool was given too."""
    peers = _peers(grid)
    if not peers:
        return ""
    by_tool = {tool: _by_history(grid, tool) for tool in (_OURS, *peers)}
    lines = []
    for each in sorted({_history(row) for row in _with_peers(grid)}):
        operations, processes, crash, domain, violation, _ = each
        cells = [_cell(by_tool[tool].get(each)) for tool in by_tool]
        lines.append([f"{operations:,}", processes, crash, domain, violation, *cells])
    header = ["operations", "processes", "crash", "values", "violation", *by_tool]
    return f"### Each history that others were given\n\n{_table(header, lines)}"


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    cost = f"{_seconds(row['seconds'])}, {row['peak_mb']:,.0f} MB"
    if _is_wrong(row):
        return f"**wrong**: {row['valid']}, {cost}"
    return cost if _is_decided(row) else f"**unknown** ({row['why']}), {cost}"
