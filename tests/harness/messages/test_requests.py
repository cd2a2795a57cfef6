"""Clients send what Maelstrom's workloads send, and understand the answers of made-up nodes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from partita.harness.messages import clients
from partita.harness.messages.calls import Caller, Heard
from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links
from partita.harness.messages.neighbours import Neighbours
from partita.harness.messages.router import Router
from partita.harness.messages.streams import Streams
from partita.harness.messages.topologies import Shape, neighbours_in
from partita.workloads.client import Definite, Indefinite, Refused

Answers = Callable[[dict[str, Any]], dict[str, Any]]


class Node:
    """A node that answers as it is told to, and keeps what it was asked."""

    def __init__(self, router: Router, name: str = "n1") -> None:
        self.asked: list[dict[str, Any]] = []
        self.answers: Answers = lambda body: {}
        self.heard = Heard()
        self.router, self._name = router, name
        router.attach(name, self._take)

    def caller(self) -> Caller:
        return Caller(self.router, 0.5, self.heard)

    def _take(self, client: str, raw: msgspec.Raw) -> None:
        body = msgspec.json.decode(raw)
        number = body.pop("msg_id")
        self.asked.append(body)
        answer = {"type": f"{body['type']}_ok"} | self.answers(body)
        self.router.send(self._name, client, answer | {"in_reply_to": number})


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    router = Router(Links(), Messages(tmp_path / "messages.jsonl", 1000))
    yield Node(router)
    router.close()


def test_an_echo(node: Node) -> None:
    node.answers = lambda body: {"echo": body["echo"]}
    assert clients.Echoes(node.caller(), "n1").echo("hello") == "hello"
    assert node.asked == [{"type": "echo", "echo": "hello"}]


def test_an_id_is_whatever_it_is_and_must_be_there(node: Node) -> None:
    ids = clients.Ids(node.caller(), "n1")
    node.answers = lambda body: {"id": [1, {"a": None}]}
    assert ids.generate() == [1, {"a": None}]
    node.answers = lambda body: {}
    with pytest.raises(Indefinite, match="has no id"):
        ids.generate()


def test_a_counter(node: Node) -> None:
    counter = clients.Counters(node.caller(), "n1")
    node.answers = lambda body: {"value": 7}
    counter.add("counter", -2)
    assert counter.value("counter") == 7
    assert node.asked == [{"type": "add", "delta": -2}, {"type": "read"}]
    for wrong in (7.5, "7", None, True):
        node.answers = lambda body, wrong=wrong: {"value": wrong}  # type: ignore[misc]
        with pytest.raises(Indefinite, match="whole number"):
            counter.value("counter")


def test_a_node_is_told_its_neighbours_once_in_each_life(node: Node) -> None:
    lives = [1]
    told = {"n1": ["n2"], "n2": ["n1"]}
    neighbours = Neighbours(told, lambda name: lives[-1] if name == "n1" else None)
    client = clients.Broadcasts(node.caller(), "n1", neighbours)
    node.answers = lambda body: {"messages": [3, 4]}
    client.broadcast("3")
    assert client.messages() == ["3", "4"]
    lives.append(2)
    client.broadcast("4")
    assert [each["type"] for each in node.asked] == [
        "topology", "broadcast", "read", "topology", "broadcast"
    ]  # fmt: skip
    assert node.asked[:2] == [
        {"type": "topology", "topology": told}, {"type": "broadcast", "message": 3}
    ]  # fmt: skip


def test_all_nodes_know_their_neighbours_before_the_first_message_is_told(node: Node) -> None:
    told = {"n1": ["n2"], "n2": ["n1"]}
    other = Node(node.router, "n2")
    both = Neighbours(told, lambda name: name)
    clients.Broadcasts(node.caller(), "n1", both).broadcast("3")
    assert [each["type"] for each in other.asked] == ["topology"]
    clients.Broadcasts(node.caller(), "n2", both).broadcast("4")
    assert [each["type"] for each in other.asked] == ["topology", "broadcast"]


def test_a_node_need_not_want_its_neighbours(node: Node) -> None:
    def answers(body: dict[str, Any]) -> dict[str, Any]:
        known = body["type"] != "topology"
        return {} if known else {"type": "error", "code": 10, "text": "not for me"}

    node.answers = answers
    clients.Broadcasts(node.caller(), "n1", Neighbours({}, lambda name: 1)).broadcast("3")
    assert node.asked[-1]["type"] == "broadcast"
    assert node.heard.unsupported() == []


def test_a_message_was_not_sent_if_the_topology_was_not_taken(node: Node) -> None:
    node.answers = lambda body: {"type": "error", "code": 13}
    with pytest.raises(Definite, match="did not take its topology: error 13"):
        clients.Broadcasts(node.caller(), "n1", Neighbours({}, lambda name: 1)).broadcast("3")
    assert [each["type"] for each in node.asked] == ["topology"]


def test_requests_that_no_node_knows_are_told(node: Node) -> None:
    node.answers = lambda body: {"type": "error", "code": 10}
    with pytest.raises(Refused):
        clients.Ids(node.caller(), "n1").generate()
    assert node.heard.unsupported() == [
        "n1 does not know the request 'generate' (error 10): is it made for this workload?"
    ]
    node.answers = lambda body: {"id": 1}
    clients.Ids(node.caller(), "n1").generate()
    assert node.heard.unsupported() == []


@pytest.mark.parametrize("shape", ["grid", "line", "total", "tree", "tree3"])
@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_every_shape_is_connected_both_ways(shape: Shape, count: int) -> None:
    names = [f"n{number}" for number in range(1, count + 1)]
    found = neighbours_in(shape, names)
    assert all(one in found[other] for one in names for other in found[one])
    assert all(len(set(each)) == len(each) and name not in each for name, each in found.items())
    reached, new = set(), {"n1"}
    while new:
        reached |= new
        new = {other for one in new for other in found[one]} - reached
    assert reached == set(names)


def test_shapes_are_what_they_are_called() -> None:
    names = ["n1", "n2", "n3", "n4", "n5"]
    assert neighbours_in("grid", names)["n5"] == ["n4", "n2"]
    assert neighbours_in("line", names)["n3"] == ["n2", "n4"]
    assert neighbours_in("tree", names)["n2"] == ["n1", "n4", "n5"]
    assert len(neighbours_in("total", names)["n3"]) == 4


def test_logs(node: Node) -> None:
    logs = Streams(node.caller(), "n1")
    node.answers = lambda body: {
        "offset": 4, "msgs": {"0": [[4, 12]]}, "offsets": {"0": 4}
    }  # fmt: skip
    assert logs.send("0", "12").version == 4
    assert logs.poll({"0": 4, "1": 0}) == {"0": [(4, "12")]}
    logs.commit({"0": 4})
    assert logs.committed(["0", "1"]) == {"0": 4}
    assert node.asked == [
        {"type": "send", "key": "0", "msg": 12},
        {"type": "poll", "offsets": {"0": 4, "1": 0}},
        {"type": "commit_offsets", "offsets": {"0": 4}},
        {"type": "list_committed_offsets", "keys": ["0", "1"]},
    ]
    node.answers = lambda body: {"offset": -1, "msgs": {"0": [4]}, "offsets": {"0": "4"}}
    for ask in (lambda: logs.send("0", "1"), lambda: logs.poll({}), lambda: logs.committed([])):
        with pytest.raises(Indefinite, match=r"no offset|no lists"):
            ask()
