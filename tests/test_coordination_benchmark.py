"""The benchmark of coordination: its histories' verdicts are known, and the table has them all."""

import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

from partita.checker import History
from partita.checker.checks import Check
from partita.checker.holders.holders import Holders
from partita.checker.leases.leases import Leases
from partita.checker.watches.watches import Watches

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(1, str(BENCHMARKS))

from coordinated import KINDS, Shape, write  # noqa: E402

CHECKS = {"locks": Holders, "elections": Holders, "leases": Leases}
RULES = {"locks": "exclusive", "elections": "exclusive", "leases": "early", "streams": "gap",
         "one-shot watches": "after", "queries": "ordered"}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_verdicts_are_known(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "history.jsonl"
    check: Check = CHECKS.get(kind, Watches)()
    for seed, planted in product(range(1, 7), (False, True)):
        write(Shape(kind, 2_000, planted, seed), file)
        history = History.read(file)
        assert 1_500 < history.events < 3_500
        found = check.judge(history, check.levels)
        assert found.levels[check.levels[0]] is not planted, (seed, found)
        assert set(found.figures["violations"]) == ({RULES[kind]} if planted else set())


def test_a_table_of_all(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- coordination: begin -->\nold\n<!-- coordination: end -->\n")
    command = [sys.executable, str(BENCHMARKS / "coordination.py"), "--lengths", "1000"]
    command += ["--kinds", "locks", "queries", "--docs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ")]
    assert [row[4] for row in rows[2:]] == ["valid", "invalid"] * 2
    assert "old" not in page.read_text()


def test_watches_beside_a_real_etcd(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("<!-- watchers: begin -->\nold\n<!-- watchers: end -->\n")
    command = [sys.executable, str(BENCHMARKS / "watchers.py"), "--watchers", "5"]
    command += ["--rate", "20", "--seconds", "1", "--docs", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    row = page.read_text().splitlines()[6].split(" | ")
    assert row[0] == "| 5" and row[3] == "0"  # nothing was missed
