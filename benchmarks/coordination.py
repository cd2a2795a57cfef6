"""The checks of locks, elections, leases and watches, over length.

    python benchmarks/coordination.py [--docs docs] [--kinds streams …] [--lengths 10000 …]

Histories of each kind (`coordinated.py`) are simulated, valid and with one violation in the middle,
and each is checked in a process of its own, short ones several times, of which the median counts. A
wrong verdict ends it with exit code 1.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import documents
from coordinated import KINDS
from measuring import Limits, Measurement, measure, partita, smallest_mb

Row = dict[str, Any]
_LEVELS = {"locks": "holders=exclusive", "elections": "holders=exclusive", "leases": "leases=kept"}
_SHORT_SECONDS = 2.0
# In a process of its own: what this one holds would count towards what its children hold.
_WRITE = "import sys; from pathlib import Path; from coordinated import Shape, write; k, n, p, f = "
_WRITE += "sys.argv[1:]; write(Shape(k, int(n), p == 'True'), Path(f))"


def main() -> int:
    options = _options()
    machine = documents.machine()
    rows = []
    with tempfile.TemporaryDirectory(prefix="partita-coordination-") as folder:
        for row in _measured(options, Path(folder) / "history.jsonl"):
            print(json.dumps(row), file=sys.stderr, flush=True)
            rows.append(row)
    smallest = f"Below {smallest_mb():.0f} MB, peak memory cannot be measured."
    said = f"{documents.conditions(machine)} {smallest}\n\n{_table(rows)}"
    print(said)
    if options.docs:
        documents.put("coordination", said, options.docs)
    wrong = [row for row in rows if row["valid"] is row["planted"]]
    for row in wrong:
        print(f"WRONG: {json.dumps(row)}", file=sys.stderr)
    return 1 if wrong else 0


def _measured(options: argparse.Namespace, file: Path) -> Iterator[Row]:
    limits = Limits(options.time_limit, options.memory_limit)
    for kind, length, planted in product(options.kinds, options.lengths, (False, True)):
        write = [sys.executable, "-c", _WRITE, kind, str(length), str(planted), str(file)]
        subprocess.run(write, check=True, cwd=Path(__file__).parent)
        shape = {"kind": kind, "planted": planted, "events": _lines(file)}
        yield shape | {"file_mb": file.stat().st_size / 1e6} | asdict(_median(kind, file, limits))


def _lines(file: Path) -> int:
    with file.open("rb") as lines:
        return sum(1 for _ in lines)


def _median(kind: str, file: Path, limits: Limits) -> Measurement:
    """Measure a check; a quick one three times."""
    tool = partita("--expect", _LEVELS.get(kind, "watches=reliable"))
    found = [measure(tool, file, limits)]
    while found[0].wall_seconds < _SHORT_SECONDS and len(found) < 3:
        found.append(measure(tool, file, limits))
    middle = statistics.median_low(each.wall_seconds for each in found)
    return next(each for each in found if each.wall_seconds == middle)


def _table(rows: Sequence[Row]) -> str:
    lines = [
        "| history | events | file |  | verdict | reading | check | whole command"
        " | processor | memory |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        cells = [
            row["kind"],
            f"{row['events']:,}",
            f"{row['file_mb']:,.0f} MB",
            "a violation" if row["planted"] else "",
            row["why"] or {True: "valid", False: "invalid"}[row["valid"]],
            "" if row["load_seconds"] is None else f"{row['load_seconds']:.2f} s",
            f"{row['seconds']:.2f} s",
            f"{row['wall_seconds']:.2f} s",
            f"{row['processor_seconds']:.2f} s",
            f"{row['peak_mb']:,.0f} MB",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    add("--lengths", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    add("--time-limit", type=float, default=60.0, help="of one check, in seconds")
    add("--memory-limit", type=int, default=8000, help="of one process, in MB")
    add("--docs", type=Path, help="write the table into benchmarks.md there")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
