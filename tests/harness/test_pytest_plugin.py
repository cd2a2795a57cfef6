"""The fixture for a team's own tests, used as a team would: in pytest, on a store."""

import subprocess
import sys
from pathlib import Path

import pytest

STORES = Path(__file__).parents[1] / "stores.py"
OPTIONS = "local=3, time_limit=4, rate=60, keys=2"

SUITE = f'''
def test_good(partita):
    results = partita("{STORES}:Good", {OPTIONS}, min_ok=["write=5", "20"])
    assert results["valid"] is True

def test_stale(partita):
    partita("{STORES}:Stale", {OPTIONS})

def test_looked_at(partita):
    assert partita("{STORES}:Stale", check=False, {OPTIONS})["valid"] is False

def test_flags(partita):
    partita("nowhere.py:Store", strict_host_key_checking=False, leave_running=False)

def test_broken(partita):
    partita("nowhere.py:Store")
'''


def outcome_of(suite: Path, folder: Path) -> str:
    """Run pytest on a suite, with nothing of ours but the plugin; return what it printed."""
    alone = ["--rootdir", str(folder), "-p", "no:cacheprovider", "-c", "/dev/null"]
    command = [sys.executable, "-m", "pytest", "-q", *alone, str(suite)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


@pytest.mark.cluster
def test_a_teams_own_suite(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "checker.py").write_text("raise ImportError('this is the team's own checker')")
    said = outcome_of(tmp_path, tmp_path)
    assert "3 failed, 2 passed" in said
    assert "nowhere.py:Store --json --no-strict-host-key-checking ended" in said
    assert "read" in said.split("test_stale")[1]
    assert "report.html" in said
    assert "HarnessFailure" in said
    assert "no file nowhere.py" in said
    assert len(list((tmp_path / "runs").glob("*/*/results.json"))) == 3


@pytest.mark.cluster
def test_the_example_passes(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples/ci/test_store.py"
    assert "2 passed" in outcome_of(example, tmp_path)
