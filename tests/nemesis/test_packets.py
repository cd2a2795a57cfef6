"""Late, reordered, slow and lost packets on real nodes: what each does is measured from outside."""

import json
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from sleepers import Events, Sleepers, driven
from test_reset import saved

from partita.harness.nodes.cluster import Node
from partita.nemesis import faults, programs, switch
from partita.nemesis.network import reachable
from partita.nemesis.packets import PROGRAM
from partita.nemesis.schedule import ScheduleError, parse

# Answers each datagram, and ends when none has come for a while. A later one takes its place.
ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("", 9100)); s.settimeout(6)
print("ready", flush=True)
try:
    while True:
        said, whom = s.recvfrom(2000)
        s.sendto(said, whom)
except TimeoutError:
    pass
"""

# Sends datagrams, and prints the numbers that came back, each with its milliseconds.
ASK = """
import json, socket, sys, threading, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
count, size = int(sys.argv[2]), int(sys.argv[3])
sent, back = {}, []
def hear():
    while len(back) < count:
        try:
            number = int(s.recvfrom(2000)[0][:8])
            back.append([number, (time.monotonic() - sent[number]) * 1000])
        except TimeoutError:
            if len(sent) == count:
                return
s.bind(("", 0))
hearer = threading.Thread(target=hear); hearer.start()
for number in range(count):
    sent[number] = time.monotonic()
    s.sendto(b"%08d" % number + b"." * (size - 8), (sys.argv[1], 9100))
    time.sleep(0.002)
hearer.join()
print(json.dumps(back))
"""

# Sends datagrams, and prints how many came back, and how many of those as they were.
COUNT = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
text, back = b"." * 500, []
for number in range(301):
    s.settimeout(0.002 if number < 300 else 1)
    if number < 300:
        s.sendto(text, (sys.argv[1], 9100))
    try:
        while len(back) < 300:
            back.append(s.recv(2000))
    except TimeoutError:
        pass
print(len(back), back.count(text))
"""


def asked(one: Node, other: Node, count: int = 200, size: int = 100) -> list[list[float]]:
    """Return what came back of datagrams to another node: number and milliseconds, as they came."""
    echo(other)
    said = one.run(["python3", "-c", ASK, other.address, str(count), str(size)]).stdout
    back: list[list[float]] = json.loads(said)
    return back


def echo(node: Node) -> None:
    """Let the node answer datagrams for a while."""
    script = 'python3 -c "$1" >/tmp/echo 2>&1 & while ! grep -q ready /tmp/echo; do sleep 0.1; done'
    node.run(["sh", "-c", f"rm -f /tmp/echo; {script}", "echo", ECHO])


