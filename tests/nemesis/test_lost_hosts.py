"""A host whose machine is lost in mid-run: the others are healed on time, and it is said."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from untouched import Untouched

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_nodes
from partita.nemesis import hosts as hosts_of
from partita.nemesis import switch
from partita.nemesis.driver import Driver
from partita.nemesis.hosts import give_up_the_dead, on_all
from partita.nemesis.network import reachable
from partita.nemesis.schedule import parse

NAMES = ["n1", "n2", "n3"]


@pytest.fixture
def mortal() -> Iterator[tuple[local.LocalCluster, list[Node]]]:
    """A cluster of which a test may end a node."""
    with local.cluster_of(3, f"pytest-lost-{os.getpid()}") as cluster:
        nodes = local_nodes(cluster)
        yield cluster, nodes
        for node in nodes:
            node.close()


def end(cluster: local.LocalCluster, name: str) -> None:
    """End a node's machine: its first process, and with it all others and its network."""
    (init,) = (node.init.pid for node in cluster.nodes if node.name == name)
    os.kill(init, signal.SIGKILL)


@pytest.mark.cluster
@pytest.mark.parametrize("at", [0.5, 4.0, 7.0], ids=["before", "during", "after"])
def test_the_others_are_healed_on_time(
    mortal: tuple[local.LocalCluster, list[Node]], at: float
) -> None:
    """n2 is lost before, while and after n1 is cut off from 2 s to 5 s."""
    cluster, nodes = mortal
    others = [nodes[0], nodes[2]]
    events: list[tuple[float, str, str, Any, str | None]] = []
    begun = 0.0

    def record(kind: str, f: str, value: Any, error: str | None) -> None:
        events.append((time.monotonic() - begun, kind, f, value, error))

    driver = Driver(nodes, parse("2s partition n1; 5s heal", NAMES), 1, record, list, Untouched())
    driver.prepare()
    begun = time.monotonic()
    loss = threading.Timer(at, end, [cluster, "n2"])
    loss.start()
    driver.start(begun)
    time.sleep(8 - (time.monotonic() - begun))
    assert reachable(others) == {("n1", "n3"), ("n3", "n1")}
    driver.finish()
    assert time.monotonic() - begun < 14
    assert driver.failure is None
    assert list(driver.lost) == ["n2"]
    assert driver.lost["n2"].startswith("n2 was lost between ")
    probe = next(value for _, _, f, value, _ in events if f == "probe")
    assert probe["bit"] is True
    assert ("n1", "n3") in probe["cut"]
    (healed,) = (t for t, kind, f, _, _ in events if (kind, f) == ("ok", "heal"))
    assert healed < 5 + 3, "nobody waits for a machine that is gone"
    assert [value["node"] for _, _, f, value, _ in events if f == "lost"] == ["n2"]
    rules = on_all(others, lambda node: node.run(["iptables", "-S"]).stdout)
    assert all("PARTITA" not in said for said in rules.values())


@pytest.mark.cluster
def test_beats_to_the_others_go_on(
    mortal: tuple[local.LocalCluster, list[Node]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, nodes = mortal
    switch.arm(nodes, silence_s=4, beat_s=1)
    end(cluster, "n2")
    for _ in range(8):
        begun = time.monotonic()
        assert switch.beat(nodes) == ["n1", "n3"]
        assert time.monotonic() - begun < 3.5
        time.sleep(1)
    assert nodes[1].lost
    assert switch.disarm(nodes) == []


@pytest.mark.cluster
def test_what_takes_long_on_a_host_that_is_there_is_waited_for(
    mortal: tuple[local.LocalCluster, list[Node]],
) -> None:
    _, nodes = mortal
    said = on_all(nodes, lambda node: node.run(["sh", "-c", "sleep 2; echo done"]).stdout)
    assert said == dict.fromkeys(NAMES, "done\n")


@pytest.mark.cluster
def test_an_error_on_a_host_that_is_there_is_no_loss(
    mortal: tuple[local.LocalCluster, list[Node]],
) -> None:
    _, nodes = mortal
    with pytest.raises(Exception, match="n1: false: status 1"):
        on_all(nodes, lambda node: node.run(["false"]))
    assert not any(node.lost for node in nodes)


class Refusing:
    """A host whose kernel answers that nobody listens."""

    name, addresses, port = "n1", ("127.0.0.1",), 1
    lost = False

    def give_up(self) -> None:
        self.lost = True


def test_nobody_waits_long_for_a_machine_that_answers_without_sshd() -> None:
    """Where a machine has just ended, its kernel may go on for a while."""
    host: Any = Refusing()
    other: Any = Refusing()
    other.name = "n2"
    begun = time.monotonic()
    said = on_all([host, other], lambda each: time.sleep(20) if each is host else "healed")
    assert said == {"n2": "healed"}
    assert time.monotonic() - begun < 4
    assert host.lost


def test_a_machine_that_answers_without_sshd_is_not_given_up_at_once() -> None:
    host: Any = Refusing()
    give_up_the_dead([host])
    assert not host.lost
    give_up_the_dead([host], refusing=False)
    assert host.lost
    assert hosts_of.DEAD_S < 3
