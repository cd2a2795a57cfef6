"""Snapshots of the raft example: what they stand for, and who needs them."""

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_raft_store import Cluster, eventually, others

OFTEN = ("--compact", "20")


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with Cluster(tmp_path, *getattr(request, "param", (3, *OFTEN))) as made:
        yield made


def status(cluster: Cluster, name: str) -> dict[str, Any]:
    client = cluster.client(name)
    try:
        return client.status()
    finally:
        client.close()


def write_many(cluster: Cluster, name: str, count: int = 50) -> None:
    client = cluster.client(name)
    for value in range(count):
        eventually(lambda value=value: client.write(f"k{value % 7}", str(value)))


def test_the_log_of_every_node_is_cut_and_nothing_is_lost_with_it(cluster: Cluster) -> None:
    """Sessions, locks, and who was answered are in a snapshot, too."""
    client = cluster.client("n1")
    session = client.ask("open", ttl=60.0)["session"]
    token = client.ask("acquire", session=session, key="lock")["token"]
    once = {"client": "c", "number": 1, "key": "once", "old": None, "value": "1"}
    eventually(lambda: client.send("cas", once)[0] == 200)
    write_many(cluster, "n2")
    eventually(lambda: all(status(cluster, name)["snapshot"] for name in cluster.names))
    cluster.signal(signal.SIGKILL, *cluster.names)
    for name in cluster.names:
        journal = (cluster.directory / name / "journal.jsonl").read_text()
        assert len(journal.splitlines()) < 50
        cluster.start(name)
    cluster.leader()
    client = cluster.client("n3")
    eventually(lambda: client.read("k0").value == "49")
    assert client.send("cas", once)[0] == 200
    assert client.ask("observe", key="lock")["token"] == token
    client.ask("release", key="lock", token=token)
    assert client.ask("beat", session=session)["version"] > token


def test_a_follower_that_is_far_behind_gets_a_snapshot(cluster: Cluster) -> None:
    late = others(cluster, cluster.leader())[0]
    cluster.signal(signal.SIGKILL, late)
    write_many(cluster, cluster.leader())
    cluster.start(late)
    eventually(lambda: status(cluster, late)["applied"] >= 50)
    assert status(cluster, late)["snapshot"] > 0
    seen = cluster.client(late).send("read", {"key": "k0", "seen": 1})[1]
    assert seen["value"] == "49"
    # What it was told stands for what it never had, as soon as it has to lead.
    cluster.signal(signal.SIGKILL, others(cluster, late, cluster.leader())[0])
    eventually(lambda: cluster.client(late).read("k1").value == "43")


@pytest.mark.parametrize(
    ("cluster", "keeps"),
    [
        ((3, "--compact", "30"), True),
        ((3, "--compact", "30", "--bug", "snapshot-drops-tail"), False),
    ],
    indirect=["cluster"],
)
def test_what_follows_a_snapshot_in_the_log_stays(cluster: Cluster, keeps: bool) -> None:
    write_many(cluster, "n1")
    eventually(lambda: all(status(cluster, name)["snapshot"] for name in cluster.names))
    leader = cluster.leader()
    follower = others(cluster, leader)[0]
    before = status(cluster, follower)
    assert before["last"] > before["snapshot"]
    # Nobody sends again what is thrown away.
    cluster.signal(signal.SIGSTOP, *others(cluster, follower))
    time.sleep(0.2)
    (snapshot,) = snapshots(cluster.directory / follower / "journal.jsonl")
    piece = snapshot | {"offset": 0, "whole": len(snapshot["state"])}
    message = {"term": before["term"] + 1, "leader": leader, "piece": piece}
    said = cluster.client(follower).send("snapshot", message)[1]
    assert said["have"] == len(snapshot["state"])
    after = status(cluster, follower)
    assert after["last"] == (before["last"] if keeps else before["snapshot"])
    cluster.signal(signal.SIGCONT, *others(cluster, follower))


def snapshots(journal: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    return [record["snapshot"] for record in records if "snapshot" in record]


def test_a_snapshot_comes_in_pieces(cluster: Cluster) -> None:
    """The state is larger than a piece, and the follower begins with none of it."""
    late = others(cluster, cluster.leader())[0]
    cluster.signal(signal.SIGKILL, late)
    client = cluster.client(cluster.leader())
    for number in range(25):
        eventually(lambda number=number: client.write(f"k{number}", f"{number}:" + "x" * 20_000))
    cluster.start(late)
    eventually(lambda: status(cluster, late)["snapshot"] > 0, patience=30)
    seen = cluster.client(late).send("read", {"key": "k3", "seen": 1})[1]
    assert seen["value"] == "3:" + "x" * 20_000
