"""The clients of etcd and Consul against the real thing: processes on loopback."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from loaded import loaded
from replayed import contradictions
from store_servers import eventually, needs_etcd
from test_raft_store import free_ports

from partita.harness.systems.consul import ConsulClient
from partita.harness.systems.consul_collections import ConsulCollections
from partita.harness.systems.consul_transactions import ConsulTransactions
from partita.harness.systems.etcd import EtcdClient
from partita.harness.systems.etcd_collections import EtcdCollections
from partita.harness.systems.etcd_transactions import EtcdTransactions
from partita.workloads.capabilities.transactions import Seen
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch
from partita.workloads.micro_operations import carry_out
from partita.workloads.txn_append import TxnAppend
from partita.workloads.txn_register import TxnRegister


def registers_are_kept(make: Callable[[], Client]) -> None:
    """What every store's client must do, whatever the store."""
    one, other = make(), make()
    key = f"register {uuid.uuid4()}/é?"
    assert one.read(key).value is None
    with pytest.raises(Mismatch):
        one.cas(key, "never", "1")
    one.cas(key, None, "1")
    with pytest.raises(Mismatch) as mismatch:
        other.cas(key, None, "2")
    assert not mismatch.value.known or mismatch.value.actual == "1"
    other.cas(key, "1", "2")
    assert one.read(key).value == "2"
    other.write(key, "3")
    with pytest.raises(Mismatch):
        one.cas(key, "2", "4")
    one.write(key, "")
    assert other.read(key).value == ""
    other.cas(key, "", "[1, 2]")
    assert one.read(key).value == "[1, 2]"
    one.close()
    other.close()


def versions_are_one_order(make: Callable[[], Any]) -> None:
    """Every update gets a larger version than all before it, and reads say whose value it is."""
    client = make()
    one, other = f"one {uuid.uuid4()}", f"other {uuid.uuid4()}"
    assert client.read(one).version == -1
    versions = [
        client.write(one, "1").version,
        client.cas(other, None, "2").version,
        client.cas(one, "1", "3").version,
    ]
    assert sorted(set(versions)) == versions
    assert versions[0] > 0
    assert client.read(other) == Answer("2", versions[1])
    assert client.read(one) == Answer("3", versions[2])
    versions.append(client.write(other, "4").version)
    assert versions[-1] > versions[-2]
    with pytest.raises(Mismatch) as mismatch:
        make().cas(one, "1", "5")
    assert (mismatch.value.actual, mismatch.value.version) == ("3", versions[2])
    with pytest.raises(Mismatch) as mismatch:
        make().cas("nothing", "1", "5")
    assert (mismatch.value.actual, mismatch.value.version) == (None, -1)


def collections_are_kept(make: Callable[[], Any]) -> None:
    """Queues give out what was put in, in its order, and sets keep all; whatever the store."""
    one, other = make(), make()
    queue, numbers = f"queue {uuid.uuid4()}", f"set {uuid.uuid4()}"
    assert one.dequeue(queue) is None
    for number in range(12):
        (one if number % 2 else other).enqueue(queue, str(number))
    taken = [(other if number % 3 else one).dequeue(queue) for number in range(13)]
    assert taken == [*map(str, range(12)), None]
    assert list(one.members(numbers)) == []
    for number in (2, 1, 2):
        one.add(numbers, str(number))
    assert sorted(other.members(numbers)) == ["1", "2"]
    assert other.dequeue(f"{queue}-not") is None
    one.close()
    other.close()


