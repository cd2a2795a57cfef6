"""A disk that carries out few requests in a second, for a store that writes all the time."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sleepers import driven
from writers import Writers

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_nodes
from partita.nemesis import disks, faults, switch
from partita.nemesis.disks.ext4 import Ext4
from partita.nemesis.hosts import GROUPS

pytestmark = pytest.mark.cluster
DATA = "/srv/partita/writer/data"


@pytest.fixture
def writers(nodes: list[Node]) -> Iterator[Writers]:
    """The first of the cluster's nodes with a store that writes on a disk of its own."""
    node, system = nodes[0], Writers()
    if lack := Ext4().lacks(node) or faults.make("slow-disk", {}).lacks(node):
        pytest.skip(lack)
    before = groups()
    Ext4().put(node, DATA)
    system.start(node, nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    system.kill(node)
    disks.take(node)
    system.wipe(node)
    assert groups() == before


def groups(kind: str = "disk") -> set[str]:
    """The control groups of this machine that a fault has made."""
    return {str(path) for path in Path("/sys/fs/cgroup").rglob(f"partita-{kind}-*")}


def group_of(node: Node) -> str:
    script = 'cat "/proc/$(cat /srv/partita/writer/pid)/cgroup"'
    return node.run(["sh", "-c", script]).stdout


def test_so_many_requests_pass_in_a_second_until_it_is_healed(
    writers: Writers, nodes: list[Node]
) -> None:
    node = nodes[0]
    before = group_of(node)
    driver, events = driven(writers, nodes, "0s slow-disk n1 iops=20")
    (probe,) = (value for _, f, value in events if f == "probe")
    assert probe["bit"] is True
    assert 5 < probe["iops"] <= 40
    assert "partita-disk-" in group_of(node)
    writers.rounds(node)
    driver.finish()
    assert driver.failure is None
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert ended["figures"]["1"]["writes_slowed"] > 0
    assert group_of(node) == before


def test_it_is_there_again_after_a_restart_and_a_host_heals_alone(
    writers: Writers, nodes: list[Node]
) -> None:
    node = nodes[0]
    driver, _ = driven(writers, nodes, "0s slow-disk n1; 0.1s kill n1; 0.2s heal kill")
    assert "partita-disk-" in group_of(node)
    node.run(["sh", "-c", faults.heals()])
    assert "partita-disk-" not in group_of(node)
    node.run(["sh", "-c", faults.heals()])
    driver.finish()


def test_a_group_goes_with_its_cluster() -> None:
    """As if the controller had been killed, and the nodes taken down before they healed."""
    kinds = [line.split()[1:4] for line in Path("/proc/mounts").read_text().splitlines()]
    roots = [where for where, kind, how in kinds if kind == "cgroup2" or "blkio" in how]
    if not roots:
        pytest.skip("no control groups")
    group = Path(roots[0]) / f"partita-disk-test-{os.getpid()}"
    note = 'mkdir "$1" && echo "$1" > "$2"'
    with local.cluster_of(1, f"pytest-group-{os.getpid()}") as made:
        (node,) = local_nodes(made)
        node.run(["sh", "-c", note, "note", str(group), GROUPS])
        assert group.is_dir()
        node.close()
    assert not group.exists()
