"""ZooKeeper: the real one, on real hosts."""

import json
import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from conftest import Partita
from leases_kept import leases_are_kept
from loaded import loaded
from locks_kept import elections_are_kept, locks_are_kept
from store_servers import eventually
from test_store_clients import (
    collections_are_kept,
    loads_of_transactions_are_serial,
    transactions_are_kept,
)

from partita.harness.nodes.cluster import Node, on_all
from partita.harness.run.progress import Progress
from partita.harness.run.run import set_up, tear_down
from partita.harness.systems import StoreError
from partita.harness.systems.zookeeper import NAME, ZooKeeper
from partita.nemesis.faults.partition import CHAIN
from partita.nemesis.grudges import split
from partita.workloads.client import Client, Definite, Indefinite, Mismatch
from partita.workloads.watch import Watch

SYSTEM = ZooKeeper()


@pytest.fixture(scope="module")
def three(nodes: list[Node]) -> Iterator[list[Node]]:
    """ZooKeeper, serving on three of the nodes."""
    chosen = nodes[:3]
    set_up(SYSTEM, chosen, Progress(quiet=True))
    yield chosen
    tear_down(SYSTEM, chosen)


@pytest.fixture
def clients(three: list[Node]) -> Iterator[list[Client]]:
    made = [SYSTEM.client(node, 5.0) for node in three]
    yield made
    for client in made:
        client.close()


def test_registers_begin_empty_and_hold_what_is_written(clients: list[Client]) -> None:
    first, second, _ = clients
    assert first.read("a").value is None
    first.write("a", "1")
    assert second.read("a").value == "1"
    second.write("a", "2")
    assert first.read("a").value == "2"


def test_queues_give_out_in_order_and_sets_keep_all(three: list[Node]) -> None:
    first, second, third = (SYSTEM.offers["queues"](node, 5.0) for node in three)
    assert first.dequeue("q") is None
    collections_are_kept(lambda: SYSTEM.offers["queues"](three[0], 5.0))
    second.enqueue("q", "1")
    assert third.dequeue("q") == "1"
    assert first.dequeue("q") is None
    for client in (first, second, third):
        client.close()


def test_locks_are_held_by_one_at_a_time(three: list[Node]) -> None:
    system = ZooKeeper()
    events = locks_are_kept(lambda: system.offers["locks"](three[0], 5.0), ttl=4)
    # kazoo's own listener says so, in the thread that reads from the network.
    assert {f for f, _, _ in events} == {"beat", "close"}
    elections_are_kept(lambda: system.offers["elections"](three[0], 5.0), ttl=4)


def test_transactions_are_kept_and_serial(three: list[Node], tmp_path: Path) -> None:
    connects = [partial(SYSTEM.offers["transactions"], node, 5.0) for node in three]
    transactions_are_kept(connects[0])
    loads_of_transactions_are_serial(connects, tmp_path)


def test_a_cas_happens_only_if_the_value_is_the_expected_one(clients: list[Client]) -> None:
    first, second, _ = clients
    first.cas("b", None, "1")
    second.cas("b", "1", "2")
    with pytest.raises(Mismatch):
        first.cas("b", "1", "3")  # decided by the version that it remembers
    with pytest.raises(Mismatch) as caught:
        first.cas("b", "7", "3")  # decided by looking
    assert (caught.value.known, caught.value.actual) == (True, "2")
    with pytest.raises(Mismatch):
        first.cas("b", None, "3")
    assert second.read("b").value == "2"


def test_a_value_that_came_back_is_not_the_one_that_was_seen(clients: list[Client]) -> None:
    """A write of the same text is a new version: the remembered one is then a mismatch."""
    first, second, _ = clients
    first.write("c", "1")
    assert first.read("c").value == "1"
    second.write("c", "1")
    with pytest.raises(Mismatch):
        first.cas("c", "1", "2")
    first.cas("c", "1", "2")  # now it looked again


def test_there_is_one_leader_and_versions_are_known(three: list[Node]) -> None:
    (leader,) = SYSTEM.primaries(three)
    assert leader in {node.name for node in three}
    assert SYSTEM.versions(three[0]).startswith("3.8")
    assert (
        "LEADING"
        in three[[n.name for n in three].index(leader)]
        .run(["cat", SYSTEM.logs(three[0])[0]])
        .stdout
    )


