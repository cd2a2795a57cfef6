"""HashiCorp Consul's key-value store: servers only, one agent on each node.

Debian 12 has no package of it, but Debian 11 had: unless another is given, its program is fetched.
Read modes are those of https://developer.hashicorp.com/consul/api-docs/features/consistency.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import quote

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems import consul_members
from partita.harness.systems.connection import Connection, ask_all, coded, decoded
from partita.harness.systems.consul_collections import ConsulCollections
from partita.harness.systems.consul_elections import ConsulElections
from partita.harness.systems.consul_leases import ConsulLeases
from partita.harness.systems.consul_locks import ConsulLocks
from partita.harness.systems.consul_sessions import LEAST_TTL_S
from partita.harness.systems.consul_transactions import ConsulTransactions
from partita.harness.systems.consul_watches import ConsulWatches
from partita.harness.systems.daemon import Daemon
from partita.harness.systems.debian import Package
from partita.workloads.client import UNKNOWN_VERSION, Answer, Client, Definite, Indefinite, Mismatch

PORT = 8500
PEER_PORTS = (8300, 8301, 8302)  # of the log, and of the gossip
NAME = "consul"
HOME = f"{FOLDER}/{NAME}"
PACKAGE = Package(NAME, "1.8.7", "bullseye", "Debian 11", "usr/bin/consul")

# What Consul answers before anything reaches the log, and so certainly without effect.
REFUSALS = ("No cluster leader", "node is not the leader")
# What it answers to a transaction whose comparison does not hold: then all of it had no effect.
CHANGED = ("index is stale", "current modify index", "doesn't exist", '\\" exists')


# By how it reads. What `default` calls a small window is none for a promise.
PROMISES: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "consistent": {
            "linearizability": "linearizable",
            "sessions": "linearizable",
            "transactions": "strict-serializable",
        },
        "default": {"linearizability": None, "sessions": None, "transactions": "serializable"},
        "stale": {"linearizability": None, "sessions": None, "transactions": "serializable"},
    }
)


class Consul(Daemon):
    """The system `consul`.

    `reads`: "default" trusts the leader's lease, "consistent" has it ask a majority, "stale"
    takes what the connected server has. `lock_delay` is Consul's own, unless another is given.
    `binary` is a consul to use in place of Debian 11's,
    `archive` a file or URL that contains one; `server_args` go to it.
    """

    name = NAME
    alarms = ("^panic: ", "^fatal error: ")
    shortest_session_s = LEAST_TTL_S

    def __init__(
        self,
        reads: Annotated[
            Literal["default", "consistent", "stale"],
            Setting("Whether a read trusts the leader, has it ask a majority, or asks any server."),
        ] = "consistent",
        lock_delay: Annotated[
            float,
            Setting(
                "Seconds for which nobody gets a lock whose holder's session ended.",
                least=0,
                most=60,
            ),
        ] = 15.0,
        binary: binaries.Binary = None,
        archive: binaries.Archive = None,
        server_args: binaries.Arguments = (),
    ) -> None:
        self.reads = reads
        self.lock_delay = lock_delay
        self._arguments = list(server_args)
        self._binary = binaries.local(NAME, binary, archive)

    def fetch(self) -> Path:
        return self._binary or PACKAGE.program()

    @staticmethod
    def examine() -> str:
        return PACKAGE.examine()

    def install(self, node: Node) -> None:
        binaries.put(node, NAME, self.fetch())
        self.versions(node)

    def versions(self, node: Node) -> str:
        return binaries.version(node, NAME, [binaries.path(NAME), "version"])

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        node.write(f"{HOME}/agent.json", json.dumps(_configuration(node, nodes), indent=1))
        command = [binaries.path(NAME), "agent", "-config-file", f"{HOME}/agent.json"]
        node.start_daemon(NAME, command + self._arguments)

    def members(self, node: Node) -> Sequence[str]:
        return consul_members.voters(node)

    def add(self, node: Node, asked: Node) -> None:
        """Nobody is asked: it joins by itself when it is started, and is made a voter later."""

    def remove(self, node: Node, asked: Node) -> None:
        consul_members.remove(node, asked)

    def files(self, node: Node) -> Mapping[str, str]:
        return {"log": f"{HOME}/data/raft/raft.db"}

    def healthy(self, node: Node) -> bool:
        # Any answer will do, but it must be the leader's: there may be no such key.
        path = "/v1/kv/?keys&consistent"
        connection = Connection(node.address, PORT, 2.0)
        try:
            return connection.request("GET", path, reads=True)[0] in (200, 404)
        except Definite:
            return False
        finally:
            connection.close()

    def peer_ports(self, node: Node) -> Sequence[int]:
        return PEER_PORTS

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    def client(self, node: Node, timeout: float) -> Client:
        return ConsulClient(node.address, timeout, self.reads)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def collections(node: Node, timeout: float) -> Client:
            return ConsulCollections(ConsulClient(node.address, timeout, self.reads), timeout)

        def elections(node: Node, timeout: float) -> Client:
            return ConsulElections(node.address, timeout, self.lock_delay)

        def locks(node: Node, timeout: float) -> Client:
            return ConsulLocks(node.address, timeout, self.lock_delay)

        def transactions(node: Node, timeout: float) -> Client:
            return ConsulTransactions(ConsulClient(node.address, timeout, self.reads))

        def leases(node: Node, timeout: float) -> Client:
            client = ConsulClient(node.address, timeout, self.reads)
            return ConsulLeases(client, node.address, timeout)

        def watches(node: Node, timeout: float) -> Client:
            client = ConsulClient(node.address, timeout, self.reads)
            return ConsulWatches(client, node.address, timeout, self.reads)

        return {
            "registers": self.client,
            "elections": elections,
            "locks": locks,
            "queues": collections,
            "sets": collections,
            "transactions": transactions,
            "leases": leases,
            "watches": watches,
        }

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return Consul(reads="stale").offers

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES[self.reads]

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        said = ask_all([node.address for node in nodes], PORT, "GET", "/v1/agent/self")
        rafts = [agent["Stats"]["raft"] if agent else {} for agent in said]
        leading = [
            (int(raft["term"]), node.name)
            for node, raft in zip(nodes, rafts, strict=True)
            if raft.get("state") == "Leader"
        ]
        return [name for _, name in sorted(leading, reverse=True)]


class ConsulClient:
    """One connection to one server.

    Updates are transactions of one operation, for these say which ModifyIndex they made, as a put
    does not. A cas goes by the ModifyIndex under which the expected value was read. A register
    that has another index than that has another value for ever, since every value is new.
    """

    def __init__(self, host: str, timeout: float, reads: str, port: int = PORT) -> None:
        self._connection = Connection(host, port, timeout)
        self._reads = reads
        self._seen: dict[str, tuple[str | None, int]] = {}

    def read(self, key: str) -> Answer:
        value, index = self._look(key, self._reads)
        return Answer(value) if value is None else Answer(value, index)

    def write(self, key: str, value: str) -> Answer:
        return Answer(version=self._update(key, value, {"Verb": "set"}))

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        seen = self._seen.get(key)
        if seen is None or seen[0] != old:
            # Not in the mode of the reads under test: a mismatch must be a true one.
            seen = self._look(key, "consistent")
        if seen[0] != old:
            raise Mismatch(seen[0], known=True, version=seen[1] or UNKNOWN_VERSION)
        del self._seen[key]
        return Answer(version=self._update(key, new, {"Verb": "cas", "Index": seen[1]}))

    def close(self) -> None:
        self._connection.close()

    def _look(self, key: str, mode: str) -> tuple[str | None, int]:
        """Return value and ModifyIndex (0: there is none), and remember them."""
        query = "" if mode == "default" else f"?{mode}"
        status, text = self._connection.request("GET", _path(key) + query, reads=True)
        if status == 404:
            self._seen[key] = None, 0
        elif status == 200:
            entry: dict[str, Any] = json.loads(text)[0]
            self._seen[key] = decoded(entry["Value"]), entry["ModifyIndex"]
        else:
            raise Definite(_reason(status, text))
        return self._seen[key]

    def _update(self, key: str, value: str, how: dict[str, Any]) -> int:
        """Carry out one update and return the ModifyIndex that it made."""
        change = how | {"Key": f"partita/{key}", "Value": coded(value)}
        return int(self.change(change)["ModifyIndex"])

    def index(self, key: str) -> int:
        """Return the index of a key's last change, 0 if there is none, as a majority knows it."""
        return self._look(key, "consistent")[1]

    def below(self, key: str) -> list[dict[str, Any]]:
        """Return all entries whose keys begin with this one and a slash, read in the mode asked."""
        mode = "" if self._reads == "default" else f"&{self._reads}"
        path = f"{_path(key)}/?recurse{mode}"
        status, text = self._connection.request("GET", path, reads=True)
        if status == 404:
            return []
        if status != 200:
            raise Definite(_reason(status, text))
        found: list[dict[str, Any]] = json.loads(text)
        return found

    def change(self, how: dict[str, Any]) -> dict[str, Any]:
        """Carry out a transaction of one operation; return the entry that it made, if any.

        Raises `Mismatch` if it names an index at which its key does not stand any more.
        """
        return next(iter(self.transact([{"KV": how}])), {})

    def transact(
        self, operations: Sequence[dict[str, Any]], *, reads: bool = False
    ) -> list[dict[str, Any]]:
        """Carry out operations together, or none of them; return the entries that they answer.

        Raises `Mismatch` if a comparison in it does not hold.
        """
        mode = "" if self._reads == "default" or not reads else f"?{self._reads}"
        body = json.dumps(operations).encode()
        status, text = self._connection.request("PUT", f"/v1/txn{mode}", body, reads=reads)
        if status == 200:
            return [each["KV"] for each in json.loads(text)["Results"] or []]
        reason = _reason(status, text)
        if status == 409 and any(phrase in reason for phrase in CHANGED):
            raise Mismatch
        refused = reads or 400 <= status < 500 or any(phrase in reason for phrase in REFUSALS)
        raise (Definite if refused else Indefinite)(reason)


def _configuration(node: Node, nodes: Sequence[Node]) -> dict[str, Any]:
    return {
        "server": True,
        "node_name": node.name,
        "bind_addr": node.address,
        "client_addr": node.address,
        "data_dir": f"{HOME}/data",
        "bootstrap_expect": len(nodes),
        "retry_join": [each.address for each in nodes if each is not node],
        "retry_interval": "1s",
        # A server that is stopped comes back; it has not left for good.
        "leave_on_terminate": False,
        # What Consul's documentation recommends for servers in production: elections after
        # one to two seconds, not after five to ten.
        "performance": {"raft_multiplier": 1},
        "disable_update_check": True,
        "log_level": "INFO",
    }


def _path(key: str) -> str:
    return f"/v1/kv/partita/{quote(key)}"


def _reason(status: int, text: bytes) -> str:
    return text.decode(errors="replace").strip() or f"status {status}"
