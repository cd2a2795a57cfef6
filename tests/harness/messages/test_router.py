"""The router with real programs, and everything that such programs may do wrong."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from talking import ECHO, PREAMBLE

from partita.harness.messages.calls import Caller, Fault
from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links, Rule
from partita.harness.messages.process import Process
from partita.harness.messages.router import Router
from partita.workloads.client import Indefinite, Refused

PATIENCE_S = 20.0


class Cluster:
    """A router, and programs that were started with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.links = folder, Links(seed=1)
        self.path = folder / "messages.jsonl"
        self.router = Router(self.links, Messages(self.path, 1000))
        self.router.attach("c0", lambda src, body: None)

    def start(self, script: str, name: str, *, answers: bool = True) -> Process:
        said = self.folder / "said.log"
        command = [sys.executable, "-c", script]
        process = self.router.spawn(name, command, self.folder / name, said)
        body = {"type": "init", "msg_id": 1, "node_id": name, "node_ids": [name]}
        self.router.send("c0", name, body)
        if answers:
            eventually(lambda: process.ready)
        return process

    def caller(self, patience: float = PATIENCE_S) -> Caller:
        return Caller(self.router, patience)

    def lines(self) -> list[dict[str, Any]]:
        self.router.close()
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    if not made.router._over.is_set():
        made.router.close()


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)


def test_requests_are_answered_and_written_down(cluster: Cluster) -> None:
    cluster.start(ECHO, "n1")
    answer = cluster.caller().call("n1", {"type": "echo", "echo": "ä\n"})
    assert answer["echo"] == "ä\n"
    lines = cluster.lines()
    assert [(line["src"], line["dest"], line["body"]["type"]) for line in lines] == [
        ("c0", "n1", "init"),
        ("n1", "c0", "init_ok"),
        (lines[2]["src"], "n1", "echo"),
        ("n1", lines[2]["src"], "echo_ok"),
    ]
    assert all(0 <= line["sent"] <= line["at"] for line in lines)


# Passes what it is asked on to its neighbour, in the name of whoever asked.
PASSES_ON = (
    PREAMBLE
    + """
for message in messages():
    line = json.dumps({"src": message["src"], "dest": "n2", "body": message["body"]})
    print(line, flush=True)
"""
)


def test_a_request_is_passed_on_in_the_name_of_a_client_and_answered_by_another_node(
    cluster: Cluster,
) -> None:
    cluster.start(PASSES_ON, "n1")
    cluster.start(ECHO, "n2")
    assert cluster.caller().call("n1", {"type": "x"})["type"] == "x_ok"
    assert cluster.router.troubles == []
    cluster.links.add(Rule({("n1", "n2")}, cut=True))
    with pytest.raises(Indefinite):
        cluster.caller(0.3).call("n1", {"type": "x"})
    passed_on = [line for line in cluster.lines() if line["dest"] == "n2" and line["src"] != "c0"]
    assert len(passed_on) == 2 and all(line["by"] == "n1" for line in passed_on)


def test_times_count_from_the_beginning_of_the_run(cluster: Cluster) -> None:
    cluster.start(ECHO, "n1")
    cluster.router.begin(time.monotonic_ns())
    cluster.caller().call("n1", {"type": "echo"})
    lines = cluster.lines()
    assert [line["body"]["type"] for line in lines] == ["init", "init_ok", "echo", "echo_ok"]
    assert all(line["sent"] <= line["at"] < 0 for line in lines[:2])
    assert all(0 < line["sent"] <= line["at"] for line in lines[2:])


def test_of_a_long_body_the_type_is_kept_and_how_long_it_was(cluster: Cluster) -> None:
    cluster.start(ECHO, "n1")
    cluster.caller().call("n1", {"type": "echo", "echo": "x" * 5000})
    asked, answered = cluster.lines()[2:]
    assert asked["body"] == {"type": "echo", "msg_id": 1} and asked["bytes"] > 5000
    assert answered["body"]["type"] == "echo_ok" and answered["body"]["in_reply_to"] == 1


def test_what_became_of_messages_is_told_beside_what_passing_them_on_cost(
    cluster: Cluster,
) -> None:
    cluster.start(ECHO, "n1")
    cluster.caller().call("n1", {"type": "echo"})
    told = cluster.router.figures()
    assert (told["delivered"], told["lost"], told["left_out"]) == (4, {}, 0)
    assert told["router_cpu_s"] > 0


# Asks its neighbour again and again, and counts the answers.
CURIOUS = (
    PREAMBLE
    + """
def ask():
    for number in range(40):
        send(sys.argv[1] if len(sys.argv) > 1 else "n2", {"type": "echo", "msg_id": number})
        time.sleep(0.01)
answers = 0
for message in messages():
    if message["body"]["type"] == "go":
        threading.Thread(target=ask).start()
        reply(message, {"type": "go_ok"})
    elif message["body"]["type"] == "echo_ok":
        answers += 1
    elif message["body"]["type"] == "count":
        reply(message, {"type": "count_ok", "count": answers})
"""
)


