"""Locks, elections, leases and watches of the raft example, as plain processes on loopback."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from leases_kept import leases_are_kept
from loaded import loaded
from locks_kept import elections_are_kept, locks_are_kept
from test_raft_store import Cluster

from partita.checker.watches.watches import Watches
from partita.harness.systems.raft import RaftClient
from partita.harness.systems.raft_leases import RaftLeases
from partita.harness.systems.raft_locks import RaftLocks
from partita.harness.systems.raft_watches import RaftWatches
from partita.workloads.watch import Watch


def connecting(cluster: Cluster, name: str) -> Callable[[], RaftClient]:
    return partial(RaftClient, "127.0.0.1", 5.0, cluster.ports[name])


def locks(cluster: Cluster, name: str) -> RaftLocks:
    connect = connecting(cluster, name)
    return RaftLocks(connect(), connect, 5.0)


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("three"), 3) as cluster:
        yield cluster


def test_locks_are_held_by_one_at_a_time(three: Cluster) -> None:
    for name in three.names[:2]:  # the leader, or one that is not
        locks_are_kept(partial(locks, three, name), ttl=4)


def test_one_leads_at_a_time(three: Cluster) -> None:
    elections_are_kept(partial(locks, three, "n3"), ttl=4)


def test_entries_live_as_long_as_their_session(three: Cluster) -> None:
    for name in three.names[:2]:
        connect = connecting(three, name)
        leases_are_kept(lambda connect=connect: RaftLeases(connect(), connect))


def test_watches_are_reliable(three: Cluster, tmp_path: Path) -> None:
    connects = [connecting(three, name) for name in three.names]
    makes = [lambda connect=connect: RaftWatches(connect(), connect) for connect in connects]
    history = loaded(Watch(settle=1), makes, tmp_path / "watched.jsonl", seconds=2)
    judged = Watches().judge(history, ["reliable"])
    assert judged.levels == {"reliable": True}, judged.found or judged.reason
