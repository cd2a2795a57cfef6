"""The benchmark of all models and checks: each violation is found, and told in a sentence or two.

At 10^5 operations, as it is meant: PARTITA_PLANTED=100000.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from partita.checker import History, check, load_model

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.insert(1, str(BENCHMARKS))

from kinds import KINDS  # noqa: E402
from planting import drop_an_element, plant, read_one_too_many, swap_two_dequeues  # noqa: E402
from simulated import events  # noqa: E402

OPERATIONS = int(os.environ.get("PARTITA_PLANTED", 5_000))
PLANTED = [
    ("fifo-queue", swap_two_dequeues),
    ("set", drop_an_element),
    ("append", drop_an_element),
    ("counter", read_one_too_many),
]


@pytest.mark.parametrize("crash", [0, 0.02])
@pytest.mark.parametrize(("kind", "planted"), PLANTED, ids=[kind for kind, _ in PLANTED])
def test_a_violation_is_found_and_told_in_two_sentences(
    kind: str, planted: Callable[[list[dict[str, Any]]], None], crash: float
) -> None:
    found = list(events(kind, OPERATIONS, 10, crash, 1))
    model = load_model(str(KINDS[kind].model))
    assert check(History.of_events(found), model).valid is True
    planted(found)
    verdict = check(History.of_events(found), model)
    assert verdict.valid is False
    assert verdict.counterexample is not None
    explanation = verdict.counterexample.explanation
    assert 1 <= len(re.findall(r"[.!?](?= [A-Z]|$)", explanation)) <= 2, explanation
    assert len(verdict.counterexample.operations) <= 5
    assert len(explanation) < 700


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "objects.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def program(path: Path, said: str) -> str:
    path.write_text(f"#!{sys.executable}\nprint({said!r})")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("kind", [kind for kind, each in KINDS.items() if each.model])
def test_the_verdicts_of_what_is_simulated_are_known(kind: str) -> None:
    known = KINDS[kind]
    initial = json.loads(known.check[3]) if len(known.check) > 2 else None
    found = list(events(kind, 400, 4, 0.02, 1))
    for expected in (True, False):
        history = History.of_events(found)
        verdict = check(history, str(known.model), initial=initial, time_limit=1)
        assert verdict.valid in (expected, "unknown") if known.hard else verdict.valid is expected
        plant(kind, found)


def test_tables_and_pictures_are_written(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    page = docs / "benchmarks.md"
    page.write_text("before\n<!-- objects: begin -->\nold\n<!-- objects: end -->\nafter\n")
    results = tmp_path / "results.jsonl"
    peer = program(tmp_path / "peer", '{"valid": true, "seconds": 1000}')
    kept = ["--results", str(results), "--docs", str(docs)]
    kinds = ["fifo-queue", "sessions", "delivery", "counter-mixed", "convergence-set", "streams"]
    kinds += ["convergence-counter", "uniqueness", "echo"]
    asked = [
        "--lengths",
        "400",
        "--crashes",
        "0.02",
        "--porcupine",
        peer,
        "--repeat",
        "1",
        "--time-limit",
        "2",
    ]
    asked += ["--kinds", *kinds]
    done = run(*asked, *kept)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in results.read_text().splitlines()][1:]
    ours = [row for row in rows if row["tool"] == "partita"]
    assert {row["kind"] for row in ours} == set(kinds)
    assert [row for row in ours if row["valid"] not in ("unknown", row["expect"])] == []
    easy = [row for row in ours if not KINDS[row["kind"]].hard]
    assert [row for row in easy if row["valid"] == "unknown"] == []
    text = page.read_text()
    assert text.startswith("before\n<!-- objects: begin -->\n\nMeasured on")
    assert "old" not in text and "**wrong**: True, 1e+03 s" in text
    assert "| fifo-queue | 400 | Porcupine | - | - | 1e+03 s" in text
    for name in ("objects.png", "objects-memory.png"):
        assert (docs / name).stat().st_size > 10_000


def test_a_wrong_verdict_of_ours_is_loud(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    shape = {"part": "objects", "kind": "kv", "operations": 10, "crash": 0, "expect": False}
    row = shape | {"tool": "partita", "valid": True, "seconds": 0.1, "peak_mb": 9}
    results.write_text(json.dumps(row) + "\n")
    done = run("--only-write", "--results", str(results))
    assert done.returncode == 1
    assert done.stderr.startswith("WRONG")
