"""A store that never syncs does not survive a power cut, whichever disk it has."""

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
    ("bug", "disk", "expected"),
    [("", "lossy", 0), ("no-fsync", "ext4", 1), ("no-fsync", "lossy", 1)],
)
def test_a_power_cut_finds_what_was_never_synced(
    tmp_path: Path, bug: str, disk: str, expected: int
) -> None:
    """That a kill does not find it is tested beside the disks (test_disk_faults.py)."""
    more = ["--disk", disk, *(["--bug", bug] if bug else [])]
    code, results = verdict(tmp_path, "2.5s power-cut all; 3.5s heal", *more)
    assert code == expected, results["reason"]
    assert results["valid"] is (expected == 0)
