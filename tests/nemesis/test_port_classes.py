"""Faults of links that strike one class of the store's ports, and no other."""

import time
from collections.abc import Iterator

import pytest
from listeners import CLIENT, PEER, Listeners, answers
from sleepers import Events, driven

from partita.harness.nodes.cluster import Node
from partita.nemesis import switch
from partita.nemesis.network import reachable
from partita.nemesis.ports import Ports
from partita.nemesis.schedule import ScheduleError, check, parse
from partita.nemesis.targets import Scope, scope_of

NODES = ["n1", "n2", "n3", "n4", "n5"]


@pytest.fixture(scope="module")
def listeners(nodes: list[Node]) -> Iterator[Listeners]:
    """The cluster's nodes with a store that listens on two ports."""
    system = Listeners()
    for node in nodes:
        system.start(node, nodes)
    deadline = time.monotonic() + 20
    while len(reachable(nodes, PEER) & reachable(nodes, CLIENT)) < 20:
        assert time.monotonic() < deadline
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes:
        system.kill(node)
        system.wipe(node)


def probe(events: Events) -> dict[str, object]:
    return next(value for _, f, value in events if f == "probe")


def touching(node: str) -> set[tuple[str, str]]:
    return {pair for other in NODES if other != node for pair in ((node, other), (other, node))}


@pytest.mark.cluster
def test_peers_are_cut_and_clients_are_not(listeners: Listeners, nodes: list[Node]) -> None:
    driver, events = driven(listeners, nodes, "0s partition n2 port=peer")
    said = probe(events)
    assert (said["bit"], said["ports"]) == (True, [PEER])
    assert said["cut"] == said["unreachable"] == sorted(touching("n2"))
    every = {(a, b) for a in NODES for b in NODES if a != b}
    assert reachable(nodes, PEER) == every - touching("n2")
    assert reachable(nodes, CLIENT) == reachable(nodes) == every
    assert answers(nodes[1], PEER)  # the link to a machine that is no node is not cut
    value = next(value for kind, f, value in events if (kind, f) == ("ok", "partition"))
    assert "grudge" in value
    assert value["settings"] == {"port": "peer"}
    driver.finish()
    assert driver.failure is None
    assert reachable(nodes, PEER) == every
    (healed,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert healed["figures"]["1"]["packets_dropped"] > 0


@pytest.mark.cluster
def test_clients_are_cut_and_peers_are_not(listeners: Listeners, nodes: list[Node]) -> None:
    driver, events = driven(listeners, nodes, "0s partition n2 port=client")
    assert probe(events)["bit"] is True
    assert not answers(nodes[1], CLIENT)
    assert answers(nodes[1], PEER)
    assert answers(nodes[0], CLIENT)
    assert len(reachable(nodes, PEER)) == len(reachable(nodes)) == 20
    # A node that does not hear its clients has not lost its peers.
    value = next(value for kind, f, value in events if (kind, f) == ("ok", "partition"))
    assert "grudge" not in value
    driver.finish()
    assert driver.failure is None
    assert answers(nodes[1], CLIENT)


@pytest.mark.cluster
def test_packets_to_one_class_are_late(listeners: Listeners, nodes: list[Node]) -> None:
    driver, events = driven(listeners, nodes, "0s delay n2 ms=300 port=client")
    said = probe(events)
    assert said["bit"] is True
    assert float(str(said["round_trip_ms"])) >= 300
    assert took(nodes[0], nodes[1], CLIENT) >= 300
    assert min(took(nodes[0], nodes[1], PEER) for _ in range(5)) < 300
    driver.finish()
    assert driver.failure is None
    assert min(took(nodes[0], nodes[1], CLIENT) for _ in range(5)) < 300


def took(one: Node, other: Node, port: int) -> float:
    """How many milliseconds a connection takes."""
    lines = (
        'a=$EPOCHREALTIME; exec 3<>"/dev/tcp/$0/$1"; b=$EPOCHREALTIME; echo $((${b/./}-${a/./}))'
    )
    return int(one.run(["bash", "-c", lines, other.address, str(port)]).stdout) / 1000


def test_a_class_that_the_system_does_not_name_is_refused() -> None:
    for name in ("partition", "loss", "delay", "reorder", "slow", "duplicate", "corrupt"):
        steps = parse(f"1s {name} one port=client")
        check(steps, 5, 10, has=lambda name: name == "client_ports")
        with pytest.raises(ScheduleError, match=r"needs a system with client_ports\(\)"):
            check(steps, 5, 10, has=lambda name: name == "peer_ports")
        check(parse(f"1s {name} one"), 5, 10, has=lambda name: False)
    with pytest.raises(ScheduleError, match="choose from all, peer, client"):
        parse("1s partition one port=2380")


@pytest.mark.parametrize(
    ("grudge", "struck"),
    [
        (scope_of("links", NODES, ["n4"]).grudge, ["n4"]),
        (scope_of("links", NODES, ["n1", "n2"]).grudge, ["n1", "n2"]),
        (scope_of("links", NODES, NODES).grudge, NODES),
        # Nobody is on the smaller side of a single link: both ends are meant.
        ({"n1": ("n3",), "n3": ("n1",), "n2": (), "n4": (), "n5": ()}, ["n1", "n3"]),
    ],
)
def test_clients_are_cut_from_the_smaller_side(
    grudge: dict[str, tuple[str, ...]], struck: list[str]
) -> None:
    narrowed = Ports("client").narrowed(Scope(grudge=grudge)).grudge
    assert [node for node in NODES if narrowed[node]] == struck
    assert Ports("peer").narrowed(Scope(grudge=grudge)).grudge == grudge
