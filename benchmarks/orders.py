"""Whether every "valid" of `partita check` is proven by the order that it writes.

    python benchmarks/orders.py [--operations 100000] [--seeds 20] [--kinds fifo-queue …]
                                [--generator PROGRAM]

Histories of each kind of object are simulated, with and without crashed operations, and checked as
they would be by hand: `partita check --order`. Each must be valid, and the order that was written
is replayed by the model and by the times at which operations began and ended. Ends with exit code
1 if one of them is not.

Another generator is called as `PROGRAM KIND OPERATIONS PROCESSES CRASHED SEED`, and prints a
history.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kinds import KINDS
from simulated import write

from partita.checker import History, load_model, replay

_CODES = {0: "VALID", 1: "INVALID", 2: "UNKNOWN"}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one history. `wrong` says what is wrong with it, if anything is."""

    operations: int
    check_s: float
    replay_s: float
    wrong: str | None


def main() -> int:
    options = _options()
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="partita-orders-") as folder:
        for kind in options.kinds:
            for crash in options.crash:
                results = []
                for seed in range(1, options.seeds + 1):
                    path = Path(folder) / "history.jsonl"
                    _write(options, kind, crash, seed, path)
                    results.append(proven(kind, path))
                    if said := results[-1].wrong:
                        wrong += 1
                        print(f"{kind}, {crash:g} crashed, seed {seed}: {said}", file=sys.stderr)
                print(_summary(kind, crash, results), flush=True)
    return 1 if wrong else 0


def _write(options: argparse.Namespace, kind: str, crash: float, seed: int, path: Path) -> None:
    if options.generator is None:
        write(kind, options.operations, options.processes, crash, seed, path)
        return
    shape = [kind, options.operations, options.processes, crash, seed]
    with path.open("wb") as file:
        subprocess.run([options.generator, *map(str, shape)], stdout=file, check=True)


def proven(kind: str, path: Path) -> Result:
    """Check a history by the command, and replay the order that it writes."""
    model, order = str(KINDS[kind].model), path.with_suffix(".order")
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "partita", "check", path, *KINDS[kind].check, "--order", order],
        capture_output=True,
        text=True,
        check=False,
    )
    check_s = time.perf_counter() - begin
    history = History.read(path)
    if done.returncode != 0:
        said = _CODES.get(done.returncode, done.stderr.strip())
        return Result(len(history), check_s, 0, said)
    begin = time.perf_counter()
    wrong = replay(history, load_model(model), written(order))
    return Result(len(history), check_s, time.perf_counter() - begin, wrong)


def written(order: Path) -> list[int]:
    """Return the operations of a file that `--order` wrote, as rows of the history."""
    lines = order.read_text().splitlines()
    return [int(line.split("\t")[1]) for line in lines if not line.startswith("#")]


def _summary(kind: str, crash: float, results: list[Result]) -> str:
    good = sum(result.wrong is None for result in results)
    checks = sorted(result.check_s for result in results)
    replays = sum(result.replay_s for result in results) / len(results)
    return (
        f"{kind:16} {crash:4.0%} crashed: {good} of {len(results)} valid and replayed,"
        f" {results[0].operations:,} operations each; check and order"
        f" {checks[len(checks) // 2]:.2f} s (most {checks[-1]:.2f} s), replay {replays:.1f} s"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=100_000)
    parser.add_argument("--processes", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=20, help="So many histories of each kind.")
    parser.add_argument("--generator", type=Path, metavar="PROGRAM")
    parser.add_argument("--crash", type=float, nargs="+", default=[0, 0.02])
    known = [name for name, kind in KINDS.items() if kind.model]
    easy = [name for name in known if not KINDS[name].hard]
    parser.add_argument("--kinds", nargs="+", default=easy, choices=known)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
