"""Every model and check that ships, over length, with Porcupine beside it on the same histories.

    python benchmarks/objects.py [--porcupine PROGRAM] [--docs docs] [--kinds fifo-queue …]

Histories of each kind of object (`kinds.py`) are simulated: with and without crashed operations,
valid, and with one violation near the end. Each tool gets each history in a process of its own, one
at a time, within the same limits; short ones several times, in turn, of which the median counts. A
tool that could not decide a history is not given longer ones of its sort.

`--porcupine` is our driver in `benchmarks/porcupine`, built with Go. Its models are ours in Go;
what is no model (`sessions`, `delivery`) has no peer. A wrong verdict of ours ends it with exit
code 1.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import documents
import object_documents
from kinds import KINDS
from measuring import Limits, Measurement, Tool, measure, partita, smallest_mb

Row = dict[str, Any]
_PROCESSES = 10
_SHORT_SECONDS = 1.0
# In a process of its own: what this one holds would count towards what its children hold.
_WRITE = "import sys; from pathlib import Path; from simulated import write_both; k, n, p, c, a, b"
_WRITE += " = sys.argv[1:]; write_both(k, int(n), int(p), float(c), 1, Path(a), Path(b))"


def main() -> int:
    options = _options()
    rows = _kept(options.results)
    if not options.only_write:
        with tempfile.TemporaryDirectory(prefix="partita-benchmark-") as folder:
            for row in _measured(options, Path(folder)):
                rows.append(row)
                if options.results:
                    with options.results.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    if options.docs:
        object_documents.write(rows, options.docs)
    else:
        print(object_documents.text(rows))
    wrong = [row for row in rows if object_documents.is_wrong(row)]
    for row in wrong:
        print(f"WRONG: {json.dumps(row)}", file=sys.stderr)
    return 1 if any(row["tool"] == "partita" for row in wrong) else 0


def _measured(options: argparse.Namespace, folder: Path) -> Iterator[Row]:
    limits = Limits(options.time_limit, options.memory_limit)
    yield {"part": "machine", **documents.machine(), "smallest_mb": smallest_mb(), "tool": ""}
    for kind, crash in product(options.kinds, options.crashes):
        lost: set[tuple[str, bool]] = set()  # who does not get longer ones
        for operations in options.lengths:
            for path, valid in _histories(kind, operations, crash, folder):
                tools = [each for each in _tools(kind, options) if (each.name, valid) not in lost]
                for tool, found in _in_turn(tools, path, limits, options.repeat):
                    if found.valid == "unknown":
                        lost.add((tool.name, valid))
                    shape = {"kind": kind, "operations": operations, "crash": crash}
                    shape |= {"expect": valid, "file_mb": path.stat().st_size / 1e6}
                    row = {"part": "objects", **shape, "tool": tool.name, **asdict(found)}
                    print(f"{shape}: {tool.name} {found.valid} {found.seconds:.3g} s"
                          f" {found.peak_mb:.0f} MB", file=sys.stderr)  # fmt: skip
                    yield row
                path.unlink()


def _histories(
    kind: str, operations: int, crash: float, folder: Path
) -> Iterator[tuple[Path, bool]]:
    """Write a valid history and one with a violation; whoever takes them removes them."""
    valid, planted = folder / "valid.jsonl", folder / "planted.jsonl"
    shape = [kind, str(operations), str(_PROCESSES), str(crash)]
    subprocess.run(
        [sys.executable, "-c", _WRITE, *shape, valid, planted],
        check=True,
        cwd=Path(__file__).parent,
    )
    yield valid, True
    yield planted, False


def _tools(kind: str, options: argparse.Namespace) -> list[Tool]:
    known = KINDS[kind]

    def theirs(file: Path, limits: Limits) -> list[str]:
        return [str(options.porcupine), str(known.peer), str(file), str(limits.seconds)]

    peers = [Tool("Porcupine", theirs)] if options.porcupine and known.peer else []
    return [partita(*known.check), *peers]


def _in_turn(
    tools: list[Tool], path: Path, limits: Limits, repeat: int
) -> list[tuple[Tool, Measurement]]:
    """Measure tools in turn, quick ones again; return the median of each."""
    found = {tool.name: [measure(tool, path, limits)] for tool in tools}
    for _ in range(repeat - 1):
        for tool in tools:
            if found[tool.name][0].wall_seconds < _SHORT_SECONDS:
                found[tool.name].append(measure(tool, path, limits))
    return [(tool, _median(found[tool.name])) for tool in tools]


def _median(measured: list[Measurement]) -> Measurement:
    middle = statistics.median_low(each.seconds for each in measured)
    return next(each for each in measured if each.seconds == middle)


def _kept(path: Path | None) -> list[Row]:
    lines = path.read_text().splitlines() if path and path.exists() else []
    return [json.loads(line) for line in lines]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    add("--lengths", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    add("--crashes", type=float, nargs="+", default=[0, 0.02])
    add("--porcupine", type=Path, metavar="PROGRAM")
    add("--time-limit", type=float, default=10.0, help="of one check, in seconds")
    add("--memory-limit", type=int, default=5000, help="of one process, in MB")
    add("--repeat", type=int, default=3, help="how often quick checks are measured")
    add("--results", type=Path, help="add the rows to this file; those in it are written too")
    add("--only-write", action="store_true", help="measure nothing: write what --results has")
    add("--docs", type=Path, help="write tables and pictures there instead of printing them")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
