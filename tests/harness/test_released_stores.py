"""Stores that people use, each of them a real one on three hosts."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from partita.harness.nodes.cluster import Node, on_all
from partita.harness.run.progress import Progress
from partita.harness.run.run import set_up, tear_down
from partita.harness.systems import HasFetch, HasPrimaries, StoreError, System
from partita.harness.systems.etcd import Etcd
from partita.harness.systems.nats import Nats
from partita.harness.systems.pysyncobj import PySyncObj
from partita.harness.systems.redis import Redis
from partita.harness.systems.system import HasReplicas, serves
from partita.workloads.client import Definite, Indefinite, Mismatch

PATIENCE_S = 40.0

STORES: dict[str, tuple[Callable[[], System], str]] = {
    "etcd": (lambda: Etcd(version="3.5.1"), "3.5.1"),
    "nats": (Nats, "2."),
    "pysyncobj": (PySyncObj, "0.3.17"),
    "redis": (lambda: Redis(down_after=1.0), "7."),
}

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("name", STORES)
def test_every_node_serves_the_same_registers(name: str, nodes: list[Node]) -> None:
    make, version = STORES[name]
    system, three = make(), nodes[:3]
    if isinstance(system, HasFetch):
        try:
            system.fetch()
        except StoreError as error:
            pytest.skip(str(error))
    set_up(system, three, Progress(quiet=True))
    try:
        assert system.versions(three[0]).startswith(version)
        registers_are_the_same(system, three)
        a_killed_node_comes_back(system, three)
    finally:
        tear_down(system, three)


def registers_are_the_same(system: System, three: list[Node]) -> None:
    assert isinstance(system, HasPrimaries)
    assert system.primaries(three)
    first, second, third = (system.offers["registers"](node, 5.0) for node in three)
    assert first.read("a").value is None
    first.cas("a", None, "1")
    assert second.read("a").value == "1"
    second.write("a", "2")
    with pytest.raises(Mismatch):
        third.cas("a", "1", "3")
    assert third.read("a").value == "2"
    if isinstance(system, HasReplicas):
        for node in three:
            shows(replica(system, node), "2")
    for client in (first, second, third):
        client.close()


def replica(system: HasReplicas, node: Node) -> Any:
    """What a node has by itself. One of NATS must have caught up first."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return system.replicas["registers"](node, 5.0)
        except Definite:
            assert time.monotonic() < deadline, "never answers for itself"
            time.sleep(0.05)


def shows(own: Any, value: str) -> None:
    """Each node has it by itself, if not at once."""
    deadline = time.monotonic() + PATIENCE_S
    while own.read("a").value != value:
        assert time.monotonic() < deadline, "never had it itself"
        time.sleep(0.05)
    own.close()


def a_killed_node_comes_back(system: System, three: list[Node]) -> None:
    """It is no primary, so that nobody has to be elected."""
    victim = next(node for node in three if node.name not in system.primaries(three))
    system.kill(victim)
    assert not serves(system, victim)
    with pytest.raises((Definite, Indefinite)):
        system.offers["registers"](victim, 2.0).read("a")
    system.start(victim, three)
    deadline = time.monotonic() + PATIENCE_S
    while not all(on_all(three, lambda node: serves(system, node))):
        assert time.monotonic() < deadline, "never served again"
        time.sleep(0.1)
    client = system.offers["registers"](victim, 5.0)
    assert client.read("a").value == "2"
    client.close()
