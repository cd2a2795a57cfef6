"""Locks and so on by a client program of the user's: requests, answers, and events between them."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from partita.harness.systems.commands import read_store
from partita.harness.systems.program import ProgramClient
from partita.harness.systems.program_coordination import CAPABILITIES, CoordinationProgram
from partita.harness.systems.system import StoreError
from partita.workloads.client import Answer, Definite, HasListen, HasLive, Indefinite, Refused

LEAST = {"start": "sleep 1000", "health": "true", "client": "cat"}

# Prints what stands in the key, a line each, or else sends the request back as the value.
SCRIPTED = """
import json, sys
print('{"type": "event", "f": "beat", "value": true, "sent": 1.5, "session": "s0"}', flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if request["key"] and request["key"].startswith("{"):
        print(request["key"], flush=True)
    else:
        answer = {"type": "ok", "value": request, "version": 3, "session": "s1", "ttl": 4}
        print(json.dumps(answer | {"grace": 1, "position": 2, "process": 99}), flush=True)
print('{"type": "event", "f": "close", "value": true}', flush=True)
"""


@pytest.fixture
def client(tmp_path: Path) -> CoordinationProgram:
    (tmp_path / "client.py").write_text(SCRIPTED)
    program = ProgramClient([sys.executable, "client.py"], tmp_path, {}, 5.0)
    return CoordinationProgram(program)


@pytest.mark.parametrize(
    ("call", "arguments", "request_"),
    [
        ("acquire", ["l", 3.0], ("acquire", "l", {"wait": 3.0, "ttl": 4.0})),
        ("release", ["l"], ("release", "l", None)),
        ("campaign", ["e", "me", 3.0], ("campaign", "e", {"name": "me", "wait": 3.0, "ttl": 4.0})),
        ("resign", ["e"], ("resign", "e", None)),
        ("observe", ["e"], ("observe", "e", None)),
        ("open", [9.0], ("open", None, {"ttl": 9.0})),
        ("beat", [], ("beat", None, None)),
        ("close_session", [], ("close", None, None)),
        ("ephemeral", ["k", "v"], ("ephemeral", "k", "v")),
        ("look", ["k"], ("look", "k", None)),
        ("list", ["k"], ("list", "k", None)),
        ("delete", ["k"], ("delete", "k", None)),
        ("write", ["k", "v"], ("write", "k", "v")),
        ("read", ["k"], ("read", "k", None)),
        ("watch", ["w1", "k", 7], ("watch", "k", {"stream": "w1", "since": 7})),
    ],
)
def test_each_call_is_a_request(
    client: CoordinationProgram, call: str, arguments: list[Any], request_: tuple[Any, ...]
) -> None:
    client.live(4.0)
    asked = dict(zip(("f", "key", "value"), request_, strict=True))
    told = {"session": "s1", "ttl": 4, "grace": 1, "position": 2}
    assert getattr(client, call)(*arguments) == Answer(asked, 3, told)
    client.unwatch("w1")
    client.close()


def test_events_are_told_wherever_they_come(client: CoordinationProgram) -> None:
    events: list[Any] = []
    client.acquire("l", 1.0)
    # The first came before anybody listened.
    client.listen(lambda f, value=None, **rest: events.append((f, value, rest)))
    event = '{"type": "event", "f": "told", "key": "l", "version": 4, "why": "over"}'
    client.release(event + '\n{"type": "ok"}')
    client.close()
    assert events == [
        ("beat", True, {"sent": 1.5, "session": "s0"}),
        ("told", None, {"key": "l", "version": 4, "why": "over"}),
        ("close", True, {}),
    ]


@pytest.mark.parametrize(
    ("event", "complaint"),
    [
        ('{"type": "event"}', "without an f"),
        ('{"type": "event", "f": "told", "key": 1}', "whose key is no text"),
        ('{"type": "event", "f": "told", "version": "x"}', "whose version is no whole number"),
        ('{"type": "event", "f": "beat", "sent": "now"}', "whose sent is no number"),
    ],
)
def test_an_event_that_is_none_ends_the_program(
    client: CoordinationProgram, event: str, complaint: str
) -> None:
    with pytest.raises(Indefinite, match=f"printed an event {complaint}: {re.escape(event)}"):
        client.release(event)
    with pytest.raises(Definite, match=complaint):
        client.acquire("l", 1.0)


def test_a_refusal_keeps_the_session_and_a_dead_program_does_not(
    client: CoordinationProgram,
) -> None:
    with pytest.raises(Refused, match="held"):
        client.acquire('{"type": "fail", "error": "held"}', 1.0)
    assert client.release("l").version == 3
    client.close()
    with pytest.raises(Definite) as gone:
        client.release("l")
    assert not isinstance(gone.value, Refused)


def test_a_line_that_nobody_asked_for_is_no_answer(client: CoordinationProgram) -> None:
    assert client.release('{"type": "ok", "version": 5}\n{"type": "ok", "version": 6}').version == 5
    while client._program._lines.empty():
        pass
    with pytest.raises(Definite, match="a line that nobody asked for"):
        client.release("l")


def test_a_store_says_what_its_program_knows(tmp_path: Path) -> None:
    path = tmp_path / "store.toml"

    def written(offers: object) -> Path:
        keys = LEAST | {"offers": offers}
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()))
        return path

    assert {"registers", *CAPABILITIES} <= set(read_store(written(list(CAPABILITIES))).offers)
    assert not set(CAPABILITIES) & set(read_store(written([])).offers)
    with pytest.raises(StoreError, match=r"offers: choose from elections, .*, not 'mutexes'"):
        read_store(written(["mutexes"]))
    with pytest.raises(StoreError, match="offers must be a list of texts"):
        read_store(written("locks"))


def test_a_client_can_be_listened_to_and_given_a_time_to_live(client: CoordinationProgram) -> None:
    assert isinstance(client, HasListen)
    assert isinstance(client, HasLive)
    client.close()
