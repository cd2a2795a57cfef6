"""Maelstrom's own demo nodes, unmodified, under its own kind of partition: a table of verdicts.

    python benchmarks/maelstrom_demos.py --maelstrom FOLDER [--seeds 3] [--kept FILE] [--docs docs]

`--maelstrom` is a copy of Maelstrom's repository. Each demo is run with its workload, with and
without cuts in halves, once for each seed. A demo whose language is not installed, or that is not
built, is left out, and that is said. What Maelstrom's guide says of each stands beside it, in our
words. All of it takes the better part of an hour: verdicts go to `--kept` as they come, and what is
there is not run again.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import documents

TIME_LIMIT_S = 10
CUTS = ("none", "partition")
LANGUAGES = {".py": "python3", ".rb": "ruby", ".js": "node"}
# What Java's scripts start.
JAR = "target/lab-1.0-SNAPSHOT-jar-with-dependencies.jar"


@dataclass(frozen=True, slots=True)
class Demo:
    """A node: its file below `demo/`, its workload, and what the guide says of it."""

    file: str
    workload: str
    guide: str = "nothing"
    rate: int = 20


DEMOS = (
    Demo("python/echo.py", "echo"),
    Demo("ruby/echo.rb", "echo", "good (chapter 2)"),
    Demo("js/echo.js", "echo"),
    Demo("python/broadcast.py", "broadcast"),
    Demo("ruby/broadcast.rb", "broadcast", "without retries, partitions lose messages (chapter 3)"),
    Demo("js/gossip.js", "broadcast"),
    Demo("ruby/g_set.rb", "g-set", "good, under partitions too (chapter 4)"),
    Demo("js/crdt_gset.js", "g-set"),
    Demo("ruby/pn_counter.rb", "pn-counter", "good, under partitions too (chapter 4)"),
    Demo("js/crdt_pn_counter.js", "pn-counter"),
    Demo("ruby/lin_kv_proxy.rb", "lin-kv", "an example for services; no verdict"),
    Demo("ruby/raft.rb", "lin-kv", "linearizable, mostly: an error is left in it (chapter 6)"),
    Demo("python/raft.py", "lin-kv", "nothing; its Raft is the one in Ruby"),
    Demo("ruby/datomic_list_append.rb", "txn-list-append", "strict serializable (chapter 5)"),
    Demo("js/single_key_txn.js", "txn-list-append"),
    Demo("js/multi_key_txn.js", "txn-list-append"),
    Demo("rust/target/release/echo", "echo"),
    Demo("rust/target/release/broadcast", "broadcast"),
    Demo("rust/target/release/g_set", "g-set"),
    Demo("rust/target/release/lin_kv", "lin-kv"),
    Demo("java/broadcast", "broadcast"),
    Demo("java/g-set", "g-set"),
    Demo("java/g-counter", "g-counter"),
    Demo("java/txn-list-append", "txn-list-append"),
)


def main() -> int:
    asked = _asked()
    folder = asked.maelstrom.absolute()
    lines = list(_lines(folder, range(1, asked.seeds + 1), Kept(asked.kept)))
    text = _text(lines, _commit(folder), asked.seeds)
    print(text)
    if asked.docs:
        documents.put("demos", text, asked.docs, "maelstrom.md")
    return 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--maelstrom", type=Path, required=True, help="its repository")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each")
    parser.add_argument("--kept", type=Path, help="a file for the verdicts that are known")
    parser.add_argument("--docs", type=Path, help="put the table into this folder's maelstrom.md")
    return parser.parse_args()


class Kept:
    """Verdicts that are known, in a file that grows with each."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        lines = path.read_text().splitlines() if path and path.exists() else ()
        self._known: dict[tuple[object, ...], str] = {
            tuple(key): verdict for key, verdict in map(json.loads, lines)
        }

    def verdict(self, demo: Demo, node: Path, cuts: str, seed: int) -> str:
        key = (demo.file, demo.workload, cuts, seed)
        if key not in self._known:
            self._known[key] = found = _verdict(demo, node, cuts, seed)
            if self._path:
                with self._path.open("a") as file:
                    print(json.dumps([key, found]), file=file)
        return self._known[key]


def _lines(folder: Path, seeds: Sequence[int], kept: Kept) -> Iterator[Sequence[str]]:
    for demo in DEMOS:
        node = folder / "demo" / demo.file
        if why := _missing(node):
            print(f"{demo.file} is left out: {why}", file=sys.stderr)
            continue
        found = [_verdicts(demo, node, cuts, seeds, kept) for cuts in CUTS]
        yield f"`{demo.file}`", f"`{demo.workload}`", *found, demo.guide


def _missing(node: Path) -> str | None:
    language = LANGUAGES.get(node.suffix)
    if language and not shutil.which(language):
        return f"there is no {language}"
    needs = node.parent / JAR if node.parent.name == "java" else node
    return None if needs.exists() else "it is not built"


def _verdicts(demo: Demo, node: Path, cuts: str, seeds: Sequence[int], kept: Kept) -> str:
    """Run a demo once for each seed; say how often each verdict came out."""
    found = Counter(kept.verdict(demo, node, cuts, seed) for seed in seeds)
    said = [f"{name} {count} of {len(seeds)}" for name, count in sorted(found.items())]
    print(f"{demo.file} {demo.workload} {cuts}: {', '.join(said)}", file=sys.stderr)
    return ", ".join(said)


def _verdict(demo: Demo, node: Path, cuts: str, seed: int) -> str:
    with tempfile.TemporaryDirectory() as runs:
        command = [
            sys.executable, "-m", "partita", "test", "maelstrom", "--bin", str(node),
            "-w", demo.workload, "--nemesis", cuts, "--nemesis-interval", "3",
            "--rate", str(demo.rate), "--time-limit", str(TIME_LIMIT_S), "--seed", str(seed),
            "--runs-dir", runs, "--json",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1, 2):
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    outcome = json.loads(done.stdout)
    if done.returncode:
        print(f"  seed {seed}: {_why(outcome)}", file=sys.stderr)
    return ("valid", "invalid", "unknown")[done.returncode]


def _why(outcome: dict[str, object]) -> str:
    verdict = outcome.get("verdict")
    said = verdict if isinstance(verdict, dict) else outcome
    return str(said.get("explanation") or said.get("reason") or outcome.get("doubts"))


def _commit(folder: Path) -> str:
    command = ["git", "-C", str(folder), "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _text(lines: Sequence[Sequence[str]], commit: str, seeds: int) -> str:
    header = ("demo", "workload", "without faults", "cut in halves", "Maelstrom's guide says")
    rows = [header, ("---",) * len(header), *lines]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    head = f"Maelstrom at commit {commit}; five nodes, {seeds} runs of {TIME_LIMIT_S} s each."
    return f"{head}\n\n{table}"


if __name__ == "__main__":
    sys.exit(main())
