"""A run whose node's machine is lost: it is checked and reported, and says what it lost."""

import json
import os
import re
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.nodes import local


@pytest.fixture
def rented() -> Iterator[local.LocalCluster]:
    """Three nodes that are reached as rented machines are."""
    with local.cluster_of(3, f"pytest-rented-{os.getpid()}") as cluster:
        yield cluster


@pytest.mark.cluster
@pytest.mark.slow
def test_a_run_that_lost_a_machine_has_results(
    partita: Partita, rented: local.LocalCluster, tmp_path: Path
) -> None:
    victim = rented.nodes[1]
    loss = threading.Timer(12, os.kill, [victim.init.pid, signal.SIGKILL])
    loss.start()
    done = partita(
        *("test", "raft", "--nodes", ",".join(node.address for node in rented.nodes)),
        *("--ssh-private-key", str(rented.folder / "id"), "--no-strict-host-key-checking"),
        *("--schedule", f"3s partition {rented.nodes[0].address}; 16s heal"),
        *("--time-limit", "20", "--rate", "20", "--seed", "7", "--json"),
        timeout=150,
    )
    loss.join()
    assert done.returncode == 2, done.stderr
    results = json.loads(done.stdout)
    assert results["valid"] == "unknown"
    lost = rf"{re.escape(victim.address)} was lost between [\d.]+ and [\d.]+ s"
    assert re.search(lost, results["reason"]), results["reason"]
    assert "PATH=" not in done.stdout + done.stderr, "no script is told as a reason"
    (fault,) = results["faults"]
    assert fault["bit"] is True
    assert fault["to"] < 16 + 3
    assert results["final_reads"]["ok"] > 0
    assert (tmp_path / "runs/latest/report.html").exists()
