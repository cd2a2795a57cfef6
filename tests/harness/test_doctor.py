"""`partita doctor` names what is missing and the fix; `partita heal` undoes a cut."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.nodes import doctor, local
from partita.harness.nodes.cluster import Node
from partita.nemesis import faults
from partita.nemesis.faults.partition import CHAIN
from partita.nemesis.grudges import split
from partita.nemesis.network import reachable


@pytest.mark.cluster
def test_this_machine_is_well(partita: Partita) -> None:
    done = partita("doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FIX" not in done.stdout
    assert "iptables: works in a namespace" in done.stdout
    lines = done.stdout.splitlines()
    assert "ok   this machine  fault partition: yes, by drops of iptables" in lines
    assert [line.split(":")[0].split("fault ")[1] for line in lines if "  fault " in line] == (
        faults.names()
    )


@pytest.mark.cluster
@pytest.mark.parametrize(("tool", "package"), [("iptables", "iptables"), ("ip", "iproute2")])
def test_a_machine_that_lacks_a_tool_is_told_what_to_do(tool: str, package: str) -> None:
    """In a mount namespace where the tool is a file that nobody can run."""
    hide = 'mount --bind /dev/null "$(readlink -f "$(command -v "$1")")" && shift && exec "$@"'
    enter = ["unshare", "--mount", "sh", "-c", hide, "hide", tool]
    done = subprocess.run(
        [*enter, sys.executable, "-m", "partita", "doctor"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (254, "")
    assert f"packages: missing: {package}\n" in done.stdout
    assert f"apt-get install {package}\n" in done.stdout
    assert "faults: not tried: missing on this machine" in done.stdout


@pytest.mark.cluster
def test_a_fault_that_cannot_be_had_is_said_in_one_line(partita: Partita) -> None:
    """In a mount namespace in which no file system can be made, and so no disk with a size."""
    hide = 'mount --bind /dev/null "$(readlink -f "$(command -v mkfs.ext4)")" && exec "$@"'
    enter = ["unshare", "--mount", "sh", "-c", hide, "hide"]
    command = [*enter, sys.executable, "-m", "partita", "doctor"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr  # other runs can be made
    assert (
        "no   this machine  fault disk-full: not available here: --disk ext4: mkfs.ext4 is missing"
        in done.stdout
    )
    assert "no   this machine  disk ext4: not available here: mkfs.ext4 is missing" in done.stdout
    assert "fault kill: yes, by signals to the store's process" in done.stdout


@pytest.mark.cluster
def test_the_list_of_faults_says_it_too(partita: Partita) -> None:
    done = partita("list", "faults", "--here", "--json")
    rows = {row["name"]: row["here"] for row in json.loads(done.stdout)}
    assert list(rows) == faults.names()
    assert rows["partition"] == "yes, by drops of iptables"
    assert partita("list", "systems", "--here").returncode == 254


def test_too_little_room_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "DISK_MIN_MB", 10**9)
    findings = doctor.examine_here(tmp_path / "not" / "yet" / "there")
    fixes = {finding.what: finding.fix for finding in findings}
    assert fixes["disk for runs"] == "make room: 1000000000 MB are needed"


def named(cluster: local.LocalCluster, count: int = 2) -> list[str]:
    addresses = ",".join(node.address for node in cluster.nodes[:count])
    key = str(cluster.folder / "id")
    return ["--nodes", addresses, "--ssh-private-key", key, "--no-strict-host-key-checking"]


def test_nodes_are_examined_over_ssh(partita: Partita, cluster: local.LocalCluster) -> None:
    done = partita("doctor", *named(cluster), "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, findings
    of_faults = [each for each in findings if each["what"].startswith(("fault ", "disk "))]
    findings = [finding for finding in findings if finding not in of_faults]
    struck = [name for name in faults.names() if faults.kind_of(name).traits.strikes != "clients"]
    tried = [*(f"fault {name}" for name in struck), "disk ext4", "disk lossy"]
    assert [each["what"] for each in of_faults] == tried * 2
    assert len(findings) == 10
    assert {finding["what"] for finding in findings} == {
        "root",
        "tools",
        "iptables",
        "clock",
        "disk",
    }


def test_a_cut_that_was_left_is_found_and_healed(
    partita: Partita, cluster: local.LocalCluster, nodes: list[Node]
) -> None:
    CHAIN.stand(nodes, split([node.name for node in nodes], ["n1"]))
    try:
        found = partita("doctor", *named(cluster))
        assert found.returncode == 254
        assert f"partita heal --node {nodes[0].address}" in found.stdout
        healed = partita("heal", *named(cluster))
        assert healed.returncode == 0
        assert healed.stdout == "".join(f"{node.address}: healed\n" for node in nodes[:2])
        assert partita("doctor", *named(cluster)).returncode == 0
        assert ("n1", "n2") in reachable(nodes[:2])
    finally:
        CHAIN.fall(nodes)


def test_heal_wants_to_know_whom(partita: Partita) -> None:
    done = partita("heal")
    assert done.returncode == 254
    assert "name the nodes" in done.stderr


def test_a_clock_that_is_off_is_said(nodes: list[Node], monkeypatch: pytest.MonkeyPatch) -> None:
    now = doctor.time.time
    monkeypatch.setattr(doctor.time, "time", lambda: now() - 5)
    with pytest.raises(doctor.Ailment, match=r"5\.\d s off"):
        doctor._clock_there(nodes[0])
    assert os.geteuid() == 0
