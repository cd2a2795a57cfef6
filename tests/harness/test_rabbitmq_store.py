"""RabbitMQ itself: one broker on loopback, where it is installed, and three hosts if asked for.

`script/bootstrap` does not install it: Erlang is large, and only one system needs it. A cluster of
three takes most of a minute to start, so it is made with PARTITA_FAULTS=1 only.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store_servers import end, eventually
from test_raft_store import free_ports

from partita.harness.nodes.cluster import Node
from partita.harness.run.progress import Progress
from partita.harness.run.run import set_up, tear_down
from partita.harness.systems.rabbitmq import PROGRAM, RabbitMQ
from partita.harness.systems.rabbitmq_queues import RabbitQueues
from partita.workloads.client import Definite, Indefinite

PATIENCE_S = 30.0
SILENT = ("-noinput", "-kernel", "inet_dist_use_interface", "{127,0,0,1}")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """One broker with nothing of this machine's own: the port that it serves clients on."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    port, peers, names = free_ports(3)
    environment = os.environ | {
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": "partita@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(peers),
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": f"{folder}/none",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/none",
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_ALLOW_INPUT": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(SILENT),
    }
    with (folder / "output").open("wb") as log:
        started = [
            subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            for command in (["epmd"], [PROGRAM])
        ]
    try:
        eventually(lambda: serves(port), 60)
        yield port
    finally:
        end(started)


def serves(port: int) -> bool:
    try:
        RabbitQueues("127.0.0.1", 1.0, "classic", port).close()
    except Definite:
        return False
    return True


@pytest.mark.skipif(not Path(PROGRAM).exists(), reason="rabbitmq-server is not installed")
def test_a_broker_takes_gives_and_gives_again(port: int) -> None:
    for kind in ("quorum", "classic"):
        one, other = (RabbitQueues("127.0.0.1", 5.0, kind, port) for _ in range(2))
        for value in ("1", "2", "3"):
            one.enqueue(kind, value)
        assert [other.dequeue(kind) for _ in range(2)] == ["1", "2"]
        # It is given a message, and dies before it acknowledges it.
        assert one._channel.basic_get(kind).body == "3"
        assert other.dequeue(kind) is None
        one.close()
        eventually(lambda other=other, kind=kind: other.dequeue(kind) == "3")
        assert other.dequeue(kind) is None
        other.close()


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.skipif("PARTITA_FAULTS" not in os.environ, reason="only with PARTITA_FAULTS=1")
def test_what_was_confirmed_outlives_the_leader(nodes: list[Node]) -> None:
    system, three = RabbitMQ(), nodes[:3]
    set_up(system, three, Progress(quiet=True))
    try:
        assert system.versions(three[0]).startswith("3.")
        clients = [system.offers["queues"](node, 5.0) for node in three]
        clients[1].enqueue("q", "1")
        clients[2].enqueue("q", "2")
        assert clients[0].dequeue("q") == "1"
        (leader,) = system.primaries(three)
        for client in clients:
            client.close()
        system.kill(next(node for node in three if node.name == leader))
        left = [node for node in three if node.name != leader]
        assert taken(system, left[0]) == "2"
        assert not system.healthy(left[0])
        client = system.offers["queues"](left[1], 5.0)
        assert client.dequeue("q") is None
        client.close()
    finally:
        tear_down(system, three)


def taken(system: RabbitMQ, node: Node) -> str | None:
    """Take what is left as soon as another node leads."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            client = system.offers["queues"](node, 5.0)
            try:
                return client.dequeue("q")
            finally:
                client.close()
        except (Definite, Indefinite):
            assert time.monotonic() < deadline, "nobody leads"
            time.sleep(0.2)