def middle(back: Sequence[Sequence[float]]) -> float:
    return sorted(ms for _, ms in back)[len(back) // 2]


def probe(events: Events) -> dict[str, object]:
    return next(value for _, f, value in events if f == "probe")


@pytest.mark.cluster
def test_delay_is_what_was_asked_for_both_ways_and_heals(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    own = "-A INPUT -t mangle -s 10.0.0.0/8 -j ACCEPT"
    nodes[0].run(["iptables", *own.split()])
    before = rules(nodes)
    driver, events = driven(sleepers, nodes, "0s delay n1 ms=40 jitter=10")
    assert driver.in_force == "delay n1 | n2 n3 n4 n5"
    assert probe(events)["bit"] is True
    back = asked(nodes[0], nodes[1])
    assert len(back) == 200, "none is lost"
    assert [number for number, _ in back] == list(range(200)), "and none overtakes another"
    assert all(ms >= 60 for _, ms in back)
    assert 75 <= middle(back) <= 110
    assert middle(asked(nodes[2], nodes[3])) < 20, "others are not struck"
    driver.finish()
    assert driver.failure is None
    assert events[-1][2]["figures"]["1"]["packets_held"] >= 400
    assert middle(asked(nodes[0], nodes[1])) < 20
    assert rules(nodes) == before
    nodes[0].run(["iptables", "-D", *own.split()[1:]])
    assert all(not at(node) for node in nodes), "no program is left"


def rules(nodes: list[Node]) -> list[list[str]]:
    """All rules. A table that iptables has made, and left empty, is none."""
    return [[line for line in text.splitlines() if line[:1] == "-"] for text in saved(nodes)]


def at(node: Node) -> str:
    """The ids of our programs that run on a node's own network."""
    script = (
        'for pid in $(pgrep -x partita-packets); do [ "$(readlink /proc/$pid/ns/net)" = '
        '"$(readlink /proc/self/ns/net)" ] && echo $pid; done; true'
    )
    return node.run(["sh", "-c", script]).stdout.strip()


@pytest.mark.cluster
def test_one_direction_is_late_and_the_other_is_not(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s delay one-way ms=50")
    assert probe(events)["bit"] is True
    deaf = [node.name for node in nodes if at(node)]
    assert len(deaf) == 2
    late = next(node for node in nodes if node.name in deaf)
    other = next(node for node in nodes if node.name not in deaf)
    assert 45 <= middle(asked(late, other)) <= 80
    driver.finish()


@pytest.mark.cluster
def test_some_overtake(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s reorder link percent=30 ms=20")
    assert probe(events)["bit"] is True
    (one, other) = (node for node in nodes if at(node))
    back = [number for number, _ in asked(one, other)]
    assert len(back) == 200
    assert sum(a > b for a, b in pairwise(back)) > 20
    driver.finish()


@pytest.mark.cluster
def test_slow_lets_so_much_through(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s slow link kbit=1000")
    assert probe(events)["bit"] is True
    (one, other) = (node for node in nodes if at(node))
    # 60 datagrams of 1,028 bytes on the wire are 0.49 s at 1,000 kbit/s, each way.
    back = asked(one, other, count=60, size=1000)
    assert len(back) == 60
    took = max(ms + number * 2 for number, ms in back)
    assert 450 <= took <= 700
    driver.finish()
    assert events[-1][2]["figures"]["1"]["packets_held"] > 60


@pytest.mark.cluster
def test_loss_is_what_was_asked_for(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s loss link percent=20")
    assert probe(events)["bit"] is True
    grudge = next(value["links"] for kind, f, value in events if (kind, f) == ("ok", "loss"))
    one, other = (node for node in nodes if grudge[node.name])
    lost = 400 - len(asked(one, other, count=400))
    assert 400 * 0.36 * 0.7 < lost < 400 * 0.36 * 1.3, "20 % there, and 20 % back"
    driver.finish()
    assert events[-1][2]["figures"]["1"]["packets_lost"] >= lost


@pytest.mark.cluster
def test_so_many_as_were_asked_for_arrive_twice(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s duplicate link percent=20")
    assert probe(events)["bit"] is True
    grudge = next(value["links"] for kind, f, value in events if (kind, f) == ("ok", "duplicate"))
    one, other = (node for node in nodes if grudge[node.name])
    numbers = [number for number, _ in asked(one, other, count=400)]
    more = len(numbers) - len(set(numbers))
    assert 400 * 0.30 * 0.6 < more < 400 * 0.30 * 1.4, "of 1.44 answers to each, 0.44 come again"
    assert len(reachable(nodes)) == 20
    driver.finish()
    assert driver.failure is None
    assert events[-1][2]["figures"]["1"]["packets_duplicated"] > more / 2
    numbers = [number for number, _ in asked(one, other, count=100)]
    assert len(numbers) == len(set(numbers))


@pytest.mark.cluster
@pytest.mark.parametrize("checksum", ["wrong", "right"])
def test_what_is_damaged_arrives_only_if_its_checksum_fits(
    sleepers: Sleepers, nodes: list[Node], checksum: str
) -> None:
    driver, events = driven(sleepers, nodes, f"0s corrupt link percent=30 checksum={checksum}")
    said = probe(events)
    assert said["bit"] is True
    assert ("packets_refused" in said) == (checksum == "wrong")
    (one, other) = (node for node in nodes if at(node))
    got, intact = echoed(one, other)
    if checksum == "right":
        assert got == 300, "none is lost"
    else:
        assert got == intact
    assert 300 * 0.49 * 0.7 < intact < 300 * 0.49 * 1.3, "70 % there, and 70 % back"
    assert echoed(*[node for node in nodes if not at(node)][:2]) == (300, 300)
    driver.finish()
    assert driver.failure is None
    figures = events[-1][2]["figures"]["1"]
    assert figures["packets_damaged"] > 300 * 0.3
    assert ("packets_refused" in figures) == (checksum == "wrong")
    assert echoed(one, other) == (300, 300)


def echoed(one: Node, other: Node) -> tuple[int, int]:
    """Return how many of 300 datagrams came back, and how many as they were."""
    echo(other)
    said = one.run(["python3", "-c", COUNT, other.address]).stdout.split()
    return int(said[0]), int(said[1])


@pytest.mark.cluster
def test_they_add_up_with_each_other_and_with_a_cut(sleepers: Sleepers, nodes: list[Node]) -> None:
    """Whoever lets a packet pass must not let it pass the others: the cut is still one."""
    schedule = "0s delay all ms=20; 0s slow all kbit=100000; 0s reorder n1 ms=30; 0s partition n5"
    driver, events = driven(sleepers, nodes, schedule)
    assert [value["bit"] for _, f, value in events if f == "probe"] == [True] * 4
    assert {pair for pair in reachable(nodes) if "n5" in pair} == set()
    back = asked(nodes[1], nodes[0], count=100)
    assert middle(back) >= 40 + 30, "20 each way, and 30 where they arrive out of order"
    driver.finish()
    assert driver.failure is None
    assert len(reachable(nodes)) == 20


@pytest.mark.cluster
def test_a_program_that_ends_lets_everything_pass_and_is_missed(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    driver, events = driven(sleepers, nodes, "0s delay link ms=50")
    one, other = (node for node in nodes if at(node))
    for node in (one, other):
        node.run(["kill", "-KILL", at(node)])
    assert middle(asked(one, other)) < 20
    driver.finish()
    assert [value for _, f, value in events if f == "probe"][-1]["bit"] is False


@pytest.mark.cluster
def test_hosts_that_hear_nothing_undo_them(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, _ = driven(sleepers, nodes, "0s delay all; 0s slow all; 0s reorder all; 0s loss all")
    driver._stop.set()  # as if the controller were gone
    switch.arm(nodes, silence_s=1, beat_s=1)
    deadline = time.monotonic() + 20
    while "PARTITA" in "".join(saved(nodes)) or any(map(at, nodes)):
        assert time.monotonic() < deadline, "it did not heal"
        time.sleep(0.2)
    switch.disarm(nodes)
    driver.finish()


@pytest.mark.cluster
def test_what_a_host_lacks_is_found_out_by_trying(nodes: list[Node]) -> None:
    (made,) = (step.fault() for step in parse("1s delay all"))
    assert faults.lacking(nodes[:1], [made]) == []
    assert nodes[0].run([programs.path(PROGRAM), "--queue"], check=False).status == 1


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("1s delay all ms=0", "1"),
        ("1s delay all ms=fast", "fast"),
        ("1s loss all percent=100", "90"),
        ("1s slow all kbit=1", "8"),
        ("1s reorder all share=3", "percent"),
    ],
)
def test_bad_settings_are_refused(step: str, said: str) -> None:
    with pytest.raises(ScheduleError, match=said):
        parse(step)
