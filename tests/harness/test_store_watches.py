"""The clients of watches against the real thing: servers on loopback."""

import socket
from pathlib import Path
from typing import Any

import pytest
from loaded import loaded
from store_servers import eventually, needs_etcd

from partita.harness.systems.consul import ConsulClient
from partita.harness.systems.consul_watches import ConsulWatches
from partita.harness.systems.etcd import EtcdClient
from partita.harness.systems.etcd_watches import EtcdWatches
from partita.workloads.client import Definite, Refused
from partita.workloads.watch import Watch

Told = list[tuple[str, Any, dict[str, Any]]]


def heard(client: Any) -> Told:
    """Return the list that what a client is told goes into."""
    told: Told = []
    client.listen(lambda f, value=None, **fields: told.append((f, value, fields)))
    return told


def of(told: Told, stream: str, *fs: str) -> list[Any]:
    """Return what a stream told: each change's key, value and version, else f and version."""
    mine = [each for each in told if each[2]["stream"] == stream and (not fs or each[0] in fs)]
    return [
        (fields["key"], value, fields["version"]) if f == "event" else (f, fields.get("version"))
        for f, value, fields in mine
    ]


def etcd_client(etcd: tuple[list[int], list[int]], place: int = 0) -> EtcdWatches:
    port = etcd[0][place]
    return EtcdWatches(EtcdClient("127.0.0.1", 5.0, "linearizable", port), "127.0.0.1", 5.0, port)


@needs_etcd
def test_a_stream_of_etcd_tells_all_changes_once(etcd: tuple[list[int], list[int]]) -> None:
    client, other = etcd_client(etcd), etcd_client(etcd, 1)
    told = heard(client)
    first = client.write("s/a", "1").version
    client.watch("old", "s/", first)
    client.watch("new", "s/", -1)
    client.watch("one", "s/b", first)
    with pytest.raises(Refused):
        other.delete("s/b")
    both = other.write_all({"s/a": "2", "s/b": "3"}).version
    with pytest.raises(Refused):
        other.write_all({"s/c": None, "s/b": "4"})
    gone = other.delete("s/a").version
    assert first < both < gone
    changes = [("s/a", "2", both), ("s/b", "3", both), ("s/a", None, gone)]
    eventually(lambda: of(told, "new", "event") == changes)
    eventually(lambda: of(told, "old", "event") == [("s/a", "1", first), *changes])
    assert of(told, "one") == [("resume", first), ("s/b", "3", both)]
    assert of(told, "new")[0] == ("resume", first + 1)
    batches = [
        fields["batch"] for f, _, fields in told if fields["stream"] == "new" and f[0] == "e"
    ]
    assert batches[0] == batches[1] != batches[2]
    client.unwatch("one")
    assert of(told, "one")[-1] == ("ended", None)
    client.close()
    assert {fields["stream"] for f, _, fields in told if f == "ended"} == {"one", "old", "new"}


@needs_etcd
def test_a_stream_of_etcd_that_broke_is_taken_up_where_it_was(
    etcd: tuple[list[int], list[int]],
) -> None:
    client = etcd_client(etcd)
    told = heard(client)
    client.watch("w", "b/", -1)
    client.write("b/a", "1")
    eventually(lambda: of(told, "w", "event"))
    broken = client._streams["w"]._socket
    assert broken is not None
    broken.shutdown(socket.SHUT_RDWR)
    second = client.write("b/a", "2").version
    eventually(lambda: of(told, "w", "event")[1:] == [("b/a", "2", second)])
    assert [f for f, _, _ in told] == ["resume", "event", "ended", "resume", "event"]
    assert of(told, "w", "resume")[1] == ("resume", second)
    client.close()


