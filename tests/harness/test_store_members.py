"""What is peculiar to each store's members: how they are named, joined and refused; without one."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from partita.harness.systems import consul_members, etcd_members, zookeeper_members
from partita.harness.systems.etcd_members import EtcdMembers
from partita.harness.systems.zookeeper_members import ZooKeeperMembers
from partita.workloads.client import Definite, Indefinite

NODES: Any = [SimpleNamespace(name=f"n{k}", address=f"10.0.0.{k}") for k in (1, 2, 3, 4)]
N1, N2, N3, N4 = NODES


class Gateway:
    """An etcd of three members, of which the last one has not said its name yet."""

    answer: Exception | None = None
    did: list[tuple[str, dict[str, Any]]]

    def __init__(self, host: str, timeout: float) -> None:
        pass

    def ask(self, path: str, request: dict[str, Any], *, reads: bool = False) -> dict[str, Any]:
        if path.endswith("list"):
            urls = [f"http://10.0.0.{number}:2380" for number in (1, 2, 3)]
            return {"members": [{"ID": url[-6], "peerURLs": [url]} for url in urls]}
        Gateway.did.append((path.rpartition("/")[2], request))
        if Gateway.answer is not None:
            raise Gateway.answer
        return {}

    def close(self) -> None:
        pass


@pytest.fixture
def etcd(monkeypatch: pytest.MonkeyPatch) -> EtcdMembers:
    Gateway.answer, Gateway.did = None, []
    monkeypatch.setattr(etcd_members, "Gateway", Gateway)
    made = EtcdMembers()
    assert made.start(N1, NODES)[-1] == "new"
    return made


def test_etcd_names_its_members_by_url_before_they_start(etcd: EtcdMembers) -> None:
    assert etcd.voters(N1) == ["n1", "n2", "n3"]
    assert EtcdMembers().voters(N1)[0] == "http://10.0.0.1:2380"


def test_who_joins_etcd_is_told_of_those_that_are_there(etcd: EtcdMembers) -> None:
    etcd.add(N4, N1)
    assert Gateway.did == [("add", {"peerURLs": ["http://10.0.0.4:2380"]})]
    joins = "n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n3=http://10.0.0.3:2380"
    assert etcd.start(N4, NODES) == [
        "--initial-cluster",
        f"{joins},n4=http://10.0.0.4:2380",
        "--initial-cluster-state",
        "existing",
    ]
    assert etcd.start(N1, NODES)[-1] == "new", "the others began together"
    etcd.forget(N4)
    assert etcd.start(N4, NODES)[-1] == "new"


def test_who_is_out_of_etcd_is_not_put_out_again(etcd: EtcdMembers) -> None:
    etcd.remove(N2, N1)
    etcd.remove(N4, N1)
    assert [what for what, _ in Gateway.did] == ["remove"]


def test_an_unhealthy_cluster_refuses_and_what_timed_out_is_open(etcd: EtcdMembers) -> None:
    Gateway.answer = Indefinite("etcdserver: unhealthy cluster")
    with pytest.raises(Definite):
        etcd.remove(N2, N1)
    Gateway.answer = Indefinite("etcdserver: request timed out")
    with pytest.raises(Indefinite):
        etcd.remove(N2, N1)


CONF = """\
clientPort=2181
membership:
server.1=10.0.0.1:2888:3888:participant;0.0.0.0:2181
server.2=10.0.0.2:2888:3888:observer;0.0.0.0:2181
server.4=[fd70::4]:2888:3888:participant;0.0.0.0:2181
version=100000003
"""


def test_zookeepers_voters_are_its_participants(monkeypatch: pytest.MonkeyPatch) -> None:
    members = ZooKeeperMembers()
    members._numbers = {node.name: number for number, node in enumerate(NODES, 1)}
    monkeypatch.setattr(zookeeper_members, "told", lambda node, word: CONF)
    assert members.voters(N1) == ["n1", "n4"]
    silent = "This ZooKeeper instance is not currently serving requests"
    monkeypatch.setattr(zookeeper_members, "told", lambda node, word: silent)
    with pytest.raises(Definite, match="n1 does not say who belongs"):
        members.voters(N1)


def test_zookeeper_is_another_one_only_if_members_change() -> None:
    members = ZooKeeperMembers()
    assert members.arguments == []
    members.foresee({"pause", "members"})
    assert "superDigest=super:" in members.arguments[0]
    assert members.arguments != _foreseeing().arguments, "each run has a password of its own"
    members.foresee({"pause"})
    assert members.arguments == []


def _foreseeing() -> ZooKeeperMembers:
    made = ZooKeeperMembers()
    made.foresee({"members"})
    return made


class Agent:
    """A server of Consul; `asleep` are the addresses of those that do not listen."""

    asleep: tuple[str, ...] = ()
    did: list[tuple[str, str, str]]
    status = 200

    def __init__(self, host: str, port: int, timeout: float) -> None:
        self._host = host

    def request(self, method: str, path: str, *, reads: bool = False) -> tuple[int, bytes]:
        if self._host in Agent.asleep:
            raise Definite("connection refused")
        Agent.did.append((self._host, method, path))
        servers = [{"Node": "n2", "Voter": True}, {"Node": "n1", "Voter": True}]
        servers.append({"Node": "n3", "Voter": False})
        return Agent.status, json.dumps({"Servers": servers}).encode()

    def close(self) -> None:
        pass


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> type[Agent]:
    Agent.asleep, Agent.did, Agent.status = (), [], 200
    monkeypatch.setattr(consul_members, "Connection", Agent)
    return Agent


def test_consuls_voters_are_those_that_it_made_voters(agent: type[Agent]) -> None:
    assert consul_members.voters(N1) == ["n1", "n2"]
    agent.status = 500
    with pytest.raises(Definite):
        consul_members.voters(N1)


def test_a_server_of_consul_leaves_and_is_put_out_if_it_does_not_listen(
    agent: type[Agent],
) -> None:
    consul_members.remove(N2, N1)
    agent.asleep = ("10.0.0.2",)
    consul_members.remove(N2, N1)
    assert agent.did == [
        ("10.0.0.2", "PUT", "/v1/agent/leave"),
        ("10.0.0.1", "DELETE", "/v1/operator/raft/peer?address=10.0.0.2:8300"),
    ]


@pytest.mark.parametrize(("status", "error"), [(403, Definite), (500, Indefinite)])
def test_what_consul_answers_is_certain_or_not(
    agent: type[Agent], status: int, error: type[Exception]
) -> None:
    agent.status = status
    with pytest.raises(error):
        consul_members.remove(N2, N1)