def transactions_are_kept(make: Callable[[], Any]) -> None:
    """Several keys are read and written together, and nothing is written that was guarded in vain.

    Whatever the store. `make` gives a client whose reads are up to date.
    """
    one, other = make(), make()
    x, y, z = (f"{letter} {uuid.uuid4()}/é?" for letter in "xyz")
    nothing = one.snapshot([x, y])
    assert [seen.value for seen in nothing.seen] == [None, None]
    first = one.commit([(x, nothing.seen[0]), (y, nothing.seen[1])], [(x, "1"), (y, "2")])
    seen_x, seen_y = other.snapshot([x, y]).seen
    assert (seen_x, seen_y) == (("1", first.version), ("2", first.version))
    for guards in ([(x, nothing.seen[0])], [(x, seen_x), (z, seen_y)]):
        with pytest.raises(Mismatch):  # it exists now; it does not exist
            other.commit(guards, [(x, "lost"), (z, "lost")])
    # What is only read is guarded as well, whether it exists or not.
    guards = [(x, seen_x), (y, seen_y), (z, Seen(None))]
    second = other.commit(guards, [(x, "[1, 2]")])
    assert second.version > first.version
    for guards in ([(x, seen_x), (y, seen_y)], [(y, seen_y), (x, seen_x)]):
        with pytest.raises(Mismatch):
            one.commit(guards, [(y, "lost")])
    snapshot = one.snapshot([z, y, x])
    assert list(snapshot.seen) == [(None, ANY), ("2", first.version), ("[1, 2]", second.version)]
    assert snapshot.version == -1 or snapshot.version >= second.version
    one.commit([(z, snapshot.seen[0]), (y, snapshot.seen[1])], [])
    third = one.commit([(z, snapshot.seen[0])], [(z, "")])
    with pytest.raises(Mismatch):
        one.commit([(x, snapshot.seen[2]), (z, snapshot.seen[0])], [])
    assert other.snapshot([z]).seen[0] == ("", third.version)
    assert other.commit([], [(z, "blind")]).version > third.version
    one.close()
    other.close()


def loads_of_transactions_are_serial(connects: Sequence[Callable[[], Any]], path: Path) -> None:
    """What commits happens at one point, and the versions tell the order of these points."""
    for workload in (TxnAppend(keys=3, writes_per_key=40), TxnRegister(keys=3)):
        history = loaded(workload, connects, path / f"{workload.name}.jsonl", seconds=2)
        outcomes = [op.outcome for op in history]
        assert set(outcomes) <= {"ok", "fail"}
        assert outcomes.count("ok") > 50
        assert contradictions(history) == []
        assert sum(history.extra("retries").values()) > 5


@needs_etcd
def test_etcd_keeps_transactions(etcd: tuple[list[int], list[int]], tmp_path: Path) -> None:
    def connect(port: int, reads: str = "linearizable") -> EtcdTransactions:
        return EtcdTransactions(EtcdClient("127.0.0.1", 5.0, reads, port))

    transactions_are_kept(lambda: connect(etcd[0][0]))
    loads_of_transactions_are_serial([partial(connect, port) for port in etcd[0]], tmp_path)


def test_consul_keeps_transactions(consul: int, tmp_path: Path) -> None:
    def connect(reads: str = "consistent") -> ConsulTransactions:
        return ConsulTransactions(ConsulClient("127.0.0.1", 5.0, reads, consul))

    for reads in ("consistent", "default", "stale"):  # there is one server only
        transactions_are_kept(lambda reads=reads: connect(reads))
    loads_of_transactions_are_serial([connect] * 2, tmp_path)


@needs_etcd
def test_a_commit_without_an_answer_is_open_and_is_not_sent_again(
    etcd: tuple[list[int], list[int]],
) -> None:
    ports, pids = etcd
    key, request = f"open {uuid.uuid4()}", ["append", "k", 1]
    client = EtcdTransactions(EtcdClient("127.0.0.1", 1.0, "serializable", ports[2]))
    seen = client.snapshot([key]).seen[0]
    with alone(ports, pids):
        with pytest.raises(Indefinite):
            client.commit([(key, seen)], [(key, "1")])
        # Its reads need nobody else, so that it is the commit that gets no answer.
        with pytest.raises(Indefinite):
            carry_out(client, [request], "all", 5, time.monotonic() + 60)
        linearizable = EtcdTransactions(EtcdClient("127.0.0.1", 1.0, "linearizable", ports[2]))
        with pytest.raises(Definite):
            linearizable.snapshot([key])


@needs_etcd
@pytest.mark.parametrize("reads", ["linearizable", "serializable"])
def test_etcd_keeps_queues_and_sets(etcd: tuple[list[int], list[int]], reads: str) -> None:
    port = etcd[0][0]
    collections_are_kept(
        lambda: EtcdCollections(EtcdClient("127.0.0.1", 5.0, reads, port), timeout=5.0)
    )


