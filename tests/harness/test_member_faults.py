"""The leader of a real store is taken out, and taken in again with nothing of what it had."""

import os
import time
from collections.abc import Callable

import pytest

from partita.harness.nodes.cluster import Node
from partita.harness.run.progress import Progress
from partita.harness.run.run import set_up, tear_down
from partita.harness.run.store_processes import StoreProcesses
from partita.harness.systems import HasFetch, HasPrimaries, StoreError, System
from partita.harness.systems.consul import Consul
from partita.harness.systems.etcd import Etcd
from partita.harness.systems.raft import Raft
from partita.harness.systems.system import HasForesight
from partita.harness.systems.zookeeper import ZooKeeper
from partita.nemesis.fault import Scene
from partita.nemesis.faults.members import Members
from partita.nemesis.targets import Scope
from partita.workloads.client import Client, Definite, Indefinite

PATIENCE_S = 30.0
STORES: dict[str, Callable[[], System]] = {
    "consul": Consul,
    "etcd": Etcd,
    "raft": Raft,
    "zookeeper": ZooKeeper,
}
# A server that joins Consul votes after ten seconds: the test takes most of a minute.
CHOSEN = [name for name in STORES if name != "consul" or "PARTITA_FAULTS" in os.environ]

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", CHOSEN)
def test_a_leader_leaves_and_comes_back_empty(name: str, nodes: list[Node]) -> None:
    system, four = STORES[name](), nodes[:4]
    if isinstance(system, HasFetch):
        try:
            system.fetch()
        except StoreError as error:
            pytest.skip(str(error))
    if isinstance(system, HasForesight):
        system.foresee({"members"})
    try:
        set_up(system, four, Progress(quiet=True))
        out_and_in(system, four)
    finally:
        tear_down(system, four)


def out_and_in(system: System, four: list[Node]) -> None:
    assert isinstance(system, HasPrimaries)
    (leader,) = (each for each in four if each.name == system.primaries(four)[0])
    rest = [each for each in four if each is not leader]
    scene, scope = Scene(four, StoreProcesses(system, four)), Scope((leader.name,))
    patient(system, leader, lambda client: client.write("a", "1"))
    fault = Members()
    fault.begin(scene, scope)
    proof = fault.prove(scene, scope)
    assert proof["bit"] is True, proof
    assert proof["voters_before"] == sorted(each.name for each in four)
    assert proof["voters"] == sorted(each.name for each in rest)
    patient(system, rest[0], lambda client: client.write("a", "2"))
    assert fault.lasted(scene, scope).figures == {"members_removed": 1}
    fault.end(scene, scope)
    proof = fault.prove(scene, scope)
    assert proof["voters"] == sorted(each.name for each in four)
    patient(system, leader, lambda client: shows(client, "2"))


def shows(client: Client, value: str) -> None:
    found = client.read("a").value  # type: ignore[attr-defined]
    assert found == value


def patient(system: System, node: Node, do: Callable[..., object]) -> None:
    """Do something on a node, again if the cluster has no leader at that moment."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client = system.offers["registers"](node, 5.0)
            try:
                do(client)
            finally:
                client.close()
            return
        except (Definite, Indefinite):
            assert time.monotonic() < deadline, f"{node.name} does not serve"
            time.sleep(0.2)
