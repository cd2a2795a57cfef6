"""How fast histories are checked, how much memory that takes, and how many are decided at all.

    python benchmarks/checker.py [--porcupine PROGRAM] [--knossos PROGRAM] [--docs docs]

Histories of one register are simulated over length, processes, crash probability, domain and
violation (`--help` says how to choose others), or taken from a folder. Each tool gets each
history in a process of its own, one at a time, within the same limits, so that the figures of
one run may be compared; absolute times differ from machine to machine. Other checkers are
called as `PROGRAM FILE SECONDS` and print {"valid": true|false|"unknown", "seconds": of the check}.
They get a random sample of the histories, because they need minutes where they decide nothing.

A verdict of ours that is wrong ends the benchmark with exit code 1.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import documents
from measuring import Limits, Measurement, Tool, measure, partita, peer, smallest_mb
from synthetic import Shape, write

Row = dict[str, Any]
_META = {
    "n": "operations",
    "c": "processes",
    "p": "crash",
    "d": "domain",
    "violation": "violation",
    "s": "seed",
}
# Where the whole command takes less than this, it is measured several times: short times are noisy.
_SHORT_SECONDS = 4.0
_SCALING_SECONDS = 300.0


def main() -> int:
    options = _options()
    results = Results(options.results)
    if not options.only_write:
        with tempfile.TemporaryDirectory(prefix="partita-benchmark-") as folder:
            run(options, results, Path(folder))
    if options.docs:
        documents.write(results.rows, options.docs)
    else:
        print(documents.text(results.rows))
    wrong = [row for row in results.rows if _is_wrong(row)]
    for row in wrong:
        print(f"WRONG: {json.dumps(row)}", file=sys.stderr)
    return 1 if wrong else 0


def run(options: argparse.Namespace, results: "Results", folder: Path) -> None:
    """Measure everything that was asked for, one history at a time."""
    limits = Limits(options.time_limit, options.memory_limit)
    cases = _stored(options.folder) if options.folder else _simulated(options, folder)
    tools = _tools(options, len(cases))
    results.add(_machine(), part="machine")
    idle = folder / "idle.jsonl"
    idle.write_text(_IDLE)
    for tool, _ in tools:
        results.add(_row(tool, measure(tool, idle, limits)), part="idle")
    for number, case in enumerate(cases):
        file = case.file()
        said = []
        for tool in (tool for tool, numbers in tools if number in numbers):
            row = _row(tool, _median(tool, file, limits, options.repeat))
            results.add(asdict(case.shape) | {"expect": case.expect} | row, part="grid")
            said.append(
                f"{tool.name} {row['valid']} {row['seconds']:.3g} s {row['peak_mb']:.0f} MB"
            )
        print(f"[{number + 1}/{len(cases)}] {case.shape}: {', '.join(said)}", file=sys.stderr)
        case.done(file)
    _scale(options, results, folder)


def _scale(options: argparse.Namespace, results: "Results", folder: Path) -> None:
    limits = Limits(_SCALING_SECONDS, options.memory_limit)
    for operations in options.scaling:
        case = _simulation(Shape(operations, 30, 0.05, "unique", "none", 1), folder)
        file = case.file()
        row = _row(_ours(), _median(_ours(), file, limits, options.repeat))
        row |= {"expect": case.expect, "file_mb": file.stat().st_size / 1e6}
        results.add(asdict(case.shape) | row, part="scaling")
        print(f"[scaling] {case.shape}: {_said(row)}", file=sys.stderr)
        case.done(file)


_IDLE = """\
{"process":0,"type":"invoke","f":"write","value":1}
{"process":0,"type":"ok","f":"write","value":1}
"""


@dataclass(frozen=True, slots=True)
class Case:
    """A history to come: how to get its file, and what is to be done with that afterwards."""

    shape: Shape
    expect: bool | None
    file: Callable[[], Path]
    done: Callable[[Path], None]


def _simulated(options: argparse.Namespace, folder: Path) -> list[Case]:
    dimensions = (
        options.lengths,
        options.processes,
        options.crashes,
        options.domains,
        options.violations,
        options.seeds,
    )
    return [_simulation(Shape(*each), folder) for each in product(*dimensions)]


def _simulation(shape: Shape, folder: Path) -> Case:
    def file() -> Path:
        path = folder / "history.jsonl"
        write(shape, path)
        return path

    return Case(shape, shape.violation == "none", file, Path.unlink)


def _stored(folder: Path) -> list[Case]:
    """Return the histories of a folder that have a NAME.jsonl.meta.json beside them."""
    cases = []
    for path in sorted(folder.glob("*.jsonl")):
        meta = json.loads(Path(f"{path}.meta.json").read_text())
        shape = Shape(**{name: meta[short] for short, name in _META.items()})
        cases.append(Case(shape, meta["expect"], partial(Path, path), _leave))
    return cases


def _leave(path: Path) -> None:
    """A history that was there before is there afterwards."""


def _tools(options: argparse.Namespace, count: int) -> list[tuple[Tool, Sequence[int]]]:
    """Return each tool with the numbers of the histories that it gets.

    The sample of one is a part of the sample of the other: so all have histories in common.
    """
    order = random.Random(1).sample(range(count), count)
    tools: list[tuple[Tool, Sequence[int]]] = [(_ours(), range(count))]
    if options.porcupine:
        tools.append((peer("Porcupine", options.porcupine), order[: options.porcupine_rows]))
    if options.knossos:
        tools.append((peer("Knossos", options.knossos), order[: options.knossos_rows]))
    return tools


def _median(tool: Tool, file: Path, limits: Limits, repeat: int) -> Measurement:
    """Measure once, or several times where it is quick; return the one with the median time."""
    first = measure(tool, file, limits)
    if first.valid == "unknown" or first.wall_seconds > _SHORT_SECONDS:
        return first
    again = [measure(tool, file, limits) for _ in range(repeat - 1)]
    return sorted([first, *again], key=lambda each: each.seconds)[len(again) // 2]


def _row(tool: Tool, measurement: Measurement) -> Row:
    return {"tool": tool.name, **asdict(measurement)}


def _said(row: Row) -> str:
    return f"{row['tool']} {row['valid']} {row['seconds']:.3g} s {row['peak_mb']:.0f} MB"


def _is_wrong(row: Row) -> bool:
    if row.get("tool") != "partita" or row.get("expect") is None:
        return False
    return row["valid"] not in ("unknown", row["expect"])


def _machine() -> Row:
    return documents.machine() | {"smallest_mb": smallest_mb()}


class Results:
    """The rows measured so far, kept in a file as well, which a later call may draw again."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path and path.exists() else []
        self.rows: list[Row] = [json.loads(line) for line in lines]

    def add(self, row: Row, *, part: str) -> None:
        row = {"part": part, **row}
        self.rows.append(row)
        if self.path:
            with self.path.open("a") as file:
                file.write(json.dumps(row) + "\n")


