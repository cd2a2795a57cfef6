"""A store that never syncs survives a crash of its processes, and not a power cut."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]


def verdict(folder: Path, schedule: str, *more: str) -> tuple[int, dict[str, object]]:
    """Run raft on three nodes with a schedule: the exit code, and what stands in results.json."""
    load = ["--rate", "100", "--keys", "30", "--time-limit", "5"]
    command = [sys.executable, "-m", "partita", "test", "raft", "--local", "3", *load]
    done = subprocess.run(
        [*command, "--schedule", schedule, "--runs-dir", str(folder), *more], capture_output=True
    )
    (found,) = folder.glob("*/*/results.json")
    return done.returncode, json.loads(found.read_text())


@pytest.mark.parametrize(
    ("fault", "bug", "expected"),
    [("power-cut", "", 0), ("kill", "no-fsync", 0), ("power-cut", "no-fsync", 1)],
)
def test_only_a_power_cut_finds_what_was_never_synced(
    tmp_path: Path, fault: str, bug: str, expected: int
) -> None:
    more = ["--bug", bug] if bug else []
    code, results = verdict(tmp_path, f"2.5s {fault} all; 3.5s heal", *more)
    assert code == expected, results["reason"]
    assert results["valid"] is (expected == 0)
