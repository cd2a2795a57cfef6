"""The local cluster: real namespaces, and nothing left behind however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from partita.harness.nodes import local, namespaces, processes, user_namespace
from partita.harness.nodes.cluster import Node, on_all
from partita.harness.nodes.ssh import Remote

pytestmark = pytest.mark.cluster


def leftovers(name: str) -> list[str]:
    """Everything on this machine that bears the cluster's mark."""
    folder = local.state_root() / name
    found = [str(process) for process in processes.marked(str(folder))]
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    found += [line for line in listed.stdout.splitlines() if f"{folder}/" in line]
    return found + ([str(folder)] if folder.exists() else [])


def interface(subnet: int) -> Path:
    return Path(f"/sys/class/net/partita{subnet}")


def test_nodes_are_hosts_of_their_own(nodes: list[Node]) -> None:
    assert [node.run(["hostname"]).stdout.strip() for node in nodes] == [n.name for n in nodes]
    processes = nodes[0].run(["ps", "-e", "-o", "comm"]).stdout.split()
    # A dead-man's switch that another test has just disarmed may still be asleep.
    assert set(processes) <= {"COMMAND", "sshd", "ps", "sh", "sleep"}
    nodes[0].write("/srv/partita/hello", "only here")
    assert nodes[1].run(["cat", "/srv/partita/hello"], check=False).status != 0
    nodes[0].run(["touch", "/tmp/mine"])
    assert "mine" not in nodes[1].run(["ls", "/tmp"]).stdout.split()
    nodes[0].run(["rm", "/tmp/mine"])


def test_nodes_reach_each_other_by_name_and_in_both_families(nodes: list[Node]) -> None:
    for address in ("n3", *nodes[2].addresses):
        nodes[0].run(["bash", "-c", 'exec 3<>"/dev/tcp/$0/22"', address], timeout_s=5)


def test_five_nodes_are_up_in_under_five_seconds_beside_another_cluster(
    cluster: local.LocalCluster,
) -> None:
    began = time.monotonic()
    with local.cluster_of(5, "pytest-second") as second:
        assert time.monotonic() - began < 5
        assert second.subnet != cluster.subnet
        assert {each.name for each in local.clusters()} >= {cluster.name, second.name}
        assert second.status() == "up"
        remote = Remote("n1", second.nodes[0].address, second.login)
        assert remote.run(["hostname"]).stdout == "n1\n"
        remote.close()
        assert interface(second.subnet).exists()
    assert leftovers("pytest-second") == []
    assert not interface(second.subnet).exists()


def test_a_name_that_is_taken_is_refused(cluster: local.LocalCluster) -> None:
    with pytest.raises(local.LocalError, match="already there"):
        local.up(1, cluster.name)
    assert cluster.status() == "up"


def test_a_cluster_without_nodes_is_not_up(tmp_path: Path) -> None:
    assert local.LocalCluster("half", tmp_path, -1, None).status() == "incomplete"


def test_what_is_left_half_made_is_listed_and_taken_down() -> None:
    folder = local.state_root() / "pytest-half"
    folder.mkdir(parents=True)
    (folder / "cluster.json").write_text("")
    with pytest.raises(local.LocalError, match="already there"):
        local.up(1, "pytest-half")
    assert "pytest-half" in {each.name for each in local.clusters()}
    local.down("pytest-half")
    assert not folder.exists()


def test_an_interface_that_has_gone_to_another_cluster_stays() -> None:
    """Its name is free once the processes of the first cluster have ended."""
    with local.cluster_of(1, "pytest-ended") as ended:
        name = interface(ended.subnet)
        os.kill(ended.holders[0].pid, signal.SIGKILL)
        while name.exists():
            time.sleep(0.01)
        subprocess.run(["ip", "link", "add", name.name, "type", "veth"], check=True)
    try:
        assert name.exists()
    finally:
        subprocess.run(["ip", "link", "del", name.name], check=False)


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    with pytest.raises(local.LocalError, match="letters"):
        local.up(1, "../../etc")


def test_a_failure_on_the_way_up_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "NODE", 'echo "no such luck" >&2; exit 1')
    with pytest.raises(local.LocalError, match="no such luck"):
        local.up(2, "pytest-broken")
    assert leftovers("pytest-broken") == []


HOLD = """
import os, sys, time
from partita.harness.nodes import local, namespaces, processes, user_namespace
with local.cluster_of(3, sys.argv[1]) as cluster:
    print(cluster.subnet, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_however_the_controller_ends_nothing_stays(ending: signal.Signals) -> None:
    name = f"pytest-{ending.name.lower()}"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert holder.stdout is not None
    subnet = int(holder.stdout.readline())
    assert interface(subnet).exists()
    holder.send_signal(ending)
    holder.wait(20)
    if ending == signal.SIGKILL:
        orphan = local.find(name)
        assert orphan is not None
        assert (orphan.status(), orphan.owned()) == ("up", False)
        local.down(name)
    assert leftovers(name) == []
    assert not interface(subnet).exists()


def test_the_machines_firewall_is_not_touched(nodes: list[Node]) -> None:
    rules = subprocess.run(["iptables", "-S"], capture_output=True, text=True, check=True).stdout
    assert "PARTITA" not in rules


def test_a_daemon_is_started_once_and_stopped(nodes: list[Node]) -> None:
    node = nodes[3]
    for _ in range(2):
        node.start_daemon("nap", ["sh", "-c", "echo $WORD; sleep 100"], environment={"WORD": "hi"})
    assert node.daemon_runs("nap")
    assert node.tail("/srv/partita/nap/output.log") == "hi"
    assert node.signal_daemon("nap", "STOP")
    node.stop_daemon("nap")
    assert not node.daemon_runs("nap")
    node.wipe("nap")
    node.stop_daemon("nap")


def test_something_done_on_all_nodes_comes_back_in_order(nodes: list[Node]) -> None:
    assert on_all(nodes, lambda node: node.name) == [node.name for node in nodes]


def test_what_is_missing_on_the_machine_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_tool", lambda name: None if name in ("iptables", "sshd") else "/")
    with pytest.raises(local.LocalError, match="apt-get install iptables openssh-server"):
        local.up(1, "pytest-missing")


def test_without_root_and_user_namespaces_the_way_out_is_said() -> None:
    with pytest.raises(local.LocalError, match=r"needs root, or user namespaces.*nope.*uidmap"):
        user_namespace.require(["sh", "-c", "echo nope >&2; exit 1"])


@pytest.mark.parametrize("folder", ["/tmp/clusters", "/run/clusters", "/srv"])
def test_a_folder_that_nodes_could_not_see_is_refused(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(local.STATE, folder)
    monkeypatch.setattr(local.os, "geteuid", lambda: 0)
    with pytest.raises(local.LocalError, match=r"nodes have a .* of their own: give PARTITA_STATE"):
        local.up(1, "hidden")
