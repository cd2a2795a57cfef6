"""Locks of etcd and Consul against the real thing: processes on loopback."""

import threading
import time
import uuid
from typing import Any

import pytest
from locks_kept import Events, elections_are_kept, listened, locks_are_kept
from store_servers import eventually, needs_etcd
from test_raft_store import free_ports

from partita.harness.systems.consul_elections import ConsulElections
from partita.harness.systems.consul_locks import ConsulLocks
from partita.harness.systems.etcd_elections import EtcdElections
from partita.harness.systems.etcd_locks import EtcdLocks
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.workloads.client import Definite, Indefinite, Refused


@needs_etcd
def test_etcd_keeps_locks(etcd: tuple[list[int], list[int]]) -> None:
    locks_are_kept(lambda: EtcdLocks("127.0.0.1", 5.0, etcd[0][0]), ttl=2)


def test_consul_keeps_locks(consul: int) -> None:
    locks_are_kept(lambda: ConsulLocks("127.0.0.1", 5.0, 0.0, consul), ttl=10)


@needs_etcd
def test_etcd_keeps_elections(etcd: tuple[list[int], list[int]]) -> None:
    elections_are_kept(lambda: EtcdElections("127.0.0.1", 5.0, etcd[0][0]), ttl=2)


def test_consul_keeps_elections(consul: int) -> None:
    elections_are_kept(lambda: ConsulElections("127.0.0.1", 5.0, 0.0, consul), ttl=10)


def test_consul_does_not_grant_what_a_lock_delay_keeps_back(consul: int) -> None:
    events: Events = []
    one, other = (
        listened(ConsulLocks("127.0.0.1", 5.0, 1.0, consul), 10, events) for _ in range(2)
    )
    key = f"lock {uuid.uuid4()}"
    one.acquire(key, 1.0)
    one.close()
    begin = time.monotonic()
    other.acquire(key, 3.0)
    assert 0.8 < time.monotonic() - begin < 2.5
    one = listened(ConsulLocks("127.0.0.1", 5.0, 1.0, consul), 10, events)
    with pytest.raises(Refused):
        one.acquire(key, 0.2)
    other._session.get().end()  # as if it had run out
    with pytest.raises(Definite, match="does not hold it"):
        other.release(key)
    for client in (one, other):
        client.close()


class Dozing(EtcdSession):
    """A lease that nobody renews, as if its client were frozen."""

    def beat(self) -> None:
        raise Indefinite("frozen")


@needs_etcd
def test_what_etcd_grants_to_a_lease_that_is_over_is_told_with_its_token(
    etcd: tuple[list[int], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """etcd 3.4 does so (issue 11456), and by then its key is gone."""
    events: Events = []
    key = f"lock {uuid.uuid4()}"
    one, third = (listened(EtcdLocks("127.0.0.1", 5.0, etcd[0][0]), 10, events) for _ in range(2))
    first = one.acquire(key, 1.0)
    monkeypatch.setattr("partita.harness.systems.etcd_contention.EtcdSession", Dozing)
    other = listened(EtcdLocks("127.0.0.1", 5.0, etcd[0][0]), 2, events)
    granted: list[Any] = []
    waiting = threading.Thread(target=lambda: granted.append(other.acquire(key, 8.0)))
    waiting.start()
    time.sleep(4.0)
    one.release(key)
    waiting.join()
    # Nobody is in its way: its lease is over, and so it holds nothing.
    last = third.acquire(key, 1.0)
    assert first.version < granted[0].version < last.version
    # etcd's log says that its lease was over; of the others nothing of the kind is said.
    assert granted[0].fields["grace"] == 0
    assert "grace" not in first.fields | last.fields
    for client in (one, other, third):
        client.close()


@needs_etcd
def test_a_lease_that_is_lost_is_followed_by_another(etcd: tuple[list[int], list[int]]) -> None:
    events: Events = []
    client = listened(EtcdLocks("127.0.0.1", 5.0, etcd[0][0]), 2, events)
    key = f"lock {uuid.uuid4()}"
    first = client.acquire(key, 1.0)
    client._contention.session.get().end()  # as if it had run out
    eventually(lambda: [f for f, _, _ in events].count("told") == 1)
    second = client.acquire(key, 1.0)
    assert second.version > first.version
    assert second.fields["session"] != first.fields["session"]
    lost = [fields["session"] for f, value, fields in events if (f, value) == ("beat", False)]
    assert lost == [first.fields["session"]]
    client.close()
    assert [fields["session"] for f, _, fields in events if f == "close"] == [
        second.fields["session"]
    ]


@pytest.mark.parametrize("make", [EtcdLocks, lambda *given, port: ConsulLocks(*given, 0.0, port)])
def test_without_a_store_nothing_is_taken(make: Any) -> None:
    client = listened(make("127.0.0.1", 1.0, port=free_ports(1)[0]), 10, [])
    with pytest.raises(Definite, match="refused"):
        client.acquire("lock", 1.0)
    client.close()