def answers(cluster: Cluster) -> int:
    caller = cluster.caller()
    caller.call("n1", {"type": "go"})
    seen: list[int] = []

    def still() -> bool:
        seen.append(caller.call("n1", {"type": "count"})["count"])
        time.sleep(0.3)
        return len(seen) > 4 and seen[-4:] == [seen[-1]] * 4

    eventually(still)
    return seen[-1]


def test_messages_between_nodes_are_cut_and_clients_are_spared(cluster: Cluster) -> None:
    cluster.start(CURIOUS, "n1")
    cluster.start(ECHO, "n2")
    assert answers(cluster) == 40
    cut = Rule({("n2", "n1")}, cut=True)
    cluster.links.add(cut)
    assert answers(cluster) == 40, "not one more"
    assert cut.count == 40
    cluster.links.remove(cut)
    assert answers(cluster) == 80
    lost = [line for line in cluster.lines() if line.get("lost")]
    assert len(lost) == 40
    assert all((line["src"], line["lost"]) == ("n2", "cut") and "at" not in line for line in lost)


def test_messages_of_a_slow_link_keep_their_order(cluster: Cluster) -> None:
    cluster.start(CURIOUS, "n1")
    cluster.start(ECHO, "n2")
    cluster.links.add(Rule({("n1", "n2")}, ms=60, jitter=50))
    assert answers(cluster) == 40
    asked = [line for line in cluster.lines() if line["dest"] == "n2"][1:]
    assert [line["body"]["msg_id"] for line in asked] == list(range(40))
    assert all(line["at"] - line["sent"] >= 10_000_000 for line in asked)


def says(text: str) -> str:
    """A program that answers init, and then writes a line of its own."""
    return (
        PREAMBLE
        + f"""
for message in messages():
    sys.stdout.write({text!r} + "\\n")
    reply(message, {{"type": "ok"}})
"""
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("hello", "n1, line 2: no message: "),
        ('{"src": "n1", "dest": "n2"}', "no message: "),
        ('{"src": "n1", "dest": "n9", "body": {}}', "there is nobody called 'n9'"),
        ('{"src": "n2", "dest": "n1", "body": {}}', "it says that it is from 'n2'"),
        ('{"src": "n1", "dest": "n1", "body": {"msg_id": "x"}}', "no message: "),
        pytest.param(
            '{"src": "n1", "dest": "n1", "body": {"x": ' + "[" * 5000 + "]" * 5000 + "}}",
            "no message: ",
            id="nested",
        ),
        ("\udc80", "no message: "),
    ],
)
def test_what_means_nothing_is_shown_with_its_line(cluster: Cluster, line: str, told: str) -> None:
    script = says(line)
    if line == "\udc80":
        script = script.replace("sys.stdout.write('\\udc80'", "os.write(1, b'\\x80'").replace(
            "b'\\x80' + \"\\n\"", "b'\\x80\\n'"
        )
    cluster.start(script, "n1")
    with pytest.raises(Indefinite):
        cluster.caller().call("n1", {"type": "go"})
    assert len(cluster.router.troubles) == 1
    assert told in cluster.router.troubles[0]


# Sends what is no text, where only whoever takes the message would look.
NO_TEXT = (
    PREAMBLE
    + """
for message in messages():
    os.write(1, b'{"src":"n1","dest":"kv","body":{"type":"read","msg_id":1,"key":"\\xff"}}\\n')
    reply(message, {"type": "x_ok"})
"""
)


def test_text_that_is_none_is_told_and_the_next_message_passes(cluster: Cluster) -> None:
    taken: list[str] = []
    cluster.router.attach("kv", lambda src, body: taken.append(src))
    cluster.start(NO_TEXT, "n1")
    assert cluster.caller().call("n1", {"type": "x"})["type"] == "x_ok"
    assert (taken, len(cluster.router.troubles)) == ([], 1)
    assert "n1, line 2: no message: " in cluster.router.troubles[0]


def test_who_breaks_at_a_message_does_not_end_the_network(cluster: Cluster) -> None:
    def breaks(src: str, body: object) -> None:
        raise KeyError("type")

    cluster.router.attach("kv", breaks)
    cluster.start(says('{"src": "n1", "dest": "kv", "body": {}}').replace('"ok"', '"x_ok"'), "n1")
    assert cluster.caller().call("n1", {"type": "x"})["type"] == "x_ok"
    assert cluster.router.troubles == ["kv broke at a message from n1: KeyError('type')"]


