"""A lease by the wall clock is right for as long as that is, and no longer."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
from test_raft_store import Cluster, others

from partita.nemesis import programs
from partita.nemesis.clocks import PROGRAM
from partita.workloads.client import Definite

PROGRAM_HERE = programs.HERE / PROGRAM


@pytest.mark.cluster
@pytest.mark.parametrize("slow", [False, True])
def test_a_leader_that_nobody_hears_answers_while_its_clock_stands_still(
    tmp_path: Path, slow: bool
) -> None:
    if lack := subprocess.run([PROGRAM_HERE, "try"], capture_output=True, text=True).stderr:
        pytest.skip(lack)
    with Cluster(tmp_path, 3, "--bug", "lease-by-wall-clock", "--election-timeout", "1") as cluster:
        leader = cluster.leader()
        client = cluster.client(leader, 3.0)
        client.write("x", "1")
        if slow:
            pid = str(cluster.processes[leader].pid)
            subprocess.run([PROGRAM_HERE, "set", "--pid", pid, "--factor", "0.01"], check=True)
            client.write("x", "1")  # heard by the clock that it has now
        cluster.signal(signal.SIGSTOP, *others(cluster, leader))
        time.sleep(1.5)
        if slow:
            assert client.read("x").value == "1"
        else:
            with pytest.raises(Definite):
                client.read("x")
