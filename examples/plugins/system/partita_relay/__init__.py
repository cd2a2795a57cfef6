"""A system: how the store `relay` is started on a node, and how a client talks to it.

partita test relay --local 3 --nemesis random-halves
"""

import json
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import Node
from partita.workloads.client import Client, Definite, Indefinite, Mismatch

SERVER = Path(__file__).with_name("server.py")


class Relay:
    """Registers in the memory of the first node; the other nodes pass requests on to it."""

    name = "relay"

    # The parameters are the options: `partita test relay --port 7070 --cache`.
    def __init__(
        self,
        port: Annotated[int, Setting("Where it listens.", least=1024, most=65535)] = 7070,
        cache: Annotated[bool, Setting("Nodes answer reads with what they heard last.")] = False,
    ) -> None:
        self.port = port
        self.cache = cache

    # What clients of it can do: text in registers. A workload says which capability it needs.
    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return {"registers": lambda node, timeout: RelayClient(node.address, self.port, timeout)}

    # What its documentation says, by check. None: nothing is promised, so nothing is judged.
    def promises(self, capability: str) -> Mapping[str, str | None]:
        return {"linearizability": None if self.cache else "linearizable"}

    def install(self, node: Node) -> None:
        node.upload(SERVER, "/srv/partita/code/relay.py")

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        command = ["python3", "/srv/partita/code/relay.py", node.address, str(self.port)]
        command += [nodes[0].address, *(["--cache"] if self.cache else [])]
        node.start_daemon(self.name, command)

    def healthy(self, node: Node) -> bool:
        client = RelayClient(node.address, self.port, timeout=2)
        return client.read("health") is None

    # For the faults that strike whoever leads. Without it, there are none.
    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        return [nodes[0].name]


class RelayClient:
    """A client of one node. What each error means for the operation is decided here."""

    def __init__(self, address: str, port: int, timeout: float) -> None:
        self._where = address, port
        self._timeout = timeout

    def read(self, key: str) -> str | None:
        value: str | None = self._ask(f="read", key=key)["value"]
        return value

    def write(self, key: str, value: str) -> None:
        self._ask(f="write", key=key, new=value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        answer = self._ask(f="cas", key=key, old=old, new=new)
        if not answer["changed"]:
            raise Mismatch(answer["value"], known=True)

    def close(self) -> None:
        pass  # every call has a connection of its own

    def _ask(self, **request: Any) -> dict[str, Any]:
        connection = HTTPConnection(*self._where, timeout=self._timeout)
        try:
            connection.connect()
        except OSError as error:
            raise Definite(f"no connection: {error}") from error  # so nothing was sent
        try:
            connection.request("POST", "/", json.dumps(request))
            response = connection.getresponse()
            answer: dict[str, Any] = json.loads(response.read())
        except OSError as error:
            raise Indefinite(f"no answer: {error}") from error
        finally:
            connection.close()
        if response.status != 200:
            raise Indefinite(answer["error"])
        return answer
