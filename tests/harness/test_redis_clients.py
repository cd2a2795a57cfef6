"""The clients of Redis against a real one with its Sentinel, on loopback, and against a liar."""

import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from store_servers import end, eventually
from test_raft_store import free_ports
from test_store_clients import collections_are_kept, registers_are_kept

from partita.harness.systems.redis import RedisClient
from partita.harness.systems.redis_collections import RedisCollections
from partita.harness.systems.redis_locks import RedisLocks
from partita.harness.systems.redis_primary import GROUP, Primary
from partita.harness.systems.resp import Resp
from partita.workloads.client import Definite, Indefinite, Refused

PROGRAM = shutil.which("redis-server")

needs_redis = pytest.mark.skipif(PROGRAM is None, reason="redis-server is not installed")
Connect = Callable[..., Primary]


@pytest.fixture(scope="module")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connect]:
    """A primary without replicas, and a Sentinel that knows it: what makes connections."""
    folder = tmp_path_factory.mktemp("redis")
    port, sentinel = free_ports(2)
    (folder / "redis.conf").write_text(f'port {port}\nbind 127.0.0.1\ndir {folder}\nsave ""\n')
    (folder / "sentinel.conf").write_text(
        f"port {sentinel}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor {GROUP} 127.0.0.1 {port} 1\n"
    )
    processes = [_started(folder, "redis.conf"), _started(folder, "sentinel.conf", "--sentinel")]
    make = partial(Primary, "127.0.0.1", 5.0, port=sentinel)
    eventually(lambda: _answers(make()))
    yield make
    end(processes)


def _started(folder: Path, config: str, *more: str) -> "subprocess.Popen[bytes]":
    with (folder / f"{config}.log").open("wb") as log:
        return subprocess.Popen([str(PROGRAM), str(folder / config), *more], stdout=log, stderr=log)


def _answers(primary: Primary) -> bool:
    try:
        return bool(primary.read("PING") == "PONG")
    except Definite:
        return False
    finally:
        primary.close()


@needs_redis
def test_redis_keeps_registers_queues_and_sets(connect: Connect) -> None:
    registers_are_kept(lambda: RedisClient(connect()))
    collections_are_kept(lambda: RedisCollections(connect()))


@needs_redis
def test_what_too_few_replicas_have_is_open(connect: Connect) -> None:
    client = RedisClient(connect(1))
    client._primary._timeout = 2.0
    with pytest.raises(Indefinite, match="0 of 1 replicas have it"):
        client.write("alone", "1")
    assert client.read("alone").value == "1"


@needs_redis
def test_a_lock_excludes_others_and_says_when_it_is_lost(connect: Connect) -> None:
    told: list[tuple[str, Any]] = []
    key = f"lock {uuid.uuid4()}"
    one, other = (RedisLocks(connect) for _ in range(2))
    for client in (one, other):
        client.listen(lambda f, value=None, **fields: told.append((f, value)))
        client.live(0.6)
    assert one.acquire(key, 1.0).version == 1
    with pytest.raises(Refused, match="not granted"):
        other.acquire(key, 0.3)
    eventually(lambda: told.count(("beat", True)) >= 5)  # for longer than it lives unrenewed
    one.release(key)
    assert other.acquire(key, 1.0).version == 2
    connect().change("DEL", key)
    eventually(lambda: ("told", None) in told)
    assert ("beat", False) in told
    with pytest.raises(Refused, match="lost"):
        other.release(key)
    one.close()
    other.close()


def answering(*answers: bytes) -> Resp:
    """A connection to somebody who answers so, one command after the other, and then hangs up."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = server.accept()
        with server, connection:
            for answer in answers:
                connection.recv(4096)
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return Resp("127.0.0.1", server.getsockname()[1], 5.0)


def test_answers_are_read_as_redis_writes_them() -> None:
    nested = b"*4\r\n$2\r\na\n\r\n$-1\r\n:7\r\n*1\r\n+OK\r\n"
    connection = answering(nested, b"$0\r\n\r\n")
    assert connection.ask("X") == ["a\n", None, 7, ["OK"]]
    assert connection.ask("X") == ""


def test_a_refusal_is_certain_and_a_lost_answer_is_not() -> None:
    connection = answering(b"-READONLY You can't\r\n", b"+OK\r\n", b"-UNBLOCKED gone\r\n")
    with pytest.raises(Refused, match="READONLY"):
        connection.ask("SET", "a", "1")
    assert connection.ask("PING") == "OK"
    with pytest.raises(Indefinite, match="UNBLOCKED"):
        connection.ask("WAIT", 1, 100)
    with pytest.raises(Indefinite, match="connection lost"):
        connection.ask("SET", "a", "1")
    with pytest.raises(Definite, match="closed"):
        connection.ask("SET", "a", "1")
    for half in (b"", b"$5\r\nab", b"?\r\n"):
        with pytest.raises(Definite):
            answering(half).ask("GET", "a", reads=True)
    with pytest.raises(Definite, match="refused"):
        Resp("127.0.0.1", free_ports(1)[0], 1.0)
