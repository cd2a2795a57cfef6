"""The check of transactions beside Elle: the same files, the same machine, in turn.

    python benchmarks/transactions.py --elle TARGET/elle --docs docs

`benchmarks/elle/build` makes that program. Without `--elle` only our own figures are measured.
Each history is checked in a process of its own. The seconds are those of the check alone; of Elle
those of its second check of one history in one process, when Java is warm, if the first one took
less than half of the limit. Limits are the same for both.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import documents
from measuring import Limits, Measurement, Tool, measure, partita, peer
from transactional import Shape, write

LISTS = Shape(1_000)
# Of these both are told that each key by itself is linearizable.
LINEARIZABLE = "linearizable keys"
SHAPES = {
    "lists, 1,000": LISTS,
    "lists, 100,000": replace(LISTS, transactions=100_000),
    "lists, 100,000, a violation": replace(LISTS, transactions=100_000, planted=True),
    "lists, 100,000, a quarter of the reads old": replace(LISTS, transactions=100_000, stale=0.25),
    "lists with revisions, 100,000": replace(LISTS, transactions=100_000, revisions=True),
    "registers, 10,000": replace(LISTS, transactions=10_000, kind="w"),
    "registers, 10,000, a violation": replace(LISTS, transactions=10_000, kind="w", planted=True),
    "registers, 1,000, linearizable keys": replace(LISTS, kind="w"),
    "registers, 10,000, linearizable keys": replace(LISTS, transactions=10_000, kind="w"),
    "lists, 1,000,000": replace(LISTS, transactions=1_000_000),
    "lists, 1,000,000, a violation": replace(LISTS, transactions=1_000_000, planted=True),
    "lists with revisions, 1,000,000": replace(LISTS, transactions=1_000_000, revisions=True),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--elle", type=Path, help="Elle's program, see benchmarks/elle/build.")
    parser.add_argument("--only", nargs="*", default=list(SHAPES), help="Some of the histories.")
    parser.add_argument("--seconds", type=float, default=120.0, help="Limit of a check.")
    parser.add_argument("--memory-mb", type=int, default=14_000, help="Limit of a process.")
    parser.add_argument("--rows", type=Path, help="A file that gets each figure, a JSON line.")
    parser.add_argument("--docs", type=Path, help="The folder of benchmarks.md, to be rewritten.")
    given = parser.parse_args()
    rows = list(measured(given.only, given.elle, Limits(given.seconds, given.memory_mb)))
    if given.rows:
        given.rows.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(table(rows))
    if given.docs:
        documents.put("transactions", table(rows), given.docs)


def measured(names: Iterable[str], elle: Path | None, limits: Limits) -> Iterable[dict[str, Any]]:
    """Let each tool check each history, in turn."""
    for name in names:
        shape = SHAPES[name]
        with tempfile.TemporaryDirectory(prefix="partita-transactions-") as folder:
            file = Path(folder) / "history.edn"
            write(shape, file)
            for tool in tools(elle, shape, LINEARIZABLE in name):
                found = measure(tool, file, limits)
                print(f"{name}: {tool.name}: {_told(found)}", file=sys.stderr, flush=True)
                row = {"history": name, "tool": tool.name, "megabytes": file.stat().st_size / 1e6}
                yield row | asdict(found) | {"shape": asdict(shape)}


def tools(elle: Path | None, shape: Shape, linearizable: bool) -> Iterator[Tool]:
    """Yield Partita, and Elle if it is there, told what is known of the objects."""
    yield partita(*(["--linearizable-keys"] if linearizable else []))
    if elle:
        plain = peer("elle", elle)
        kind = ["register"] if shape.kind == "w" else []
        kind += ["linearizable"] if linearizable else []
        yield Tool("elle", lambda file, limits: [*plain.command(file, limits), *kind])


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the figures as Markdown, with how many times as long Elle took."""
    lines = [
        "| history | file | Partita | command | memory | Elle | memory | Elle / Partita |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(row["history"] for row in rows):
        mine, *others = (row for row in rows if row["history"] == name)
        cells = [
            name,
            f"{mine['megabytes']:,.0f} MB",
            _check(mine),
            f"{mine['wall_seconds']:.2f} s",
            f"{mine['peak_mb']:,.0f} MB",
        ]
        for other in others:
            ratio = other["seconds"] / mine["seconds"] if other["valid"] != "unknown" else None
            cells += [
                _check(other),
                f"{other['peak_mb']:,.0f} MB",
                "" if ratio is None else f"{ratio:,.0f}",
            ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _check(row: dict[str, Any]) -> str:
    if row["valid"] == "unknown":
        return f"unknown: {row['why']}"
    return f"{'valid' if row['valid'] else 'invalid'}, {row['seconds']:.3f} s"


def _told(found: Measurement) -> str:
    return f"{found.valid} in {found.seconds:.3f} s, {found.wall_seconds:.1f} s in all"


if __name__ == "__main__":
    main()
