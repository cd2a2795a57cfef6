"""Changes of the raft example's members: what its log says, and whole clusters of processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
from test_raft_store import Cluster, eventually, free_ports, others

SOURCES = Path(__file__).parents[2] / "examples" / "raft"


@pytest.fixture(scope="module")
def members() -> Any:
    """The module of the example, which is in no package."""
    spec = spec_from_file_location("members_of_raft", SOURCES / "members.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def entry(*names: str) -> dict[str, Any]:
    return {"f": "members", "members": {name: f"{name}:1" for name in names}}


def test_a_change_is_in_effect_from_the_log_and_void_when_its_entry_is(members: Any) -> None:
    three = members.Members({name: f"{name}:1" for name in ("a", "b", "c")})
    assert (sorted(three.now), three.since, three.majority) == (["a", "b", "c"], 0, 2)
    three.take(5, entry("a", "b", "c", "d"))
    three.take(6, {"f": "write"})
    assert (sorted(three.now), three.since, three.majority) == (["a", "b", "c", "d"], 5, 3)
    three.cut(6)
    assert three.since == 5
    three.cut(5)
    assert (sorted(three.now), three.since) == (["a", "b", "c"], 0)
    assert three.address("d") is None


def test_a_removed_node_stands_only_until_its_removal_is_known_to_be_committed(
    members: Any,
) -> None:
    known = members.Members({"a": "a:1", "b": "b:1"})
    known.take(3, entry("b"))
    assert known.stands("a")
    assert not known.settled
    known.committed(3)
    assert not known.stands("a")
    assert known.settled
    assert known.votes("a"), "its vote counts for those who do not know yet"


def test_who_joins_neither_stands_nor_votes_before_its_log_says_that_it_is_a_member(
    members: Any,
) -> None:
    new = members.Members({"a": "a:1", "b": "b:1", "c": "c:1"}, joins=True)
    assert not new.stands("c")
    new.take(3, entry("a", "b"))
    new.committed(3)
    assert not new.votes("c")
    assert not new.stands("c")
    new.take(4, entry("a", "b", "c"))
    assert new.votes("c")
    assert new.stands("c")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"f": "add", "node": "a", "address": "a:1"}, "a is a member already"),
        ({"f": "remove", "node": "c"}, "c is no member"),
        ({"f": "remove", "node": "a"}, "a is the last member"),
    ],
)
def test_a_change_that_changes_nothing_is_refused(
    members: Any, change: dict[str, str], reason: str
) -> None:
    alone = members.Members({"a": "a:1"})
    assert alone.changed(change) == {"error": reason, "definite": True}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with Cluster(tmp_path, 3) as made:
        yield made


def asked(cluster: Cluster, at: str, request: str, **fields: str) -> dict[str, Any]:
    """Ask until the leader takes it: a new one must first commit an entry of its own."""
    client = cluster.client(at)
    said: dict[str, Any] = {}

    def done() -> bool:
        nonlocal said
        said = client.send(request, dict(fields))[1]
        return "try again" not in said.get("error", "")

    eventually(done)
    client.close()
    return said


def test_nodes_leave_and_others_join_and_nothing_is_lost(cluster: Cluster) -> None:
    """The leader is removed too, and another node takes its data's place with an empty disk."""
    cluster.client("n1").write("x", "1")
    old = cluster.leader()
    one, other = others(cluster, old)
    left = asked(cluster, one, "remove", node=old)
    assert sorted(left["members"]) == sorted([one, other])
    cluster.leader(one, other)
    cluster.client(one).cas("x", "1", "2")
    eventually(lambda: cluster.role(old) == "follower")
    assert asked(cluster, one, "remove", node=old)["error"] == f"{old} is no member"

    cluster.ports["n4"] = free_ports(1)[0]
    address = f"127.0.0.1:{cluster.ports['n4']}"
    joins(cluster, "n4")
    assert cluster.client("n4").status()["members"] == []
    assert "n4" in asked(cluster, one, "add", node="n4", address=address)["members"]
    eventually(lambda: cluster.client("n4").read("x").value == "2")
    eventually(lambda: "n4" in cluster.client("n4").status()["members"])

    # Now n4 is needed: without it, one of three is no majority. And it has all on its disk.
    cluster.signal(signal.SIGKILL, "n4", other)
    joins(cluster, "n4")
    cluster.leader(one, "n4")
    eventually(lambda: cluster.client("n4").read("x").value == "2")
    shown = asked(cluster, one, "members")
    assert sorted(shown["members"]) == sorted([one, other, "n4"])


def joins(cluster: Cluster, name: str) -> None:
    """Start a node that is to be added; it knows where the others are."""
    cluster.names.append(name) if name not in cluster.names else None
    cluster.options.append("--join")
    cluster.start(name)
    cluster.options.remove("--join")
    eventually(lambda: cluster.role(name))


@pytest.mark.parametrize("bug", [None, "config-two-at-once"])
def test_without_a_majority_a_leader_takes_one_change_only(tmp_path: Path, bug: str | None) -> None:
    """Else it takes out one node after another, until it needs nobody."""
    options = ["--election-timeout", "2.5", *(["--bug", bug] if bug else [])]
    with Cluster(tmp_path, 3, *options) as cluster:
        leader = cluster.leader()
        eventually(lambda: cluster.client(leader).write("x", "1"))
        one, other = others(cluster, leader)
        cluster.signal(signal.SIGSTOP, one, other)
        client = cluster.client(leader)
        status, said = client.send("remove", {"node": one, "timeout": 0.2})
        assert (status, said["definite"]) == (504, False)
        status, said = client.send("remove", {"node": other, "timeout": 0.2})
        if bug is None:
            assert status == 409
            assert "another change is not committed yet" in said["error"]
        else:
            assert (status, sorted(said["members"])) == (200, [leader])
            client.write("x", "2")
        cluster.signal(signal.SIGCONT, one, other)


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"node": "n4"}, "add needs address"),
        ({"node": "n4", "address": "here"}, "'here' is not ADDRESS:PORT"),
        ({"node": 4, "address": "127.0.0.1:1"}, "node must be a string"),
    ],
)
def test_a_member_needs_a_name_and_an_address(
    alone: Cluster, fields: dict[str, Any], complaint: str
) -> None:
    status, said = alone.client("n1").send("add", fields)
    assert status == 400
    assert complaint in said["error"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("alone"), 1) as made:
        yield made


def test_the_command_line_says_how_to_join() -> None:
    command = [sys.executable, str(SOURCES / "server.py"), "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "--join" in shown
