"""How long planted mistakes are hunted until they are found: fixed schedules against storms.

    python benchmarks/hunting.py [BUG …] [--hunts 3] [--budget 3m] [--docs docs]

Each mistake of the raft example is hunted several times in each way, with other seeds each time.
Both ways run with the same load and for the same time. The mean is all seconds that were spent,
by how often the mistake was found: so a hunt that found nothing counts too. With --docs the table
of docs/benchmarks.md is written anew, with what an earlier call had found of other mistakes.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from documents import put

# As they were before there were storms.
FIXED = "leader-minority,one-way,kill-leader"
WAYS = {"fixed": f"--nemesis {FIXED}", "storms": "--nemesis random --disk ext4"}
LOAD = "--concurrency 6n --keys 3 --time-limit 30 --no-shrink --json"
BUGS = (
    "ack-early",
    "no-fsync",
    "apply-twice",
    "lost-log",
    "stale-leader-read",
    "split-brain",
    "double-vote",
    "retry-applied-twice",
    "stale-follower-read",
    "lease-by-wall-clock",
    "fsync-error-ignored",
    "torn-log-accepted",
    "vote-not-synced",
    "commit-earlier-term",
    "cas-early-check",
    "definite-timeout",
)
# What makes the mistake possible at all, in both ways: messages that take a while.
NEEDS = {"double-vote": '--server-args "--delay 0.15 --election-timeout 0.5"'}
HEAD = ("| mistake | fixed schedule | storms | fixed / storms |", "|---|---|---|---|")


@dataclass
class Tally:
    """All hunts for one mistake in one way."""

    found: int = 0
    hunts: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        mean = f"{self.seconds / self.found:.0f} s" if self.found else f"over {self.seconds:.0f} s"
        return f"{mean} ({self.found} of {self.hunts})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bugs", nargs="*", default=BUGS)
    parser.add_argument("--hunts", type=int, default=3)
    parser.add_argument("--budget", default="3m")
    parser.add_argument("--docs", type=Path, help="the folder of benchmarks.md")
    options = parser.parse_args()
    rows = {}
    for bug in options.bugs:
        tallies = {way: hunted(bug, words, options) for way, words in WAYS.items()}
        rows[bug] = row(bug, tallies)
        print(rows[bug], flush=True)
    if options.docs:
        write(options.docs, rows)


def hunted(bug: str, words: str, options: argparse.Namespace) -> Tally:
    """Hunt for one mistake several times."""
    tally = Tally()
    line = f"hunt raft --bug {bug} {LOAD} {words} {NEEDS.get(bug, '')} --budget {options.budget}"
    for number in range(options.hunts):
        with tempfile.TemporaryDirectory() as runs:
            more = ["--seed", str(1 + 1000 * number), "--runs-dir", runs]
            command = [sys.executable, "-m", "partita", *shlex.split(line), *more]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1, 2):
            sys.exit(done.stderr)
        outcome = json.loads(done.stdout)
        tally.hunts += 1
        tally.found += outcome["found"]
        tally.seconds += outcome["seconds"]
    return tally


def row(bug: str, tallies: dict[str, Tally]) -> str:
    fixed, storms = tallies["fixed"], tallies["storms"]
    both = fixed.found and storms.found
    ratio = (fixed.seconds / fixed.found) / (storms.seconds / storms.found) if both else None
    return f"| `{bug}` | {fixed} | {storms} | {'-' if ratio is None else f'{ratio:.1f}'} |"


def write(folder: Path, rows: dict[str, str]) -> None:
    """Write the table, with the rows of mistakes that were not hunted now as they stand there."""
    page = (folder / "benchmarks.md").read_text()
    _, _, old = page.partition("<!-- hunting: begin -->")
    old, _, _ = old.partition("<!-- hunting: end -->")
    kept = {match[1]: match[0] for match in re.finditer(r"^\| `([\w-]+)` .*$", old, re.MULTILINE)}
    put("hunting", "\n".join([*HEAD, *(kept | rows).values()]), folder)


if __name__ == "__main__":
    main()
