"""Transactions of the raft example as plain processes on loopback, right and with each mistake."""

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from loaded import loaded
from replayed import contradictions
from test_raft_store import SLOW, Cluster, others
from test_store_clients import transactions_are_kept

from partita.harness.commands.selftest_cases import SHOWS
from partita.harness.systems.raft import RaftClient, Reads
from partita.harness.systems.raft_transactions import RaftTransactions
from partita.workloads.client import Definite, Indefinite, Mismatch
from partita.workloads.txn_append import TxnAppend


def connect(cluster: Cluster, name: str, *, reads: Reads = "linearizable") -> RaftTransactions:
    return RaftTransactions(RaftClient("127.0.0.1", 5.0, cluster.ports[name], reads=reads))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("three"), 3) as cluster:
        yield cluster


def test_transactions_are_kept(three: Cluster) -> None:
    for name in three.names:
        transactions_are_kept(partial(connect, three, name))


def test_what_is_guarded_and_what_is_whole_happens_at_one_point(
    three: Cluster, tmp_path: Path
) -> None:
    connects = [partial(connect, three, name) for name in three.names]
    guarded = TxnAppend(keys=3, writes_per_key=40, guard="all")
    history = loaded(guarded, connects, tmp_path / "guarded.jsonl", seconds=1)
    assert contradictions(history) == []
    assert sum(history.extra("retries").values()) > 5


def test_whole_transactions_see_what_they_did(three: Cluster) -> None:
    client = connect(three, "n1")
    first = client.execute([["append", "l", 1], ["r", "l", None], ["append", "l", 2]])
    assert first.value == [["append", "l", 1], ["r", "l", [1]], ["append", "l", 2]]
    assert first.fields == {"versions": [first.version] * 3}
    second = connect(three, "n2").execute([["r", "l", None], ["r", "never", None], ["w", "t", "x"]])
    assert second.value == [["r", "l", [1, 2]], ["r", "never", None], ["w", "t", "x"]]
    assert second.version > first.version
    assert second.fields == {"versions": [first.version, None, second.version]}
    read = connect(three, "n3").execute([["r", "t", None]])
    assert (read.value, read.fields["versions"]) == ([["r", "t", "x"]], [second.version])
    with pytest.raises(Definite, match="t holds no list"):
        client.execute([["w", "l", 7], ["append", "t", 1]])
    assert client.execute([["r", "l", None]]).value == [["r", "l", [1, 2]]]


@pytest.mark.parametrize(
    ("operations", "complaint"),
    [
        ([], "ops must be a list of operations"),
        ("r", "ops must be a list of operations"),
        ([["erase", "x"]], "an operation is a list that begins with check, r, w, append"),
        ([["w", "x"]], "w takes a key, which is a string, and 1 more"),
        ([["r", 3]], "r takes a key"),
    ],
)
def test_bad_requests_are_refused(three: Cluster, operations: Any, complaint: str) -> None:
    status, answer = three.client("n1").send("txn", {"ops": operations})
    assert status == 400
    assert complaint in answer["error"]


def test_a_local_transaction_waits_for_what_its_client_has_seen(tmp_path: Path) -> None:
    with Cluster(tmp_path, 3, *SLOW) as cluster:
        client = connect(cluster, others(cluster, cluster.leader())[0], reads="local")
        for value in range(1, 4):
            client.execute([["w", "x", value]])
            assert client.execute([["r", "x", None]]).value == [["r", "x", value]]


@pytest.mark.parametrize("bug", [None, "txn-no-rollback"])
def test_a_refused_transaction_leaves_nothing(tmp_path: Path, bug: str | None) -> None:
    with Cluster(tmp_path, 1, *(["--bug", bug] if bug else [])) as cluster:
        client = connect(cluster, "n1")
        with pytest.raises(Mismatch):
            client._client.transact([["w", "x", "1"], ["check", "y", 9]])
        assert client.snapshot(["x"]).seen[0].value == ("1" if bug else None)


@pytest.mark.parametrize("bug", [None, "txn-dirty-read"])
def test_what_was_not_committed_cannot_be_read(tmp_path: Path, bug: str | None) -> None:
    with Cluster(tmp_path, 3, *(["--bug", bug] if bug else [])) as cluster:
        leader = cluster.leader()
        client = connect(cluster, leader)
        client.execute([["append", "x", 1]])
        cluster.signal(signal.SIGSTOP, *others(cluster, leader))
        lost = RaftTransactions(RaftClient("127.0.0.1", 0.3, cluster.ports[leader]))
        with pytest.raises(Indefinite):
            lost.execute([["append", "x", 2]])
        try:
            seen = lost.execute([["r", "x", None]]).value
        except Definite:
            seen = None  # it does not know whether it still leads
        assert seen == ([["r", "x", [1, 2]]] if bug else None)
        cluster.signal(signal.SIGCONT, *others(cluster, leader))


# What a load of two seconds has to be like for a mistake to show.
LOADS: dict[str, dict[str, Any]] = {
    "txn-no-rollback": {"guard": "all", "txn_retries": 0},
    "txn-two-queues": {"keys": 2, "txn_length": 2, "read_only": 0.5},
}
# These two need a fault, or messages so slow that something is sent again: see partita selftest.
ELSEWHERE = {"txn-dirty-read", "txn-apply-twice"}


OF_TRANSACTIONS = sorted({bug for bug in SHOWS if bug.startswith("txn-")} - ELSEWHERE)


@pytest.mark.parametrize("bug", [None, *OF_TRANSACTIONS])
def test_each_mistake_is_found_and_called_by_its_name(tmp_path: Path, bug: str | None) -> None:
    workload = TxnAppend(**LOADS.get(bug or "", {}))
    with Cluster(tmp_path, 3, *(["--bug", bug] if bug else [])) as cluster:
        connects = [partial(connect, cluster, name) for name in cluster.names]
        history = loaded(workload, connects, tmp_path / "history.jsonl", seconds=1)
    (check,) = workload.checks
    judgement = check.judge(history, check.levels)
    named = {each["name"] for each in judgement.figures["anomalies"]}
    assert all(named & set(names) for names in SHOWS[bug]) if bug else not named
    assert judgement.levels["strict-serializable"] is (bug in (None, "txn-wrong-revision"))
    # What is right about a mistake is not blamed.
    weaker = {"txn-read-early": "snapshot-isolation", "txn-stale-follower": "serializable"}
    assert bug not in weaker or judgement.levels[weaker[bug]] is True
