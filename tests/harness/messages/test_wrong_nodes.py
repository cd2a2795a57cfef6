"""Programs that do everything wrong: each is told, and none takes the rest along."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from routed import Cluster, eventually, routed
from talking import ECHO, PREAMBLE

from partita.harness.messages.links import Rule
from partita.harness.messages.process import READ_MAX, Process
from partita.workloads.client import Indefinite


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with routed(tmp_path) as made:
        yield made


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
    shown = "x" * 200
    assert cluster.router.troubles == [f"n1, line 2: it is longer than 16 MB: {shown}…"]


def most_held(cluster: Cluster, script: str, ms: float, held: Callable[[], int], sent: int) -> int:
    """Let n1 flood n2 over a slow link; return the most that was held until all had arrived."""
    cluster.start(script, "n1")
    cluster.start(ECHO, "n2")
    cluster.links.add(Rule({("n1", "n2")}, ms=ms))
    most = 0

    def done() -> bool:
        nonlocal most
        most = max(most, held())
        return cluster.router.journal.counts["delivered"] > sent

    cluster.router.send("c0", "n1", {"type": "x", "msg_id": 1})
    eventually(done)
    return most


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
    most = most_held(cluster, script, 100, lambda: len(cluster.router._held), 3000)
    # What one read brings is let in, and no more.
    assert 500 < most <= 500 + READ_MAX // 40
    assert cluster.router.figures()["slowed"].keys() == {"n1"}
    assert cluster.router.figures()["slowed"]["n1"] > 0


def test_who_writes_all_the_time_is_read_in_turns(tmp_path: Path) -> None:
    process = Process(["yes"], tmp_path / "n1", tmp_path / "said.log")
    try:
        read: list[bytes] = []
        eventually(lambda: read.extend(process.read()) or read)
        assert set(read) <= {b"y", b""} and len(read) <= READ_MAX // 2
    finally:
        process.kill()
        process.let_go()


def test_long_messages_that_wait_are_bounded_by_their_bytes(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.harness.messages.router.HELD_BYTES_MAX", 1_000_000)
    script = (
        PREAMBLE
        + """
for message in messages():
    for number in range(30):
        send("n2", {"type": "flood", "long": "x" * 300_000})
    reply(message, {"type": "x_ok"})
"""
    )
    most = most_held(cluster, script, 50, lambda: cluster.router._held_bytes, 30)
    assert 1_000_000 < most < 3_000_000
    eventually(lambda: cluster.router._held_bytes == 0)


def test_what_waits_for_a_node_that_does_not_read_is_bounded_and_the_rest_is_counted(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.harness.messages.router.STUCK_MAX", 1_000_000)
    process = cluster.start("import time\ntime.sleep(60)", "n1", answers=False)
    for _ in range(10):
        cluster.router.send("c0", "n1", {"type": "x", "long": "x" * 300_000})
    told = cluster.router.figures()
    assert len(process.waiting) <= 1_000_000
    assert told["lost"] == {"not read": cluster.router.dropped["n1"]}
    assert 5 < cluster.router.dropped["n1"] < 10


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            '{"src":"n1","dest":"c1","body":{"type":"echo_ok"}}',
            "it sent a client what answers nothing",
        ),
        (
            '{"src":"n1","dest":"c1","body":{"type":"echo_ok","in_reply_to":7}}',
            "it answered request 7, which c1 never sent",
        ),
    ],
)
def test_an_answer_to_nothing_is_told_and_does_not_count_as_one(
    cluster: Cluster, line: str, told: str
) -> None:
    caller = cluster.caller()
    script = says(line.replace('"c1"', f'"{caller.name}"')).replace('"ok"', '"echo_ok"')
    cluster.start(script, "n1")
    assert caller.call("n1", {"type": "echo"})["in_reply_to"] == 1
    (trouble,) = cluster.router.troubles
    assert trouble.startswith(f"n1: {told.replace('c1', caller.name)}")
    assert trouble.endswith("}") and '"echo_ok"' in trouble


def test_answers_that_come_twice_or_late_are_left_and_do_not_pile_up(cluster: Cluster) -> None:
    script = (
        PREAMBLE
        + """
for message in messages():
    for _ in range(1000):
        reply(message, {"type": "x_ok"})
    if message["body"]["msg_id"] > 1:
        old = {"type": "x_ok", "in_reply_to": message["body"]["msg_id"] - 1}
        send(message["src"], old)
"""
    )
    cluster.start(script, "n1")
    caller = cluster.caller()
    for number in (1, 2, 3):
        assert caller.call("n1", {"type": "x"})["in_reply_to"] == number
    eventually(lambda: cluster.router.journal.counts["delivered"] >= 3007)
    assert cluster.router.troubles == [] and caller._came.qsize() <= 1
