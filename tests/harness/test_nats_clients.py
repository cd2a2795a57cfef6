"""The clients of NATS against a real server on loopback, and against one that lies."""

import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from store_servers import end, eventually
from test_raft_store import free_ports
from test_store_clients import collections_are_kept, registers_are_kept, versions_are_one_order

from partita.checker.settings import SettingError
from partita.harness.systems import nats_queues
from partita.harness.systems.nats import STREAM, Nats, NatsClient, reads_alone, ready
from partita.harness.systems.nats_connection import NatsConnection
from partita.harness.systems.nats_queues import NatsQueues
from partita.workloads.client import Definite, Indefinite, Mismatch

PROGRAM = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")

needs_nats = pytest.mark.skipif(PROGRAM is None, reason="nats-server is not installed")


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """One server: the ports that it serves clients on, and says how it is."""
    folder = tmp_path_factory.mktemp("nats")
    port, status = free_ports(2)
    command = [str(PROGRAM), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]
    command += ["-m", str(status)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)

    def serves() -> bool:
        try:
            return ready(NatsConnection("127.0.0.1", 2.0, port), 1)
        except (Definite, Indefinite):
            return False

    eventually(serves)
    yield port, status
    end([process])


@pytest.fixture
def port(ports: tuple[int, int]) -> int:
    """The port that the server serves clients on."""
    return ports[0]


@needs_nats
def test_nats_keeps_registers_and_tells_versions(port: int) -> None:
    for reads in ("leader", "direct"):  # there is one server only
        registers_are_kept(lambda reads=reads: NatsClient("127.0.0.1", 5.0, reads, port))
    versions_are_one_order(lambda: NatsClient("127.0.0.1", 5.0, "leader", port))


@needs_nats
def test_a_server_says_whether_its_own_replica_answers(ports: tuple[int, int]) -> None:
    connection = NatsConnection("127.0.0.1", 5.0, ports[0])
    assert reads_alone("127.0.0.1", ports[1])
    # Without direct reads there is no subscription to them; with no server there is no answer.
    for allowed in (False, True):
        bucket = connection.ask(f"$JS.API.STREAM.INFO.{STREAM}", reads=True).json()["config"]
        asked = bucket | {"allow_direct": allowed}
        connection.ask(f"$JS.API.STREAM.UPDATE.{STREAM}", asked)
        eventually(lambda allowed=allowed: reads_alone("127.0.0.1", ports[1]) is allowed)
    assert not reads_alone("127.0.0.1", free_ports(1)[0])


def test_nodes_are_compared_where_each_has_a_replica() -> None:
    nothing = dict.fromkeys(("install_packages", "start_daemon", "write"), lambda *_: None)
    for count, compared in ((1, True), (2, False), (3, True), (5, True), (7, False)):
        nodes: list[Any] = [
            SimpleNamespace(name=f"n{number}", address="10.0.0.1", **nothing)
            for number in range(count)
        ]
        system = Nats()
        system.start(nodes[0], nodes)
        assert ("registers" in system.replicas) is compared, count


@needs_nats
def test_a_cas_by_a_revision_that_is_gone_changes_nothing(port: int) -> None:
    key = f"cas {uuid.uuid4()}"
    one, other = (NatsClient("127.0.0.1", 5.0, "leader", port) for _ in range(2))
    one.write(key, "1")
    other.write(key, "2")
    with pytest.raises(Mismatch) as mismatch:  # it has its own write in mind
        one.cas(key, "1", "3")
    assert not mismatch.value.known
    assert one.read(key).value == "2"


@needs_nats
def test_nats_keeps_queues(port: int) -> None:
    collections_are_kept(lambda: _WithSets(port))


class _WithSets(NatsQueues):
    """Queues, and sets that are kept here: NATS offers none."""

    elements: Sequence[str] = ()

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1", 5.0, port)

    def members(self, key: str) -> Sequence[str]:
        return type(self).elements

    def add(self, key: str, element: str) -> None:
        type(self).elements = sorted({*self.members(key), element})


@needs_nats
def test_a_queue_is_not_empty_while_somebody_has_an_element(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nats_queues, "ACK_WAIT_S", 1.0)
    one, other = (NatsQueues("127.0.0.1", 5.0, port) for _ in range(2))
    key = f"queue {uuid.uuid4()}"
    one.enqueue(key, "1")
    assert one.dequeue(f"{key} not") is None
    # It takes the element, and dies before it acknowledges it.
    one._consume(nats_queues._word(key))
    path = f"$JS.API.CONSUMER.MSG.NEXT.{nats_queues.STREAM}.{nats_queues._word(key)}"
    assert one._connection.ask(path, {"batch": 1, "no_wait": True}).body == b"1"
    with pytest.raises(Definite, match="given to others"):
        other.dequeue(key)

    def again() -> bool:
        try:
            return other.dequeue(key) == "1"
        except Definite:
            return False

    eventually(again)
    assert other.dequeue(key) is None


def answering(*answers: bytes) -> NatsConnection:
    """A connection to a server that answers requests so, one after the other, and hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with server, connection:
            connection.sendall(b"INFO {}\r\n")
            for answer in (b"PONG\r\n", *answers):
                connection.recv(4096)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return NatsConnection("127.0.0.1", 5.0, server.getsockname()[1])


def test_the_answer_is_the_one_with_the_requests_number() -> None:
    head = b"NATS/1.0 404 No Messages\r\nName: a: b\r\n\r\n"
    sizes = b"%d %d" % (len(head), len(head) + 2)
    connection = answering(
        b"MSG other 7 2\r\nno\r\nPING\r\nMSG in 0 ack.here 3\r\nyes\r\n",
        b"HMSG in 1 " + sizes + b"\r\n" + head + b"it\r\n",
    )
    first = connection.ask("a", b"x")
    assert (first.body, first.reply_to, first.status) == (b"yes", "ack.here", 0)
    second = connection.ask("a", b"x")
    assert (second.status, second.headers, second.body) == (404, {"Name": "a: b"}, b"it")


def test_nobody_there_is_certain_and_a_lost_answer_is_not() -> None:
    nobody = b"NATS/1.0 503\r\n\r\n"
    connection = answering(b"HMSG in 0 16 16\r\n" + nobody + b"\r\n")
    with pytest.raises(Definite, match="no leader"):
        connection.ask("a", b"x")
    with pytest.raises(Indefinite, match="connection lost"):
        connection.ask("a", b"x")
    with pytest.raises(Definite, match="closed"):
        connection.ask("a", b"x")
    for half in (b"", b"MSG in 0 5\r\nab", b"-ERR 'no'\r\n"):
        with pytest.raises(Definite):
            answering(half).ask("a", b"x", reads=True)
    with pytest.raises(Definite, match="refused"):
        NatsConnection("127.0.0.1", 1.0, free_ports(1)[0])


@pytest.mark.parametrize("text", ["10", "soon", "10sec", "", "always 10s"])
def test_a_sync_interval_that_nats_would_refuse_is_refused_at_once(text: str) -> None:
    with pytest.raises(SettingError, match="no time"):
        Nats(sync_interval=text, version="2.15.1")


def test_a_sync_interval_needs_a_nats_that_knows_it() -> None:
    with pytest.raises(SettingError, match=r"--version 2\.15\.1"):
        Nats(sync_interval="10s")
    for text in ("always", "500ms", "1m30s"):
        Nats(sync_interval=text, version="2.15.1")
        Nats(sync_interval=text, binary=Path("/bin/true"))