@pytest.mark.parametrize("reads", ["consistent", "default", "stale"])
def test_consul_keeps_queues_and_sets(consul: int, reads: str) -> None:
    collections_are_kept(
        lambda: ConsulCollections(ConsulClient("127.0.0.1", 5.0, reads, consul), timeout=5.0)
    )


@needs_etcd
def test_etcd_tells_versions(etcd: tuple[list[int], list[int]]) -> None:
    versions_are_one_order(lambda: EtcdClient("127.0.0.1", 5.0, "linearizable", etcd[0][0]))


def test_consul_tells_versions(consul: int) -> None:
    versions_are_one_order(lambda: ConsulClient("127.0.0.1", 5.0, "consistent", consul))


@needs_etcd
@pytest.mark.parametrize("reads", ["linearizable", "serializable"])
def test_etcd_keeps_registers(etcd: tuple[list[int], list[int]], reads: str) -> None:
    port = etcd[0][0]
    registers_are_kept(lambda: EtcdClient("127.0.0.1", 5.0, reads, port))


@needs_etcd
def test_etcd_says_what_a_mismatch_met(etcd: tuple[list[int], list[int]]) -> None:
    client = EtcdClient("127.0.0.1", 5.0, "linearizable", etcd[0][0])
    client.write("met", "1")
    with pytest.raises(Mismatch) as mismatch:
        client.cas("met", "0", "2")
    assert (mismatch.value.known, mismatch.value.actual) == (True, "1")
    with pytest.raises(Mismatch) as mismatch:
        client.cas("never met", "0", "2")
    assert (mismatch.value.known, mismatch.value.actual) == (True, None)


@needs_etcd
def test_etcd_without_a_majority_leaves_writes_open(etcd: tuple[list[int], list[int]]) -> None:
    ports, pids = etcd
    EtcdClient("127.0.0.1", 5.0, "linearizable", ports[2]).write("open", "1")
    with alone(ports, pids):
        with pytest.raises(Indefinite):
            EtcdClient("127.0.0.1", 1.0, "linearizable", ports[2]).write("open", "2")
        with pytest.raises(Definite):
            EtcdClient("127.0.0.1", 1.0, "linearizable", ports[2]).read("open")
        old = EtcdClient("127.0.0.1", 1.0, "serializable", ports[2]).read("open").value
        assert old == "1"
    client = EtcdClient("127.0.0.1", 10.0, "linearizable", ports[2])
    assert client.read("open").value in ("1", "2")


@contextmanager
def alone(ports: list[int], pids: list[int]) -> Iterator[None]:
    """Freeze all members but the last; at the end they go on, and have agreed on a leader."""
    for pid in pids[:2]:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids[:2]:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: all(_serves(port) for _ in range(20) for port in ports))


def _serves(port: int) -> bool:
    """Whether a member reads through the leader; a little later, it is asked again."""
    time.sleep(0.03)
    try:
        EtcdClient("127.0.0.1", 1.0, "linearizable", port).read("open")
    except (Definite, Indefinite):
        return False
    return True


@needs_etcd
def test_a_request_that_etcd_refuses_is_definite(etcd: tuple[list[int], list[int]]) -> None:
    client = EtcdClient("127.0.0.1", 5.0, "linearizable", etcd[0][0])
    with pytest.raises(Definite, match="larger than max"):
        client.write("large", "x" * 3_000_000)


@pytest.mark.parametrize("reads", ["default", "consistent", "stale"])
def test_consul_keeps_registers(consul: int, reads: str) -> None:
    registers_are_kept(lambda: ConsulClient("127.0.0.1", 5.0, reads, consul))


def test_a_request_that_consul_refuses_is_definite(consul: int) -> None:
    client = ConsulClient("127.0.0.1", 5.0, "default", consul)
    with pytest.raises(Definite, match="too large"):
        client.write("large", "x" * 1_000_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda port: EtcdClient("127.0.0.1", 1.0, "linearizable", port),
        lambda port: ConsulClient("127.0.0.1", 1.0, "default", port),
    ],
)
def test_a_refused_connection_is_definite(make: Callable[[int], Client]) -> None:
    client = make(free_ports(1)[0])
    with pytest.raises(Definite, match="refused"):
        client.write("x", "1")
