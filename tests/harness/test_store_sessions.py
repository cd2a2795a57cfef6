"""Sessions of etcd and Consul against the real thing, and what is told of them."""

import threading
import time
from typing import Any

import pytest
from store_servers import eventually, needs_etcd
from test_raft_store import free_ports

from partita.harness.systems.consul_sessions import ConsulSession
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.harness.systems.renewals import Over, Renewals
from partita.workloads.client import Definite, Indefinite


class Told:
    """Keeps what is told, in its order: f, value, and all else."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any, dict[str, Any]]] = []

    def __call__(self, f: str, /, value: Any = None, **fields: Any) -> None:
        self.events.append((f, value, fields))

    def of(self, f: str) -> list[Any]:
        return [value for name, value, _ in self.events if name == f]


class Scripted:
    """A session whose renewals come out as a test says, the last way for ever."""

    name, ttl, opened = "s1", 0.03, 0.0
    said = {"session": "s1", "ttl": 0.03}  # noqa: RUF012

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.closed = threading.Event()

    def beat(self) -> None:
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if outcome:
            raise outcome

    def end(self) -> None:
        self.beat()

    def close(self) -> None:
        self.closed.set()


def test_each_renewal_is_told_with_what_came_of_it() -> None:
    told = Told()
    outcomes = [None, Indefinite("timeout"), Definite("refused"), None, Over("gone")]
    renewals = Renewals(Scripted(*outcomes), told)
    eventually(lambda: renewals.lost)
    # What was not sent is not told; the first is that it was opened.
    eventually(lambda: told.of("told") == [None])
    assert told.of("beat") == [True, True, None, True, False]
    assert all(fields["session"] == "s1" for _, _, fields in told.events)
    assert all("sent" in fields for f, _, fields in told.events if f == "beat")
    renewals.close()
    assert told.of("close") == []  # the store ended it


def test_a_session_that_is_closed_is_renewed_no_more() -> None:
    told, session = Told(), Scripted(None)
    renewals = Renewals(session, told)
    eventually(lambda: len(told.events) > 3)
    renewals.close()
    assert session.closed.is_set()
    count = len(told.events)
    assert told.events[-1][:2] == ("close", True)
    time.sleep(0.1)
    assert len(told.events) == count


@needs_etcd
def test_a_lease_of_etcd_lives_as_long_as_it_is_renewed(
    etcd: tuple[list[int], list[int]],
) -> None:
    forgotten, renewed = (EtcdSession("127.0.0.1", 1, 5.0, port) for port in etcd[0][:2])
    assert renewed.ttl == renewed.said["ttl"] == 2.0  # one is too short: the answer counts
    assert renewed.name != forgotten.name
    while time.monotonic() < forgotten.opened + forgotten.ttl + forgotten.said["grace"]:
        renewed.beat()
        time.sleep(0.5)
    with pytest.raises(Over):
        forgotten.beat()
    renewed.end()
    with pytest.raises(Over):
        renewed.beat()
    with pytest.raises(Definite):
        renewed.end()


def test_a_session_of_consul_is_made_with_what_it_grants(consul: int) -> None:
    session = ConsulSession("127.0.0.1", 1, 5.0, lock_delay=1, port=consul)
    assert session.ttl == session.said["ttl"] == 10.0
    assert session.said["grace"] > session.ttl  # it may live for twice its time
    session.beat()
    session.end()
    with pytest.raises(Over):
        session.beat()


@pytest.mark.parametrize("make", [EtcdSession, ConsulSession])
def test_without_a_store_there_is_no_session(make: Any) -> None:
    with pytest.raises(Definite, match="refused"):
        make("127.0.0.1", 10, 1.0, port=free_ports(1)[0])