def test_what_becomes_of_operations_when_the_node_is_cut_off(three: list[Node]) -> None:
    """Sent and not answered: indefinite. Not connected: definite, for nothing was sent."""
    follower = next(n for n in three if n.name not in SYSTEM.primaries(three))
    client = SYSTEM.client(follower, 2.0)
    client.write("d", "1")
    CHAIN.stand(three, split([n.name for n in three], [follower.name]))
    try:
        with pytest.raises(Indefinite, match="timeout"):
            client.write("d", "2")
        with pytest.raises(Indefinite):
            client.read("d")
        client.close()
        deadline = time.monotonic() + 30
        while True:  # until the server has noticed, and closes its clients' connections
            try:
                SYSTEM.client(follower, 1.0).close()
            except Definite as error:
                assert "does not serve" in str(error)
                break
            assert time.monotonic() < deadline
            time.sleep(0.5)
    finally:
        CHAIN.fall(three)


def test_a_killed_server_comes_back_with_its_data(three: list[Node], clients: list[Client]) -> None:
    clients[0].write("e", "1")
    victim = three[1]
    SYSTEM.kill(victim)
    assert not SYSTEM.healthy(victim)
    with pytest.raises(Definite):
        SYSTEM.client(victim, 1.0)
    SYSTEM.start(victim, three)
    deadline = time.monotonic() + 60
    while not SYSTEM.healthy(victim):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    back = SYSTEM.client(victim, 10.0)
    assert back.read("e").value == "1"
    back.close()


def test_local_reads_need_no_leader_but_synced_ones_do(three: list[Node]) -> None:
    client = ZooKeeper(reads="local").client(three[0], 5.0)
    client.write("f", "1")
    assert client.read("f").value == "1"
    client.close()


def test_a_server_that_cannot_start_shows_its_log(
    three: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.harness.run.run.HEALTH_WAIT_S", 3)
    monkeypatch.setattr("partita.harness.systems.zookeeper_config.CONFIG", "tickTime=never\n")
    alone = [three[2]]
    try:
        # What is said first depends on whether Java has given up before the first look at it.
        with pytest.raises(
            StoreError, match=r"zookeeper on n3 .*; the end of .*/output\.log"
        ) as caught:
            set_up(SYSTEM, alone, Progress(quiet=True))
        assert "tickTime" in str(caught.value) or "never" in str(caught.value)
        assert not alone[0].daemon_runs(NAME)
    finally:
        monkeypatch.undo()
        on_all(alone, lambda node: SYSTEM.start(node, three))


@pytest.mark.cluster
def test_the_main_job(partita: Partita) -> None:
    """The experiment in short: a leader cut off, nothing lost, and figures that make sense."""
    done = partita(
        *("test", "zookeeper", "--workload", "append", "--rate", "20", "--json"),
        *("--schedule", "5s partition leader-minority; 24s heal", "--time-limit", "34"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)
    assert results["valid"] is True
    assert results["lost"] == results["unexpected"] == 0
    assert results["acknowledged"] > 100
    assert 0.4 < results["availability"] < 1
    (fault,) = results["faults"]
    assert fault["bit"] is True
    assert fault["proof"]["packets_dropped"] > 0
    assert 1 < fault["seconds_to_new_leader"] < 25


def test_watches_fire_before_anybody_sees_what_changed(three: list[Node], tmp_path: Path) -> None:
    workload = Watch(settle=0.5)
    connects = [partial(SYSTEM.offers["watches"], node, 5.0) for node in three]
    history = loaded(workload, connects, tmp_path / "h.jsonl", seconds=1.5, rate=150)
    (check,) = workload.checks
    judgement = check.judge(history, check.levels)
    assert judgement.levels == {"reliable": True}, judgement
    assert judgement.figures["fired"] > 100
    # A watch that is left on what is not there is told as well.
    assert any(each.f == "arm" and each.value is None for each in history.others)


def test_a_watch_that_lost_its_connection_is_disarmed_and_left_anew(three: list[Node]) -> None:
    client = SYSTEM.offers["watches"](three[0], 5.0)
    told = []
    client.listen(lambda f, value=None, **fields: told.append((f, value)))
    client.write("lost", "1")
    client.watch("w", "lost", -1)
    eventually(lambda: told == [("arm", "1")])
    client._kazoo._connection._socket.shutdown(socket.SHUT_RDWR)
    eventually(lambda: told[1:] == [("disarmed", None), ("arm", "1")])
    client.write("lost", "2")
    eventually(lambda: told[3:] == [("fire", None), ("arm", "2")])
    client.close()


def test_leases_are_kept(three: list[Node]) -> None:
    leases_are_kept(lambda: SYSTEM.offers["leases"](three[0], 5.0))
