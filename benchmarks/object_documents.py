"""What the benchmark of all models and checks measured, as Markdown tables and pictures."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import documents
from kinds import KINDS

Row = Mapping[str, Any]
_OURS, _PEER = "partita", "Porcupine"


def write(rows: Sequence[Row], folder: Path) -> None:
    """Put the tables between the marks in benchmarks.md, and the pictures beside it."""
    import object_pictures  # matplotlib is big, and would count towards what small children hold

    documents.put("objects", text(rows), folder)
    measured = _of_objects(rows)
    object_pictures.draw(measured, "seconds", folder / "objects.png")
    object_pictures.draw(measured, "peak_mb", folder / "objects-memory.png")


def text(rows: Sequence[Row]) -> str:
    """Return all tables."""
    measured = _of_objects(rows)
    machines = [row for row in rows if row["part"] == "machine"]
    sections = [
        _conditions(machines[-1]) if machines else "",
        _compared(measured),
        "### Easy: structure decides\n\n" + _each(measured, hard=False),
        "### Hard: the search decides\n\n" + _each(measured, hard=True),
        "### Time for each operation\n\n" + _flat(measured),
    ]
    return "\n\n".join(each for each in sections if each)


def is_wrong(row: Row) -> bool:
    """Say whether a verdict is not what the history was made to have."""
    return row["part"] == "objects" and row["valid"] not in ("unknown", row["expect"])


def _of_objects(rows: Iterable[Row]) -> list[Row]:
    """Return the newest row of each tool and history."""
    newest = {(row["tool"], *_history(row)): row for row in rows if row["part"] == "objects"}
    return list(newest.values())


def _history(row: Row) -> tuple[Any, ...]:
    return row["kind"], row["operations"], row["crash"], row["expect"]


def _conditions(m: Row) -> str:
    return (
        f"Measured on {m['cpu']}, {m['cores']} cores, {m['memory_gb']} GB, Python {m['python']};"
        f" {m['load']:.1f} processes were runnable when it began. Below {m['smallest_mb']:.0f} MB,"
        " peak memory cannot be measured."
    )


def _compared(rows: Sequence[Row]) -> str:
    """Say who decides what both were given, and how the times compare where both do."""
    ours = {_history(row): row for row in rows if row["tool"] == _OURS}
    pairs = [(ours[_history(row)], row) for row in rows
             if row["tool"] == _PEER and _history(row) in ours]  # fmt: skip
    if not pairs:
        return ""
    lines = []
    for hard in (False, True):
        for length in sorted({mine["operations"] for mine, _ in pairs}):
            some = [
                (mine, other)
                for mine, other in pairs
                if mine["operations"] == length and KINDS[mine["kind"]].hard == hard
            ]
            if some:
                lines.append([("hard" if hard else "easy"), f"{length:,}", *_ratios(some)])
    header = ["histories", "operations", "given to both", "we decide", f"{_PEER} decides",
              "its time: times ours", "ours faster", "its memory: times ours"]  # fmt: skip
    note = "Where both decide: the median, with the least and the greatest in brackets."
    return f"### Beside {_PEER}\n\n{note}\n\n{_table(header, lines)}"


def _ratios(pairs: Sequence[tuple[Row, Row]]) -> list[object]:
    both = [(mine, other) for mine, other in pairs if _decided(mine) and _decided(other)]
    times = [_deciding(other) / _deciding(mine) for mine, other in both]
    memories = [other["peak_mb"] / mine["peak_mb"] for mine, other in both]
    return [
        len(pairs),
        sum(_decided(mine) for mine, _ in pairs),
        sum(_decided(other) for _, other in pairs),
        _range(times),
        f"{sum(each > 1 for each in times)} of {len(both)}",
        _range(memories),
    ]


def _deciding(row: Row) -> float:
    """Until the verdict was known: what explains a violation comes after that."""
    return float(row["seconds"] - row.get("explaining_seconds", 0))


def _range(ratios: Sequence[float]) -> str:
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.3g} ({min(ratios):.2g} to {max(ratios):.3g})"


def _decided(row: Row) -> bool:
    return bool(row["valid"] != "unknown")


_SORTS = [(0, True), (0, False), (0.02, True), (0.02, False)]


def _each(rows: Sequence[Row], *, hard: bool) -> str:
    """Tabulate times and memory by kind and length, ours above the peer's."""
    found = {(row["tool"], *_history(row)): row for row in rows}
    lines = []
    for kind in (name for name, each in KINDS.items() if each.hard == hard):
        for length in sorted({row["operations"] for row in rows if row["kind"] == kind}):
            for tool in (_OURS, _PEER):
                cells = [found.get((tool, kind, length, *sort)) for sort in _SORTS]
                if any(cells):
                    lines.append([kind, f"{length:,}", tool, *map(_cell, cells)])
    header = ["history", "operations", "", "valid", "violation", "valid, 2 % crashed",
              "violation, 2 % crashed"]  # fmt: skip
    return _table(header, lines)


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    explaining = row.get("explaining_seconds") or 0
    more = f" + {_seconds(explaining)}" if explaining else ""
    cost = f"{_seconds(_deciding(row))}{more}, {row['peak_mb']:,.0f} MB"
    if is_wrong(row):
        return f"**wrong**: {row['valid']}, {cost}"
    return cost if _decided(row) else f"**unknown**, {cost}"


def _seconds(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds * 1e3:.2g} ms"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.3g} s"


def _flat(rows: Sequence[Row]) -> str:
    """Tabulate what an operation of a valid history costs, checking and reading."""
    ours = [row for row in rows if row["tool"] == _OURS and row["expect"] and _decided(row)]
    lengths = sorted({row["operations"] for row in ours if row["operations"] >= 10_000})
    lines = []
    for kind in (name for name in KINDS if not KINDS[name].hard):
        for crash in (0, 0.02):
            mine = {row["operations"]: row for row in ours
                    if (row["kind"], row["crash"]) == (kind, crash)}  # fmt: skip
            if mine:
                cells = [_cost(mine.get(length)) for length in lengths]
                lines.append([kind, f"{crash:.0%}", *cells])
    header = ["history", "crashed", *(f"{length:,}" for length in lengths)]
    note = "Of valid histories: the check, and behind it reading the file."
    return f"{note}\n\n{_table(header, lines)}"


def _cost(row: Row | None) -> str:
    if row is None:
        return "-"
    each = [row["seconds"], row.get("load_seconds") or 0]
    return ", ".join(f"{seconds / row['operations'] * 1e9:,.0f} ns" for seconds in each)


def _table(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    cells = [header, ["---"] * len(header), *lines]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in cells)
