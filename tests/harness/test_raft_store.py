"""The raft example as plain processes on loopback: signals are the only faults here."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from partita.harness.systems.connection import Connection
from partita.harness.systems.raft import RaftClient
from partita.workloads.client import Answer, Definite, HasRecover, Indefinite, Mismatch

SERVER = Path(__file__).parents[2] / "examples" / "raft" / "server.py"


class Cluster:
    """Some nodes of the store, each a process of its own."""

    def __init__(self, directory: Path, size: int, *options: str) -> None:
        self.names = [f"n{number}" for number in range(1, size + 1)]
        self.ports = dict(zip(self.names, free_ports(size), strict=True))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.directory = directory
        self.options = ["--election-timeout", "0.4", "--heartbeat", "0.05", *options]

    def start(self, name: str) -> None:
        command = [sys.executable, str(SERVER), "--id", name, *self.options]
        command += ["--listen", f"127.0.0.1:{self.ports[name]}"]
        command += ["--data", str(self.directory / name)]
        for peer in self.names:
            if peer != name:
                command += ["--peer", f"{peer}=127.0.0.1:{self.ports[peer]}"]
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def signal(self, what: signal.Signals, *names: str) -> None:
        for name in names:
            self.processes[name].send_signal(what)
        if what == signal.SIGKILL:
            for name in names:
                self.processes[name].wait()

    def client(self, name: str, timeout: float = 5.0) -> RaftClient:
        return RaftClient("127.0.0.1", timeout, self.ports[name])

    def leader(self, *among: str, patience: float = 10.0) -> str:
        """Return the node that leads; fails the test if none does in time."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            for name in among or self.names:
                if self.role(name) == "leader":
                    return name
            time.sleep(0.02)
        pytest.fail("no leader")

    def role(self, name: str) -> str | None:
        client = self.client(name, 0.5)
        try:
            return str(client.status()["role"])
        except Definite:
            return None
        finally:
            client.close()

    def __enter__(self) -> "Cluster":
        for name in self.names:
            self.start(name)
        eventually(lambda: all(self.role(name) for name in self.names))
        self.leader()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [int(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture
def cluster(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    with Cluster(tmp_path, *getattr(request, "param", (3,))) as made:
        yield made


# Slow messages, and a leader that is given time to be heard in spite of them.
SLOW = ("--delay", "0.1", "--election-timeout", "2", "--heartbeat", "0.25")


def others(cluster: Cluster, *names: str) -> list[str]:
    return [name for name in cluster.names if name not in names]


def written(client: RaftClient, value: int) -> None:
    """Write until it is acknowledged: a busy machine may choose a new leader meanwhile."""
    eventually(lambda: client.write("x", str(value)), patience=30)


def test_every_node_serves_every_client(cluster: Cluster) -> None:
    one, two, three = (cluster.client(name) for name in cluster.names)
    assert one.read("x").value is None
    one.cas("x", None, "1")
    two.cas("x", "1", "2")
    with pytest.raises(Mismatch) as mismatch:
        three.cas("x", "1", "3")
    assert (mismatch.value.known, mismatch.value.actual) == (True, "2")
    three.write("x", "4")
    assert [client.read("x").value for client in (one, two, three)] == ["4", "4", "4"]


def test_versions_are_places_in_the_log(cluster: Cluster) -> None:
    one, two, three = (cluster.client(name) for name in cluster.names)
    assert one.read("x") == Answer(None)
    versions = [one.write("x", "1").version, two.cas("y", None, "2").version]
    versions.append(three.cas("x", "1", "3").version)
    assert 0 < versions[0] < versions[1] < versions[2]
    assert two.read("x") == Answer("3", versions[2])
    assert one.read("y") == Answer("2", versions[1])
    with pytest.raises(Mismatch) as mismatch:
        one.cas("x", "1", "4")
    assert (mismatch.value.actual, mismatch.value.version) == ("3", versions[2])
    with pytest.raises(Mismatch) as mismatch:
        one.cas("z", "1", "4")
    assert (mismatch.value.actual, mismatch.value.version) == (None, -1)


@pytest.mark.parametrize(
    ("cluster", "right"),
    [((3, *SLOW), True), ((3, *SLOW, "--bug", "own-write-unseen"), False)],
    indirect=["cluster"],
)
def test_a_local_read_waits_for_what_its_client_has_seen(cluster: Cluster, right: bool) -> None:
    stale = 0
    # The leader answers a write one message before the followers hear that it is done. On a busy
    # machine the follower may have heard before it is asked: then once more.
    for value in range(1, 21 if right else 201):
        leader = cluster.leader()
        client = RaftClient("127.0.0.1", 5.0, cluster.ports[leader], reads="local")
        written(client, value)
        client._port = cluster.ports[others(cluster, leader)[0]]
        client.move("127.0.0.1")
        stale += client.read("x").value != str(value)
        client.close()
        if stale and not right:
            break
    assert (stale == 0) == right


@pytest.mark.parametrize(
    ("cluster", "right"),
    [((3, *SLOW), True), ((3, *SLOW, "--bug", "sync-noop"), False)],
    indirect=["cluster"],
)
def test_a_read_after_a_sync_sees_what_others_have_written(cluster: Cluster, right: bool) -> None:
    stale = 0
    for value in range(1, 11 if right else 201):
        leader = cluster.leader()
        writer = RaftClient("127.0.0.1", 5.0, cluster.ports[leader])
        port = cluster.ports[others(cluster, leader)[0]]
        reader = RaftClient("127.0.0.1", 5.0, port, reads="sync")
        written(writer, value)
        stale += reader.read("x").value != str(value)
        writer.close()
        reader.close()
        if stale and not right:
            break
    assert (stale == 0) == right


@pytest.mark.parametrize("cluster", [(3, *SLOW, "--bug", "session-goes-back")], indirect=True)
def test_what_was_seen_elsewhere_can_be_planted_to_count_for_nothing(cluster: Cluster) -> None:
    stale = 0
    for value in range(1, 201):
        leader = cluster.leader()
        client = RaftClient("127.0.0.1", 5.0, cluster.ports[leader], reads="local")
        written(client, value)
        assert client.read("x").value == str(value), "here it counts"
        written(client, -value)
        client._port = cluster.ports[others(cluster, leader)[0]]
        client.move("127.0.0.1")
        stale += client.read("x").value != str(-value)
        client.close()
        if stale:
            break
    assert stale


@pytest.mark.parametrize("cluster", [(3, *SLOW)], indirect=True)
def test_a_local_read_goes_along_to_another_node(cluster: Cluster) -> None:
    leader = cluster.leader()
    client = RaftClient("127.0.0.1", 5.0, cluster.ports[leader], reads="local")
    for value in range(1, 6):
        written(client, value)
        client._port = cluster.ports[others(cluster, leader)[value % 2]]
        client.move("127.0.0.1")
        assert client.read("x").value == str(value)


@pytest.mark.parametrize("cluster", [(3, *SLOW)], indirect=True)
def test_a_local_read_waits_for_what_was_seen_over_a_lost_connection(cluster: Cluster) -> None:
    """Or a session that goes on after a failure would seem to go back."""
    leader = cluster.leader()
    client = RaftClient("127.0.0.1", 5.0, cluster.ports[leader], reads="local")
    assert isinstance(client, HasRecover), "the worker keeps such a client"
    for value in range(1, 6):
        written(client, value)
        client.recover()
        client._connection = Connection(
            "127.0.0.1", cluster.ports[others(cluster, leader)[value % 2]], 5.0
        )
        assert client.read("x").value == str(value)


@pytest.mark.parametrize("cluster", [(5,)], indirect=True)
def test_two_dead_nodes_of_five_are_survived_and_come_back(cluster: Cluster) -> None:
    cluster.client("n1").write("x", "1")
    dead = cluster.leader(), others(cluster, cluster.leader())[0]
    cluster.signal(signal.SIGKILL, *dead)
    began = time.monotonic()
    living = others(cluster, *dead)
    cluster.leader(*living)
    assert time.monotonic() - began < 5
    cluster.client(living[0]).cas("x", "1", "2")
    for name in dead:
        cluster.start(name)
    eventually(lambda: cluster.client(dead[0]).read("x").value == "2")


def eventually(holds: Callable[[], object], patience: float = 10.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except (Definite, Indefinite):
            pass
        time.sleep(0.05)
    pytest.fail("never came true")


def test_what_was_acknowledged_survives_the_death_of_all(cluster: Cluster) -> None:
    client = cluster.client("n2")
    for value in range(50):
        client.write("x", str(value))
    cluster.signal(signal.SIGKILL, *cluster.names)
    for name in cluster.names:
        cluster.start(name)
    eventually(lambda: cluster.client("n1").read("x").value == "49")


@pytest.mark.parametrize("cluster", [(3, "--bug", "lost-log")], indirect=True)
def test_a_log_that_is_not_flushed_is_lost(cluster: Cluster) -> None:
    cluster.client("n1").write("x", "1")
    cluster.signal(signal.SIGKILL, *cluster.names)
    for name in cluster.names:
        cluster.start(name)
    cluster.leader()
    assert cluster.client("n1").read("x").value is None


def test_a_deposed_leader_that_wakes_up_gives_no_stale_answer(cluster: Cluster) -> None:
    old = cluster.leader()
    client = cluster.client(old, 1.0)
    client.write("x", "1")
    cluster.signal(signal.SIGSTOP, old)
    new = cluster.leader(*others(cluster, old))
    cluster.client(new).write("x", "2")
    # The other two are stopped as well, so that nobody can tell the old leader what happened.
    cluster.signal(signal.SIGSTOP, *others(cluster, old))
    cluster.signal(signal.SIGCONT, old)
    with pytest.raises(Definite):
        client.read("x")
    cluster.signal(signal.SIGCONT, *others(cluster, old))
    eventually(lambda: client.read("x").value == "2")


@pytest.mark.parametrize("bug", [None, "definite-timeout"])
def test_without_a_majority_the_answer_says_what_is_certain(
    tmp_path: Path, bug: str | None
) -> None:
    with Cluster(tmp_path, 3, *(["--bug", bug] if bug else [])) as cluster:
        leader = cluster.leader()
        cluster.client(leader).write("x", "0")
        cluster.signal(signal.SIGSTOP, *others(cluster, leader))
        # The leader takes the write and cannot know what will become of it.
        with pytest.raises(Definite if bug else Indefinite):
            cluster.client(leader, 2.0).write("x", "1")
        # It has found out that it leads nobody, and takes no more.
        with pytest.raises(Definite):
            cluster.client(leader, 2.0).write("x", "2")
        cluster.signal(signal.SIGCONT, *others(cluster, leader))
        eventually(lambda: cluster.client("n1").read("x").value in ("0", "1"))


@pytest.mark.parametrize("bug", [None, "apply-twice"])
def test_a_command_sent_twice_is_applied_once(tmp_path: Path, bug: str | None) -> None:
    with Cluster(tmp_path, 3, *(["--bug", bug] if bug else [])) as cluster:
        ask = {"client": "c", "number": 1, "key": "x", "value": "1"}
        one, two = cluster.client("n1"), cluster.client("n2")
        assert one.send("write", ask)[0] == 200
        one.write("x", "2")
        assert two.send("write", ask)[0] == 200
        assert two.read("x").value == ("1" if bug else "2")


@pytest.mark.parametrize(("bug", "again"), [(None, False), ("vote-not-synced", True)])
def test_a_vote_that_is_not_synced_survives_a_kill_only(
    tmp_path: Path, bug: str | None, again: bool
) -> None:
    cluster = Cluster(tmp_path, 3, *(["--bug", bug] if bug else []))

    def votes_for(candidate: str) -> bool:
        """Start n1, and say whether it votes for the candidate."""
        ask = {"term": 5, "candidate": candidate, "last": 9, "last_term": 4, "trial": False}
        cluster.start("n1")
        eventually(lambda: cluster.role("n1"))
        client = cluster.client("n1")
        granted = bool(client.send("vote", ask)[1]["granted"])
        client.close()
        cluster.signal(signal.SIGKILL, "n1")
        return granted

    assert votes_for("n2")
    assert not votes_for("n3")
    # This is what a power cut leaves of what was never synced.
    (tmp_path / "n1" / "votes.jsonl").write_bytes(b"")
    assert votes_for("n3") == again


def test_a_torn_last_record_is_forgotten_and_a_torn_earlier_one_refused(tmp_path: Path) -> None:
    with Cluster(tmp_path, 1) as cluster:
        client = cluster.client("n1")
        client.write("x", "1")
        cluster.signal(signal.SIGKILL, "n1")
        journal = tmp_path / "n1" / "journal.jsonl"
        whole = journal.read_bytes()
        journal.write_bytes(whole + b'{"index":9,"te')
        cluster.start("n1")
        assert cluster.leader() == "n1"
        assert cluster.client("n1").read("x").value == "1"
        cluster.signal(signal.SIGKILL, "n1")
        journal.write_bytes(b"rubbish\n" + whole)
        cluster.start("n1")
        assert cluster.processes["n1"].wait(10) == 1
        assert "journal.jsonl, line 1" in (tmp_path / "n1.log").read_text()


@pytest.mark.parametrize(
    ("f", "body", "complaint"),
    [
        ("read", {}, "read needs key"),
        ("write", {"key": "x", "value": 3}, "value must be a string"),
        ("write", {"key": "x", "value": "3", "client": "c"}, "number"),
        ("read", {"key": "x", "timeout": -1}, "timeout"),
        ("erase", {"key": "x"}, "no such request"),
    ],
)
def test_bad_requests_are_refused(
    single: RaftClient, f: str, body: dict[str, object], complaint: str
) -> None:
    status, answer = single.send(f, body)
    assert status in (400, 404)
    assert complaint in answer["error"]


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RaftClient]:
    with Cluster(tmp_path_factory.mktemp("single"), 1) as cluster:
        yield cluster.client("n1")


def test_the_bugs_are_listed_by_the_command_line() -> None:
    shown = subprocess.run(
        [sys.executable, str(SERVER), "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "400"},
    ).stdout
    assert "double-vote" in shown
