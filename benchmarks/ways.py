"""The search's two ways, breadth first and depth first, each alone and both by turns.

    python benchmarks/ways.py [--kinds bank …] [--lengths 1000 10000] [--docs docs]

Histories are those of `objects.py`. Each gets a process of its own, in which the search goes over
it with each way alone and with both, in turn, several times. What counts is the least processor
time until the verdict was known: much else may run on the machine. Both by turns should take at
most twice what the better way takes alone, and a tenth more, for at each turn the processor's
caches hold what the other way needs. If they take longer, it ends with exit code 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import documents
from kinds import KINDS

Row = dict[str, Any]
_PROCESSES = 10
_BOUND = 2.2
_SECONDS_AGAIN = 5.0  # What takes longer is searched once.
# What is quicker is noise: pages that are touched first, a clock that is looked at.
_LEAST_SECONDS = 0.002
_WAYS = {"breadth first": "none", "depth first": "alone", "both": "beside"}


def main() -> int:
    options = _options()
    if options.one:
        print(json.dumps(_measured(options)))
        return 0
    rows = list(_rows(options))
    if options.docs:
        documents.put("ways", text(rows), options.docs)
    else:
        print(text(rows))
    for row in rows:
        if _ratio(row) > _BOUND:
            print(f"TOO SLOW: {json.dumps(row)}", file=sys.stderr)
    return 1 if any(_ratio(row) > _BOUND for row in rows) else 0


def text(rows: Sequence[Row]) -> str:
    """Return the worst and the usual ratio, and a table of what took longest beside the better."""
    decided = sorted((row for row in rows if _better(row)), key=_ratio, reverse=True)
    if not decided:
        return "Nothing was decided."
    ratios = [_ratio(row) for row in decided]
    found = (
        f"{len(decided)} of {len(rows)} histories were decided. Both by turns took"
        f" {ratios[len(ratios) // 2]:.2g} times as long as the better way alone in the median, and"
        f" {ratios[0]:.2g} times at the most. Those with the highest ratios:"
    )
    header = ["history", "operations", "crashed", "valid", *_WAYS, "ratio"]
    lines = [
        [
            row["kind"],
            f"{row['operations']:,}",
            f"{row['crash']:.0%}",
            "yes" if row["expect"] else "no",
            *(_cell(row["seconds"][way]) for way in _WAYS),
            f"{_ratio(row):.2f}",
        ]
        for row in decided[:10]
    ]
    cells = [header, ["---"] * len(header), *lines]
    return found + "\n\n" + "\n".join(f"| {' | '.join(map(str, each))} |" for each in cells)


def _cell(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1e3:.3g} ms"


def _better(row: Row) -> float | None:
    """Return what the better way took alone, None if neither decided."""
    alone = [row["seconds"][way] for way in _WAYS if way != "both"]
    return min((each for each in alone if each is not None), default=None)


def _ratio(row: Row) -> float:
    better = _better(row)
    if better is None:
        return 0.0
    both = row["seconds"]["both"]
    if both is None:
        # The limit is one of the clock: on a loaded machine that is much less of the processor.
        return row["spent"] / better  # type: ignore[no-any-return]
    return max(both, _LEAST_SECONDS) / max(better, _LEAST_SECONDS)  # type: ignore[no-any-return]


def _rows(options: argparse.Namespace) -> Iterator[Row]:
    here = Path(__file__)
    with tempfile.TemporaryDirectory(prefix="partita-benchmark-") as folder:
        for kind, length, crash in product(options.kinds, options.lengths, options.crashes):
            for valid in (True, False):
                asked = ["--one", kind, "--lengths", str(length), "--crashes", str(crash)]
                asked += ["--time-limit", str(options.time_limit)]
                asked += [] if valid else ["--planted"]
                done = subprocess.run(
                    [sys.executable, str(here), *asked],
                    check=True,
                    cwd=folder,
                    stdout=subprocess.PIPE,
                )
                row: Row = json.loads(done.stdout)
                print(f"{row} ratio {_ratio(row):.2f}", file=sys.stderr)
                yield row


def _measured(options: argparse.Namespace) -> Row:
    """Write a history, and search it each way. In a process that does nothing else."""
    from simulated import write_both

    from partita.checker import History
    from partita.checker.models.model import load_model

    kind, operations, crash = options.one, options.lengths[0], options.crashes[0]
    valid, planted = Path("valid.jsonl"), Path("planted.jsonl")
    write_both(kind, operations, _PROCESSES, crash, 1, valid, planted)
    history = History.read(planted if options.planted else valid)
    model = load_model(KINDS[kind].check[1], *map(json.loads, KINDS[kind].check[3:]))
    seconds: dict[str, float | None] = {}
    for way in _WAYS:
        begin = time.process_time()
        seconds[way] = _search(history, model, way, options)
        spent = time.process_time() - begin  # at last by both
    for _ in range(4):
        for way, before in list(seconds.items()):
            if before is not None and before < _SECONDS_AGAIN:
                again = _search(history, model, way, options)
                seconds[way] = before if again is None else min(before, again)
    shape = {"kind": kind, "operations": operations, "crash": crash, "expect": not options.planted}
    return {**shape, "seconds": seconds, "spent": spent}


def _search(history: Any, model: Any, way: str, options: argparse.Namespace) -> float | None:
    """Return how long it took until the verdict was known, None if it was not."""
    from partita.checker.linearizability.check import counting
    from partita.checker.linearizability.search import Plan, search
    from partita.checker.verdict import Limits

    rows = counting(history, model, "observe")
    limits = Limits(time.monotonic() + options.time_limit)
    plan = Plan(descents=_WAYS[way], explains=False)  # type: ignore[arg-type]
    begin = time.process_time()
    finding = search(history, rows, model, limits, "observe", plan)
    took = time.process_time() - begin
    assert finding is not None
    if finding.valid == "unknown":
        return None
    assert finding.valid is not options.planted, "a wrong verdict"
    return took


def _options() -> argparse.Namespace:
    searched = [name for name, kind in KINDS.items() if kind.model]
    usual = [name for name in searched if KINDS[name].hard or name in ("mutex", "register", "set")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--kinds", nargs="+", default=usual, choices=searched)
    add("--lengths", type=int, nargs="+", default=[1_000, 10_000])
    add("--crashes", type=float, nargs="+", default=[0, 0.02])
    add("--time-limit", type=float, default=5.0, help="of one search, in seconds")
    add("--docs", type=Path, help="write the table there instead of printing it")
    add("--one", choices=searched, help=argparse.SUPPRESS)
    add("--planted", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
