"""What a user without root gets: root in a namespace only, and a network of one's own.

What works there is shown by doing it. What does not is refused in a sentence.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from partita.harness.nodes import local
from partita.nemesis import faults

pytestmark = pytest.mark.cluster

NEEDS_A_DEVICE = {"disk-full", "slow-disk"}
CUT = """
import sys
from partita.harness.nodes import local
from partita.harness.nodes.cluster import local_nodes
from partita.nemesis.faults.partition import CHAIN
from partita.nemesis.grudges import split
from partita.nemesis.network import reachable
with local.cluster_of(3, sys.argv[1]) as cluster:
    nodes = local_nodes(cluster)
    CHAIN.stand(nodes, split(["n1", "n2", "n3"], ["n1"]))
    print(sorted(reachable(nodes)))
"""
# Each by means of its own: iptables, NFQUEUE, signals, the vDSO, traced calls, FUSE.
STRUCK = ("loss all percent=40", "delay all ms=40", "pause one", "clock-skew one s=5",
          "slow-fsync all", "power-cut one")  # fmt: skip


def inside(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a user namespace, as `partita` does for a user without root."""
    state = Path(f"/var/tmp/partita-pytest-{os.getpid()}")
    script = 'echo ready; read go; ip link set lo up && exec "$@"'
    command = ["unshare", "--user", "--net", "--mount", "sh", "-c", script, "inside"]
    process = subprocess.Popen(
        [*command, sys.executable, *arguments],
        env=os.environ | {local.INSIDE: "1", local.STATE: str(state)},
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    for table in ("uid_map", "gid_map"):  # what newuidmap does for a user who has a range
        Path(f"/proc/{process.pid}/{table}").write_text("0 0 65536")
    out, err = process.communicate("go\n", timeout=120)
    assert not state.exists()
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def test_nodes_can_be_cut_apart(tmp_path: Path) -> None:
    done = inside(tmp_path, "-c", CUT, "pytest-inside")
    assert done.stdout == "[('n2', 'n3'), ('n3', 'n2')]\n", done.stderr


def test_each_fault_can_be_had_or_says_why_not(tmp_path: Path) -> None:
    done = inside(tmp_path, "-m", "partita", "list", "faults", "--here", "--json")
    here = {row["name"]: row["here"] for row in json.loads(done.stdout)}
    assert list(here) == faults.names()
    assert {
        name for name, said in here.items() if not said.startswith("yes, by ")
    } == NEEDS_A_DEVICE
    for name in NEEDS_A_DEVICE:
        assert here[name].startswith("not available here: ")
        assert "no disk of its own can be mounted" in here[name]


def test_faults_of_all_kinds_bite(tmp_path: Path) -> None:
    steps = [f"{at}s {fault}; {at + 1}s heal" for at, fault in enumerate(STRUCK, 1)]
    more = ("--rate", "60", "--time-limit", str(len(STRUCK) + 6), "--json")
    command = ("-m", "partita", "test", "raft", "--local", "3", *more, "--schedule")
    done = inside(tmp_path, *command, "; ".join(steps), "--disk", "lossy")
    assert done.returncode == 0, done.stdout + done.stderr
    bit = {fault["action"]: fault["bit"] for fault in json.loads(done.stdout)["faults"]}
    assert bit == {each.split()[0]: True for each in STRUCK}
    refused = inside(tmp_path, *command, "1s disk-full all; 2s heal")
    assert refused.returncode == 254
    assert "no disk of its own can be mounted" in refused.stderr
