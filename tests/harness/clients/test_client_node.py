"""Clients in a program of their own: calls, errors, events; a program that is frozen, or ends."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from client_programs import Here, client_node

from partita.harness.clients.client_node import ClientNode
from partita.harness.clients.program import AWAY_S
from partita.harness.nodes.ssh import SshError
from partita.workloads.client import (
    Answer,
    Definite,
    HasListen,
    HasMove,
    HasPresence,
    Indefinite,
    Mismatch,
    Refused,
)

Place = tuple[ClientNode, Here]
STORE: Any = SimpleNamespace(name="n1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    node, here = client_node(tmp_path_factory.mktemp("c1"), "told_store.py:Told")
    node.start()
    yield node, here
    node.close()
    here.end()


@pytest.fixture
def client(place: Place) -> Any:
    return place[0].client("registers", STORE, 5.0)


def away(node: ClientNode) -> bool:
    now = time.monotonic()
    return node.back_since() >= now


def test_a_call_is_made_there_and_has_its_answer(client: Any, place: Place) -> None:
    assert client.read("x") == Answer(str(place[1].processes[-1].pid), 7, {"session": "s1"})
    assert client.write("nothing", "1") is None


@pytest.mark.parametrize(
    ("key", "kind"), [("definite", Definite), ("refused", Refused), ("indefinite", Indefinite)]
)
def test_an_error_there_is_the_same_here(client: Any, key: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="why") as raised:
        client.write(key, "why")
    assert type(raised.value) is kind
    with pytest.raises(Mismatch) as mismatch:
        client.cas("x", "1", "2")
    assert (mismatch.value.actual, mismatch.value.version) == ("2", 3)


def test_a_client_has_the_methods_that_it_has_there(client: Any) -> None:
    assert isinstance(client, HasListen)
    assert isinstance(client, HasPresence)
    assert not isinstance(client, HasMove)


def test_a_client_that_cannot_be_made_was_not_there(place: Place) -> None:
    with pytest.raises(Definite, match="in too much of a hurry"):
        place[0].client("registers", STORE, 0.5)


def test_one_client_waits_for_no_other(place: Place) -> None:
    clients: list[Any] = [place[0].client("registers", STORE, 5.0) for _ in range(4)]
    threads = [threading.Thread(target=each.read, args=["slow"]) for each in clients]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began < 1.5


def test_events_are_told_with_their_times(client: Any) -> None:
    events: list[tuple[str, Any, dict[str, Any]]] = []
    # The first was told before anybody listened.
    client.listen(lambda f, value=None, **rest: events.append((f, value, rest)))
    before = time.monotonic()
    client.write("tell", "v")
    after = time.monotonic()
    client.close()
    (_, _, beat), (f, value, told), (last, _, _) = events
    assert (beat["session"], told["reason"], last) == ("s1", "asked", "close")
    assert beat["sent"] <= beat["at"] <= before
    assert (f, value, told["key"], told["version"], told["sent"]) == ("told", "v", "k", 9, None)
    assert before - 0.25 <= told["at"] <= after - 0.25


def test_a_frozen_program_keeps_everybody_waiting_and_then_goes_on(place: Place) -> None:
    node, here = place
    client: Any = node.client("registers", STORE, 5.0)
    assert not away(node)
    here.signal(signal.SIGSTOP)
    calls = [threading.Thread(target=client.present)]
    calls += [threading.Thread(target=client.read, args=["x"])]
    for call in calls:
        call.start()
    deadline = time.monotonic() + 10
    while not away(node):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert all(call.is_alive() for call in calls)
    thawed = time.monotonic()
    here.signal(signal.SIGCONT)
    for call in calls:
        call.join(5)
        assert not call.is_alive()
    time.sleep(AWAY_S + 0.5)
    assert thawed - 0.1 <= node.back_since() <= thawed + AWAY_S
    assert not away(node)


def test_a_program_that_ends_leaves_all_open_and_is_started_again(place: Place) -> None:
    node, here = place
    client: Any = node.client("registers", STORE, 5.0)
    other: Any = node.client("registers", STORE, 5.0)
    before = here.processes[-1].pid
    with pytest.raises(Indefinite, match="the program on c1 ended"):
        client.read("die")
    with pytest.raises(Indefinite, match="the program on c1 ended"):
        other.read("x")
    with pytest.raises(Indefinite):
        other.present()
    other.close()
    again: Any = node.client("registers", STORE, 5.0)
    assert again.read("x").value == str(here.processes[-1].pid) != str(before)


def test_what_a_library_prints_goes_to_the_log(client: Any, place: Place) -> None:
    client.read("x")
    assert "what a library prints" in (place[1].folder / "output.log").read_text()


def test_a_program_that_is_told_to_end_does(tmp_path: Path) -> None:
    node, here = client_node(tmp_path, "told_store.py:Told")
    node.start()
    node.close()
    assert here.processes[0].wait(5) == 0
    with pytest.raises(Definite, match="was ended"):
        node.client("registers", STORE, 5.0)


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("told_store.py:Broken", "could not be made: .*no licence"),
        ("missing.py:Told", "there is no file"),
    ],
)
def test_a_system_that_cannot_be_made_there_is_said(tmp_path: Path, system: str, said: str) -> None:
    node, here = client_node(tmp_path, system)
    with pytest.raises(SshError, match=said):
        node.start()
    here.end()


@pytest.mark.parametrize(
    ("status", "stdout", "said"),
    [
        (9, "", "needs the command partita-clients, which is not there: pip install partita=="),
        (0, "0.0.1\n", r"version 0\.0\.1 there, and .* here: pip install partita=="),
        (1, "", "version unknown there"),
    ],
)
def test_another_machine_must_have_the_same_version(
    tmp_path: Path, status: int, stdout: str, said: str
) -> None:
    node, _ = client_node(tmp_path, "told_store.py:Told")
    machine: Any = node.node
    machine.local = False
    machine.run = lambda command, check: SimpleNamespace(status=status, stdout=stdout)
    with pytest.raises(SshError, match=f"^c1: .*{said}"):
        node.start()
