"""The router with real programs: who gets which message, when, and what is written down."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from routed import Cluster, eventually, routed
from talking import ECHO, PREAMBLE

from partita.harness.messages.calls import Fault
from partita.harness.messages.links import Rule
from partita.workloads.client import Indefinite, Refused


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with routed(tmp_path) as made:
        yield made


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


# Asks a service before it answers init, and tells in which order messages came to it.
SLOW_TO_BEGIN = """
import json, sys, time
came = []
def say(dest, body):
    print(json.dumps({"src": "n1", "dest": dest, "body": body}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    body = message["body"]
    came.append(body["type"])
    if body["type"] == "init":
        say("kv", {"type": "read", "msg_id": 1})
    elif body["type"] == "read_ok":
        time.sleep(0.2)
        say("c0", {"type": "init_ok", "in_reply_to": 1})
    else:
        say(message["src"], {"type": "x_ok", "in_reply_to": body["msg_id"], "came": came})
"""


def test_a_node_is_asked_nothing_before_it_has_answered_init(cluster: Cluster) -> None:
    router = cluster.router
    answer = {"type": "read_ok", "in_reply_to": 1}
    router.attach("kv", lambda src, body: router.send("kv", src, answer))
    init = ("c0", {"type": "init", "msg_id": 1, "node_id": "n1", "node_ids": ["n1"]})
    command = [sys.executable, "-c", SLOW_TO_BEGIN]
    router.spawn("n1", command, cluster.folder, cluster.folder / "said.log", init)
    asked = cluster.caller().call("n1", {"type": "x"})
    assert asked["came"] == ["init", "read_ok", "x"]
    assert cluster.caller().call("n1", {"type": "x"})["came"] == ["init", "read_ok", "x", "x"]


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


@pytest.mark.parametrize("spared", [True, False])
def test_clients_are_struck_if_that_is_asked_for_and_services_never(
    cluster: Cluster, spared: bool
) -> None:
    cluster.links.spares_clients = spared
    cluster.start(ECHO, "n1")
    cluster.router.attach("kv", lambda src, body: None)
    caller = cluster.caller(0.3)
    cluster.links.add(Rule((), lost=1.0, beside={"n1"}))
    for name in (caller.name, "kv"):
        cluster.router.send(name, "n1", {"type": "x", "msg_id": 9})
    eventually(lambda: cluster.router.journal.counts.total() == (6 if spared else 5))
    lost = [line["src"] for line in cluster.lines() if line.get("lost")]
    assert lost == ([] if spared else [caller.name])


def test_messages_of_a_slow_link_keep_their_order(cluster: Cluster) -> None:
    cluster.start(CURIOUS, "n1")
    cluster.start(ECHO, "n2")
    cluster.links.add(Rule({("n1", "n2")}, ms=60, jitter=50))
    assert answers(cluster) == 40
    asked = [line for line in cluster.lines() if line["dest"] == "n2"][1:]
    assert [line["body"]["msg_id"] for line in asked] == list(range(40))
    assert all(line["at"] - line["sent"] >= 10_000_000 for line in asked)


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
