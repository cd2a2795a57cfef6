"""The benchmark of the checker: its histories' verdicts are known, and a wrong one is loud."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from partita.checker import ENGINES, History, check

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(1, str(BENCHMARKS))

from synthetic import Shape, write  # noqa: E402

_SHAPES = list(product([1, 4, 10], [0, 0.05, 0.3], ["small", "unique"], [1, 2]))
_VIOLATIONS = ("none", "stale", "lost", "phantom")


@pytest.mark.parametrize(("processes", "crash", "domain", "seed"), _SHAPES)
def test_verdicts_are_known(
    tmp_path: Path, processes: int, crash: float, domain: Any, seed: int
) -> None:
    for violation in _VIOLATIONS:
        path = tmp_path / "history.jsonl"
        write(Shape(300, processes, crash, domain, violation, seed), path)  # type: ignore[arg-type]
        history = History.read(path)
        assert len(history) == 300
        for engine in ("chain", "search") if domain == "unique" else ("search",):
            assert engine in ENGINES
            assert check(history, engine=engine).valid is (violation == "none")


@pytest.mark.parametrize("violation", ["none", "lost"])
def test_many_crashed_operations_do_not_stop_the_search(tmp_path: Path, violation: Any) -> None:
    """They are looked at about as often as others, not in each combination."""
    path = tmp_path / "history.jsonl"
    write(Shape(30_000, 10, 0.1, "small", violation, 1), path)
    verdict = check(History.read(path), engine="search", time_limit=60)
    assert verdict.valid is (violation == "none")
    assert verdict.details["configurations"] < 200_000


def test_the_same_shape_is_the_same_history(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for path in (one, two):
        write(Shape(300, 5, 0.1, "small", "stale", 7), path)
    assert one.read_bytes() == two.read_bytes()
    write(Shape(300, 5, 0.1, "small", "stale", 8), two)
    assert one.read_bytes() != two.read_bytes()


def test_too_few_operations_for_the_scene(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too few operations"):
        write(Shape(5, 5, 0, "small", "stale", 1), tmp_path / "history.jsonl")


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "checker.py"), "--repeat", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def program(path: Path, body: str) -> str:
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(0o755)
    return str(path)


def test_tables_beside_another_checker(tmp_path: Path) -> None:
    other = program(tmp_path / "other", 'print(\'{"valid": true, "seconds": 1000}\')')
    glutton = program(tmp_path / "glutton", "import time; x = b'x' * 300_000_000; time.sleep(60)")
    grid = ["--lengths", "300", "--processes", "3", "--crashes", "0.1", "--violations", "none,lost"]
    peers = ["--porcupine", other, "--knossos", glutton, "--knossos-rows", "1"]
    done = run(*grid, *peers, "--scaling", "1000", "--memory-limit", "250")
    assert done.returncode == 0, done.stderr
    assert "| partita, on all | 4 of 4 | 4 of 4 | 0 |" in done.stdout
    assert "| Porcupine, on what Porcupine got | 4 of 4 | 4 of 4 | 2 |" in done.stdout
    assert "| Knossos, on what Knossos got | 0 of 1 | 0 of 1 | 0 |" in done.stdout
    assert "**unknown** (memory limit reached)" in done.stdout
    assert "**wrong**: True" in done.stdout


def test_a_wrong_verdict_is_loud_and_documents_are_written(tmp_path: Path) -> None:
    history = tmp_path / "a.jsonl"
    write(Shape(300, 3, 0.1, "small", "none", 1), history)
    meta = {"n": 300, "c": 3, "p": 0.1, "d": "small", "violation": "none", "s": 1, "expect": False}
    Path(f"{history}.meta.json").write_text(json.dumps(meta))
    docs = tmp_path / "docs"
    docs.mkdir()
    page = docs / "benchmarks.md"
    page.write_text("before\n<!-- checker: begin -->\nold\n<!-- checker: end -->\nafter\n")
    results = tmp_path / "results.jsonl"
    kept = ["--results", str(results), "--docs", str(docs)]
    done = run("--folder", str(tmp_path), "--scaling", "1000", *kept)
    assert done.returncode == 1
    assert done.stderr.count("WRONG") == 1
    assert page.read_text().startswith("before\n<!-- checker: begin -->\n\nMeasured on")
    assert page.read_text().endswith("<!-- checker: end -->\nafter\n")
    assert "old" not in page.read_text()
    for name in ("checker.png", "checker-scaling.png"):
        assert (docs / name).stat().st_size > 10_000
        (docs / name).unlink()
    assert run("--only-write", *kept).returncode == 1
    assert (docs / "checker.png").exists()