@needs_etcd
def test_a_stream_of_etcd_that_asks_for_what_is_compacted_is_told_so(
    etcd: tuple[list[int], list[int]],
) -> None:
    client = etcd_client(etcd)
    told = heard(client)
    versions = [client.write("c/a", str(number)).version for number in range(3)]
    client.compact(versions[1])
    with pytest.raises(Definite, match="compacted"):
        client.compact(versions[0])
    with pytest.raises(Definite, match="future"):
        client.compact(versions[2] + 1000)
    client.watch("w", "c/", versions[0])
    eventually(lambda: len(of(told, "w", "event")) == 2)
    assert of(told, "w")[:3] == [
        ("resume", versions[0]), ("compacted", versions[1]), ("resume", versions[1]),
    ]  # fmt: skip
    client.close()


def test_a_watch_that_nobody_answers_did_not_begin() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        client = EtcdWatches(EtcdClient("127.0.0.1", 0.2, "", port), "127.0.0.1", 0.2, port)
        heard(client)
        with pytest.raises(Definite, match="no watch: timed out"):
            client.watch("w", "k", -1)
        client.close()


def consul_client(port: int) -> ConsulWatches:
    client = ConsulClient("127.0.0.1", 5.0, "consistent", port)
    return ConsulWatches(client, "127.0.0.1", 5.0, "consistent", port)


def test_a_query_of_consul_tells_what_is_there(consul: int) -> None:
    client, other = consul_client(consul), consul_client(consul)
    told = heard(client)
    first = client.write("s/a", "1").version
    client.watch("w", "s/", -1)
    client.watch("none", "s/c", -1)
    both = other.write_all({"s/a": "2", "s/b": "3"}).version

    eventually(lambda: len(told) == 4)
    other.delete("s/a")
    with pytest.raises(Refused):
        other.delete("s/a")
    with pytest.raises(Refused):
        other.write_all({"s/a": None, "s/b": "4"})
    eventually(lambda: len(told) == 5)
    seen = [(value, fields["key"], fields.get("modified")) for _, value, fields in told]
    assert seen[:2] == [("1", "s/a", first), (None, "s/c", None)]
    assert sorted(seen[2:4]) == [("2", "s/a", both), ("3", "s/b", both)]
    assert seen[4] == (None, "s/a", None)
    indexes = [fields["version"] for _, _, fields in told if fields["stream"].startswith("w/")]
    assert indexes == sorted(indexes)
    client.unwatch("none")
    client.close()
    assert [f for f, _, _ in told[5:]] == ["ended"] * 3


def test_a_query_of_consul_that_broke_goes_on_under_another_name(consul: int) -> None:
    client = consul_client(consul)
    told = heard(client)
    client.write("b/a", "1")
    client.watch("w", "b/", -1)
    connection = client._queries["w"]._connection
    assert connection is not None
    connection.sock.shutdown(socket.SHUT_RDWR)
    client.write("b/a", "2")
    eventually(lambda: told[-1][1] == "2")
    assert [f for f, _, _ in told][:2] == ["poll", "ended"]
    assert {fields["stream"] for f, _, fields in told if f == "poll"} == {"w/b/a/0", "w/b/a/1"}
    client.close()


def test_watches_of_consul_are_reliable(consul: int, tmp_path: Path) -> None:
    workload = Watch(settle=0.5)
    connects = [lambda: consul_client(consul)]
    history = loaded(workload, connects, tmp_path / "h.jsonl", seconds=1.5, rate=100)
    (check,) = workload.checks
    judgement = check.judge(history, check.levels)
    assert judgement.levels == {"reliable": True}, judgement
    assert judgement.figures["answers"] > 50


@needs_etcd
def test_watches_of_etcd_are_reliable(etcd: tuple[list[int], list[int]], tmp_path: Path) -> None:
    # Compactions are left out: Debian's etcd then misses deletions, which is etcd's issue 18089.
    workload = Watch(settle=0.5, compactions=0.0)
    connects = [lambda place=place: etcd_client(etcd, place) for place in range(3)]
    history = loaded(workload, connects, tmp_path / "h.jsonl", seconds=1.5, rate=150)
    (check,) = workload.checks
    judgement = check.judge(history, check.levels)
    assert judgement.levels == {"reliable": True}, judgement
    assert judgement.figures["streams"] > 10