def test_who_wants_the_messages_has_the_thread_that_writes_them_put_them_down(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    by: list[str] = []
    journal = cluster.router.journal
    flush = journal.flush

    def seen() -> None:
        by.append(threading.current_thread().name)
        flush()

    monkeypatch.setattr(journal, "flush", seen)
    cluster.start(ECHO, "n1")
    cluster.router.flush()
    assert '"init_ok"' in cluster.path.read_text()
    assert set(by) == {"router"}


def test_an_error_is_an_outcome_and_a_wrong_answer_is_none(cluster: Cluster) -> None:
    script = (
        PREAMBLE
        + """
for message in messages():
    reply(message, {"type": "error", "code": message["body"]["code"], "text": "no"})
"""
    )
    cluster.start(script, "n1")
    caller = cluster.caller()
    with pytest.raises(Fault, match="error 11: no"):
        caller.call("n1", {"type": "x", "code": 11})
    with pytest.raises(Refused, match="error 22: no"):
        caller.ask("n1", {"type": "x", "code": 22})
    for code in (0, 13, 1000):
        with pytest.raises(Indefinite, match=f"error {code}: no"):
            caller.ask("n1", {"type": "x", "code": code})


def test_nobody_waits_longer_than_asked_for_an_answer(cluster: Cluster) -> None:
    cluster.start("import time\ntime.sleep(60)", "n1", answers=False)
    with pytest.raises(Indefinite, match="no answer in time"):
        cluster.caller(0.3).call("n1", {"type": "x"})


def test_a_node_that_has_ended_gets_nothing_and_another_one_takes_its_place(
    cluster: Cluster,
) -> None:
    first = cluster.start(ECHO, "n1")
    caller = cluster.caller()
    caller.call("n1", {"type": "x"})
    first.kill()
    with pytest.raises(Indefinite):
        cluster.caller(0.3).call("n1", {"type": "x"})
    second = cluster.start(ECHO, "n1")
    assert caller.call("n1", {"type": "x"})["type"] == "x_ok"
    assert not first.there() and second.runs()
    assert [line["body"]["type"] for line in cluster.lines() if line.get("lost") == "ended"] == [
        "x"
    ]


def test_a_frozen_node_does_not_run_and_goes_on_where_it_was(cluster: Cluster) -> None:
    process = cluster.start(ECHO, "n1")
    cluster.caller().call("n1", {"type": "x"})
    process.signal(signal.SIGSTOP)
    eventually(lambda: not process.runs())
    assert process.there()
    for _ in range(3):
        cluster.router.send("c0", "n1", {"type": "y", "msg_id": 7, "long": "x" * 100_000})
    process.signal(signal.SIGCONT)
    assert cluster.caller().call("n1", {"type": "x"})["type"] == "x_ok"
    assert sum(line["body"].get("type") == "x" for line in cluster.lines() if "body" in line) == 2


def test_a_line_without_an_end_is_cut_short_and_told(cluster: Cluster) -> None:
    script = (
        PREAMBLE
        + """
for message in messages():
    for _ in range(40):
        sys.stdout.write("x" * 1_000_000)
    sys.stdout.write("\\n")
    reply(message, {"type": "x_ok"})
"""
    )
    cluster.start(script, "n1")
    assert cluster.caller().call("n1", {"type": "x"})["type"] == "x_ok"
    assert cluster.router.troubles == ["n1, line 2: it is longer than 16 MB"]


def test_a_node_that_floods_is_read_no_faster_than_its_messages_arrive(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.harness.messages.router.HELD_MAX", 500)
    script = (
        PREAMBLE
        + """
for message in messages():
    for number in range(3000):
        send("n2", {"type": "flood"})
    reply(message, {"type": "x_ok"})
"""
    )
    cluster.start(script, "n1")
    cluster.start(ECHO, "n2")
    cluster.links.add(Rule({("n1", "n2")}, ms=100))
    most = 0

    def done() -> bool:
        nonlocal most
        most = max(most, len(cluster.router._held))
        return cluster.router.journal.counts["delivered"] > 3000

    cluster.router.send("c0", "n1", {"type": "x", "msg_id": 1})
    eventually(done)
    # What one read brings is let in, and no more.
    assert 500 < most <= 500 + (1 << 18) // 40


def test_nodes_end_with_a_controller_that_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links
from partita.harness.messages.router import Router
folder = Path({str(tmp_path)!r})
router = Router(Links(), Messages(folder / "m", 10))
process = router.spawn("n1", ["sleep", "300"], folder / "n1", folder / "said")
while Path(f"/proc/{{process.pid}}/comm").read_text() != "sleep\\n":
    time.sleep(0.01)  # until then it is not bound to us
print(process.pid, flush=True)
time.sleep(300)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as controller:
        assert controller.stdout is not None
        pid = int(controller.stdout.readline())
        os.kill(pid, 0)
        controller.kill()
    eventually(lambda: not Path(f"/proc/{pid}").exists())


def test_what_is_too_much_is_counted_and_not_written(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path)
    cluster.router.journal._room = 3
    cluster.start(ECHO, "n1")
    caller = cluster.caller()
    for _ in range(4):
        caller.call("n1", {"type": "x"})
    assert len(cluster.lines()) == 3
    assert cluster.router.journal.left_out == 7
    assert cluster.router.journal.counts["delivered"] == 10
