"""PySyncObj, a Raft library in Python, inside a small server of ours: what a team's own store is.

The library comes from Python's package index, and the node needs nothing but Python. It promises
Raft's replication (https://pysyncobj.readthedocs.io), and its reads and writes here all go through
the log.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.connection import Connection, ask_all, host_port
from partita.harness.systems.over_registers import offered
from partita.harness.systems.pypi import Published
from partita.harness.systems.python import require_python
from partita.harness.systems.releases import Released, Releases, Source
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch

PORT = 7000
PEER_PORT = 7100
NAME = "pysyncobj"
HOME = f"{FOLDER}/{NAME}"
SERVER = Path(__file__).with_name("pysyncobj_server.py")
NEWEST = "0.3.17"


@dataclass(frozen=True, slots=True)
class Library:
    """A release of the library, which is put on nodes with our server beside it."""

    published: Published

    def fetch(self) -> None:
        self.published.fetched()

    def put(self, node: Node, name: str) -> str:
        library = self.published.fetched()
        files = {f"{NAME}/{each.name}": each for each in sorted(library.glob("*.py"))}
        folder = binaries.put_all(node, name, {"server.py": SERVER, **files})
        return f"{folder}/server.py"


def _published(version: str, sha256: str) -> Source:
    return Library(Published(NAME, version, f"{NAME}-{version}/{NAME}", (sha256,)))


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "0.3.15": _published(
            "0.3.15", "7b98f523bc7810203763f5a6ef569ff2dd5de889fb7f5f0ccc8c8b6c87df9680"
        ),
        NEWEST: _published(
            NEWEST, "8aaef68141714d556173778a51bcc4e221b6fd4c971dc1240f3ab4c0d2dfe765"
        ),
    }
)
PROMISES: Mapping[str, str | None] = MappingProxyType({"linearizability": "linearizable"})


class PySyncObj(Released):
    """The system `pysyncobj`: a server around the library of that name, of release `version`."""

    name = NAME
    alarms = ("^AssertionError",)

    def __init__(
        self,
        version: Annotated[
            Literal["0.3.15", "0.3.17"], Setting("The release of the library.")
        ] = "0.3.17",
    ) -> None:
        self._version = version
        self._releases = Releases(NAME, SOURCES, version)

    def install(self, node: Node) -> None:
        require_python(node, "our server")
        super().install(node)

    def versions(self, node: Node) -> str:
        asked = "from pysyncobj.version import VERSION; print(VERSION)"
        folder = str(Path(self._releases.path(node)).parent)
        return node.run(["env", f"PYTHONPATH={folder}", "python3", "-c", asked]).stdout.strip()

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        command = ["python3", self._releases.path(node), "--me", host_port(node.address, PEER_PORT)]
        command += ["--listen", host_port(node.address, PORT), "--journal", f"{HOME}/data/journal"]
        for peer in nodes:
            if peer.name != node.name:
                command += ["--peer", host_port(peer.address, PEER_PORT)]
        node.run(["mkdir", "-p", f"{HOME}/data"])
        node.start_daemon(NAME, command, environment={"PYTHONUNBUFFERED": "1"})

    def files(self, node: Node) -> Mapping[str, str]:
        return {"log": f"{HOME}/data/journal"}

    def healthy(self, node: Node) -> bool:
        status = _statuses([node])[0]
        return status is not None and bool(status["ready"])

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (PEER_PORT,)

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    def client(self, node: Node, timeout: float) -> Client:
        return PySyncObjClient(node.address, timeout)

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return offered(lambda node, timeout: PySyncObjClient(node.address, timeout, own=True))

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        leading = [
            (status["term"], node.name)
            for node, status in zip(nodes, _statuses(nodes), strict=True)
            if status and status["leads"]
        ]
        return [name for _, name in sorted(leading, reverse=True)]


class PySyncObjClient:
    """One connection to one node. Its reads go through the log, or its node answers its `own`."""

    def __init__(self, host: str, timeout: float, port: int = PORT, *, own: bool = False) -> None:
        self._read = "own" if own else "read"
        self._connection = Connection(host, port, timeout)
        # The node answers a little earlier than we give up, since it knows what is certain.
        self._patience = 0.9 * timeout

    def read(self, key: str) -> Answer:
        return Answer(self._ask(self._read, key=key)["value"])

    def write(self, key: str, value: str) -> None:
        self._ask("write", key=key, value=value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        answer = self._ask("cas", key=key, old=old, value=new)
        if "mismatch" in answer:
            raise Mismatch(answer["actual"], known=True)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, f: str, **fields: Any) -> dict[str, Any]:
        reads = f == self._read
        body = json.dumps(fields | {"timeout": self._patience}).encode()
        _, text = self._connection.request("POST", f"/{f}", body, reads=reads)
        answer: dict[str, Any] = json.loads(text)
        if "error" in answer:
            raise (Definite if reads or answer["definite"] else Indefinite)(answer["error"])
        return answer


def _statuses(nodes: Sequence[Node]) -> list[dict[str, Any] | None]:
    return ask_all([node.address for node in nodes], PORT, "POST", "/status", b"{}")