def _ours() -> Tool:
    return partita("--model", "cas-register")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--lengths", type=_numbers, default=[1000, 10_000, 100_000])
    add("--processes", type=_numbers, default=[5, 10, 30])
    add("--crashes", type=_numbers, default=[0, 0.001, 0.01, 0.05])
    add("--domains", type=_words, default=["small", "unique"])
    add("--violations", type=_words, default=["none", "stale", "lost", "phantom"])
    add("--seeds", type=_numbers, default=[1])
    add("--folder", type=Path, help="histories with NAME.jsonl.meta.json beside NAME.jsonl")
    add("--scaling", type=_numbers, default=[], help="lengths of unique histories, 30 processes")
    add("--porcupine", type=Path, metavar="PROGRAM")
    add("--knossos", type=Path, metavar="PROGRAM")
    add("--porcupine-rows", type=int, default=36)
    add("--knossos-rows", type=int, default=12)
    add("--time-limit", type=float, default=20.0, help="of one check, in seconds")
    add("--memory-limit", type=int, default=5000, help="of one process, in MB")
    add("--repeat", type=int, default=3, help="how often quick checks are measured")
    add("--results", type=Path, help="add the rows to this file; those in it are written too")
    add("--only-write", action="store_true", help="measure nothing: write what --results has")
    add("--docs", type=Path, help="write tables and pictures there instead of printing them")
    return parser.parse_args()


def _numbers(text: str) -> list[float]:
    return [float(each) if "." in each else int(each.replace("_", "")) for each in _words(text)]


def _words(text: str) -> list[str]:
    return [each for each in text.split(",") if each]


if __name__ == "__main__":
    sys.exit(main())
