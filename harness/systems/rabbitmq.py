"""RabbitMQ from Debian's package: quorum queues, or classic queues mirrored on all nodes.

Of a quorum queue it is promised that a confirmed message is not lost as long as a majority of its
nodes is not lost for good (https://www.rabbitmq.com/docs/3.13/quorum-queues#data-safety). What was
acknowledged by nobody is delivered again, so a message may come out more than once
(https://www.rabbitmq.com/docs/3.13/reliability), and not in its order any more
(https://www.rabbitmq.com/docs/3.13/queues#message-ordering).
Of a mirrored queue that is cut in two nothing is promised
(https://www.rabbitmq.com/docs/3.13/partitions).
"""

import base64
import http.client
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems.daemon import Daemon
from partita.harness.systems.rabbitmq_queues import PASSWORD, PORT, USER, RabbitQueues
from partita.harness.systems.system import StoreError
from partita.workloads.client import Client

PEER_PORT = 25672
NAMES_PORT = 4369
STATUS_PORT = 15672
NAME = "rabbitmq"
NAMES = "epmd"  # says on which port a node of Erlang listens; its daemon's name
HOME = f"{FOLDER}/{NAME}"
PACKAGE = "rabbitmq-server"
PROGRAM = f"/usr/lib/rabbitmq/bin/{PACKAGE}"
STATUS_S = 2.0

CONFIG = """\
listeners.tcp.1 = {address}:{port}
management.tcp.ip = {address}
management.tcp.port = {status}
loopback_users = none
cluster_partition_handling = {handling}
cluster_formation.peer_discovery_backend = classic_config
{peers}
collect_statistics_interval = 1000
log.console = true
log.console.level = info
"""
PEER = "cluster_formation.classic_config.nodes"
# Nobody but its owner may read what lets a node of Erlang in.
SECRET = 'umask 077; mkdir -p "${1%/*}"; rm -f "$1"; cat > "$1"'


