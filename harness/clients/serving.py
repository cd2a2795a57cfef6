"""The program on a client node: makes clients of the system there, and does as it is told.

`partita-clients` reads requests from its standard input and writes answers and events to its
standard output, a JSON object a line (`wire.py`). The first line says which system it is. Each
client has a thread of its own, as in the controller, so that one that waits keeps no other waiting.
The program ends with its input: nobody wants anything of it when the controller is gone.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import version
from queue import SimpleQueue
from typing import Any, BinaryIO

from partita.harness.clients import wire
from partita.harness.nodes.cluster import Node
from partita.harness.nodes.ssh import Login, Remote
from partita.harness.systems import HasMeet, load_system
from partita.harness.systems.system import System
from partita.workloads.client import UNKNOWN_VERSION, HasListen

Send = Callable[[Mapping[str, Any]], None]


def main() -> None:
    """Serve the controller at the other end of standard input and output."""
    if sys.argv[1:] == ["--version"]:
        print(version("partita"))
        return
    # What a client's library prints must not stand among the answers.
    answers = os.dup(1)
    os.dup2(2, 1)
    serve(sys.stdin.buffer, Sender(answers))
    os._exit(0)  # a client's thread may be in a call that lasts


class Sender:
    """Writes lines to a file, whole, from any thread."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lock = threading.Lock()

    def __call__(self, line: Mapping[str, Any]) -> None:
        left = memoryview(wire.encoded(line))
        with self._lock, suppress(OSError):  # nobody reads any more: the input ends too
            while left:
                left = left[os.write(self._file, left) :]


def serve(requests: BinaryIO, send: Send) -> None:
    """Carry out requests, each a line, until there are no more."""
    first = wire.decoded(requests.readline())
    try:
        system = load_system(first["system"], first["settings"])
        nodes = {name: _node(name, addresses) for name, addresses in first["nodes"].items()}
        if isinstance(system, HasMeet):
            system.meet(list(nodes.values()))
    except Exception as error:
        format_message = getattr(error, "format_message", error.__str__)
        send({"id": first["id"], "type": "fail", "error": format_message()})
        return
    send({"id": first["id"], "type": "ok", "value": version("partita")})
    clients: dict[int, Served] = {}
    for line in requests:
        request = wire.decoded(line)
        match request["f"]:
            case "ping":
                pong = {"id": request["id"], "type": "ok", "value": time.monotonic_ns()}
                send(pong)
            case "open":
                served = Served(request, system, nodes[request["node"]], send)
                clients[request["client"]] = served
            case "close":
                clients.pop(request["client"]).ask(request)
            case _:
                clients[request["client"]].ask(request)


class Served:
    """One client, in a thread of its own, which begins by opening it."""

    def __init__(self, opening: Mapping[str, Any], system: System, node: Node, send: Send) -> None:
        self._number: int = opening["client"]
        self._capability: str = opening["capability"]
        self._requests: SimpleQueue[Mapping[str, Any]] = SimpleQueue()
        self._send = send
        arguments = (opening, system, node)
        threading.Thread(target=self._work, args=arguments, daemon=True).start()

    def ask(self, request: Mapping[str, Any]) -> None:
        """Let the client do something as soon as it has done what it was asked for before."""
        self._requests.put(request)

    def _work(self, opening: Mapping[str, Any], system: System, node: Node) -> None:
        try:
            client = system.offers[self._capability](node, opening["timeout"])
            if isinstance(client, HasListen):
                client.listen(self._tell)
            answer = {"type": "ok", "value": _methods(client)}
        except BaseException as error:  # that of a library is no less
            self._send({"id": opening["id"], **wire.trouble(error)})
            return
        self._send({"id": opening["id"], **answer})
        while (request := self._requests.get())["f"] != "close":
            self._send({"id": request["id"], **self._done(client, request)})
        with suppress(Exception):
            client.close()
        self._send({"id": request["id"], "type": "ok"})

    def _done(self, client: Any, request: Mapping[str, Any]) -> wire.Line:
        types, _ = wire.hints(self._capability, request["f"])
        given = request["args"]
        known = [*types, *[Any] * len(given)]
        arguments = [wire.typed(each, hint) for each, hint in zip(given, known, strict=False)]
        try:
            return wire.outcome(getattr(client, request["f"])(*arguments))
        except BaseException as error:
            return wire.trouble(error)

    def _tell(
        self,
        f: str,
        /,
        value: Any = None,
        *,
        key: str | None = None,
        version: int = UNKNOWN_VERSION,
        sent: float | None = None,
        at: float | None = None,
        **fields: Any,
    ) -> None:
        """Send an event, with the time of this call on this machine's clock; see `Tell`."""
        times = {"at": time.monotonic() if at is None else at, "sent": sent}
        event = {"type": "event", "client": self._number, "f": f, "value": value, "key": key}
        self._send({**event, **times, "version": version, "fields": fields})


def _methods(client: Any) -> list[str]:
    names = (name for name in dir(client) if not name.startswith("_"))
    return [name for name in names if name != "listen" and callable(getattr(client, name, None))]


def _node(name: str, addresses: list[str]) -> Node:
    """Return a node that a client can talk to. Nobody logs in from here."""
    remote = Remote(name, addresses[0], Login(connect_s=0.1))
    return Node(name, tuple(addresses), remote)


if __name__ == "__main__":
    main()