class RabbitMQ(Daemon):
    """The system `rabbitmq`: a cluster of all nodes.

    Nodes miss each other after `net_ticktime` seconds, in place of RabbitMQ's own 60, and those in
    a minority pause then, unless `partition_handling` says otherwise.
    """

    name = NAME
    alarms = ("^Crash dump is being written", "^Kernel pid terminated")

    def __init__(
        self,
        queue_type: Annotated[
            Literal["quorum", "classic"],
            Setting("Quorum queues, or classic queues that are mirrored on all nodes."),
        ] = "quorum",
        partition_handling: Annotated[
            Literal["pause_minority", "autoheal", "ignore"],
            Setting("RabbitMQ's cluster_partition_handling."),
        ] = "pause_minority",
        promote_on_failure: Annotated[
            Literal["always", "when-synced"],
            Setting("Which mirror follows on one that is gone (ha-promote-on-failure)."),
        ] = "always",
        promote_on_shutdown: Annotated[
            Literal["always", "when-synced"],
            Setting("Which mirror follows on one that is stopped (ha-promote-on-shutdown)."),
        ] = "when-synced",
        net_ticktime: Annotated[
            int, Setting("Seconds of silence after which a node takes another for lost.", 4, 600)
        ] = 8,
    ) -> None:
        self.queue_type, self._handling = queue_type, partition_handling
        self._mirrors = {
            "ha-mode": "all",
            "ha-sync-mode": "automatic",
            "ha-promote-on-failure": promote_on_failure,
            "ha-promote-on-shutdown": promote_on_shutdown,
        }
        self._tick = net_ticktime
        self._secret = secrets.token_hex(16)
        self._count = 0

    def install(self, node: Node) -> None:
        node.install_packages([PACKAGE])

    def versions(self, node: Node) -> str:
        said = node.run(["dpkg-query", "-W", "-f", "${Version}", PACKAGE]).stdout
        return said.partition("-")[0] or "not said"

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        self._count = len(nodes)
        config = CONFIG.format(
            address=_address(node),
            port=PORT,
            status=STATUS_PORT,
            handling=self._handling,
            peers="\n".join(f"{PEER}.{i} = {_name(each)}" for i, each in enumerate(nodes, 1)),
        )
        node.write(f"{HOME}/rabbitmq.conf", config)
        node.write(f"{HOME}/enabled_plugins", "[rabbitmq_management].\n")
        secret = ["sh", "-c", SECRET, "write", f"{HOME}/.erlang.cookie"]
        node.run(secret, stdin=self._secret.encode())
        # RabbitMQ would start one itself, which would stay behind.
        node.start_daemon(NAMES, ["epmd"], environment={"ERL_EPMD_ADDRESS": _address(node)})
        node.start_daemon(NAME, [PROGRAM], environment=self._environment(node))

    def healthy(self, node: Node) -> bool:
        """Say whether it sees all nodes, and no split; who asks has queues mirrored, if asked."""
        seen = _asked(node, "GET", "/api/nodes") or []
        split = any(each.get("partitions") for each in seen)
        together = len(seen) == self._count and all(each.get("running") for each in seen)
        # A split that is ignored stays.
        if not (split and self._handling == "ignore" if split else together):
            return False
        return self.queue_type == "quorum" or self._mirror(node)

    def stop(self, node: Node) -> None:
        super().stop(node)
        node.stop_daemon(NAMES)

    def kill(self, node: Node) -> None:
        super().kill(node)
        node.stop_daemon(NAMES, signal="KILL")

    def wipe(self, node: Node) -> None:
        super().wipe(node)
        node.wipe(NAMES)

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (PEER_PORT, NAMES_PORT)

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def queues(node: Node, timeout: float) -> Client:
            return RabbitQueues(_address(node), timeout, self.queue_type)

        return {"queues": queues}

    def promises(self, capability: str) -> Mapping[str, str | None]:
        least = "at-least-once" if self.queue_type == "quorum" else None
        return {"linearizability": None, "delivery": least}

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        """Return who takes itself for the leader of a queue, the choice of most first."""
        path = "/api/queues?disable_stats=true&enable_queue_totals=true"
        with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
            said = list(pool.map(lambda node: _asked(node, "GET", path) or [], nodes))
        named = [{queue.get("leader") or queue.get("node") for queue in each} for each in said]
        claims = [n for n, leaders in zip(nodes, named, strict=True) if _name(n) in leaders]
        claims.sort(key=lambda n: -sum(_name(n) in leaders for leaders in named))
        return [each.name for each in claims]

    def _environment(self, node: Node) -> Mapping[str, str]:
        address = _address(node)
        own = "{" + address.replace(".", ",") + "}"
        arguments = f"-noinput -kernel net_ticktime {self._tick} inet_dist_use_interface {own}"
        return {
            "HOME": HOME,
            "ERL_EPMD_ADDRESS": address,
            "RABBITMQ_NODENAME": _name(node),
            # Nodes are named by their addresses, so that no name must be known anywhere.
            "RABBITMQ_USE_LONGNAME": "true",
            "RABBITMQ_MNESIA_BASE": self.data(node),
            "RABBITMQ_LOG_BASE": f"{HOME}/log",
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": f"{HOME}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{HOME}/enabled_plugins",
            # What this machine's administrator has set for a RabbitMQ of its own is not for ours.
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # So the script becomes the server, and the server is the daemon that we started.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": arguments,
        }

    def _mirror(self, node: Node) -> bool:
        policy = {"pattern": ".*", "apply-to": "queues", "definition": self._mirrors}
        return _asked(node, "PUT", "/api/policies/%2F/mirrored", policy) is not None


def _address(node: Node) -> str:
    """Return the address that stands in the node's name, where only IPv4 may stand."""
    found = next((each for each in node.addresses if ":" not in each), None)
    if found is None:
        raise StoreError(f"RabbitMQ needs an IPv4 address, and {node.name} has none")
    return found


def _name(node: Node) -> str:
    return f"rabbit@{_address(node)}"


def _asked(node: Node, method: str, path: str, body: Any = None) -> Any:
    """Ask a node's management interface; None if it does not answer, or says no."""
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(_address(node), STATUS_PORT, timeout=STATUS_S)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            return None
        return json.loads(said) if said else {}
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()
