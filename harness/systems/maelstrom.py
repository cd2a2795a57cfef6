"""Nodes that speak Maelstrom's protocol: JSON messages, one a line, on standard input and output.

The program is run as it is, in any language, once for each node. There is no network: a router
passes the messages on (`harness/messages/`). So it needs no privilege, and no time for set-up.
"""

import hashlib
import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, cast

from partita.checker.settings import Setting
from partita.harness.messages import clients, services
from partita.harness.messages.calls import Caller, Heard
from partita.harness.messages.faults import faults_on
from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links, Spread
from partita.harness.messages.neighbours import Neighbours
from partita.harness.messages.place import Place
from partita.harness.messages.process import STUCK_MAX
from partita.harness.messages.router import Router
from partita.harness.messages.streams import Streams
from partita.harness.messages.topologies import Shape, neighbours_in
from partita.harness.nodes.cluster import Node
from partita.harness.systems import maelstrom_words
from partita.harness.systems.system import StoreError
from partita.nemesis.ground import Ground, InOneProcess
from partita.workloads.client import Client

NAME = "maelstrom"
INIT_S = 10.0  # for the answer to `init`
STOP_S = 5.0
FIRST_LINE_MAX = 1000  # bytes
# The client that introduces nodes to each other.
INTRODUCER = "c0"


class Maelstrom:
    """Runs a program of yours as the nodes, and passes their messages on."""

    name = NAME

    def __init__(
        self,
        binary: Annotated[Path, Setting("The program that each node runs.", metavar="FILE")],
        server_args: Annotated[
            Sequence[str], Setting('More for the program: "--flag value".', metavar="WORDS")
        ] = (),
        latency: Annotated[
            float, Setting("Milliseconds that messages between nodes take.", least=0, most=10_000)
        ] = 0,
        latency_dist: Annotated[
            Spread, Setting("How that differs from message to message.")
        ] = "constant",
        topology: Annotated[
            Shape, Setting("Whom nodes are told to talk to, where a workload tells them.")
        ] = "grid",
        faulty_clients: Annotated[
            bool, Setting("Lose, delay and repeat messages of clients, too.")
        ] = False,
        messages_max: Annotated[
            int, Setting("Messages that are written down; the rest is counted.", least=0)
        ] = 1_000_000,
        tolerate_garbage: Annotated[
            bool, Setting("Believe a run in which nodes sent what means nothing.")
        ] = False,
    ) -> None:
        if not binary.is_file():
            raise StoreError(f"no file {binary}: --binary takes the program of a node")
        if not os.access(binary, os.X_OK):
            raise StoreError(f"{binary} cannot be executed: chmod +x {binary}")
        interpreter = _missing_interpreter(binary)
        if interpreter is not None:
            raise StoreError(
                f"{binary} is for {interpreter!r}, which is not there: see its first line"
            )
        self._command = [str(binary.resolve()), *server_args]
        self._shape: Shape = topology
        self._most = messages_max
        self._tolerant = tolerate_garbage
        self._links = Links(
            latency_ms=latency, spread=latency_dist, spares_clients=not faulty_clients
        )
        self._ground = InOneProcess(faults_on(self._links))
        self._folder = Path()
        self._router: Router | None = None
        self._heard = Heard()
        self._neighbours = Neighbours({}, lambda name: None)

    # --- the nodes -------------------------------------------------------------------------

    @property
    def ground(self) -> Ground:
        return self._ground

    @contextmanager
    def nodes(self, names: Sequence[str], seed: int) -> Iterator[Sequence[Node]]:
        self._links.seed = seed
        with tempfile.TemporaryDirectory(prefix="partita-messages-") as folder:
            self._folder = Path(folder)
            messages = Messages(self._folder / "messages.jsonl", self._most)
            self._router = router = Router(self._links, messages)
            services.attach_all(router, seed)
            self._neighbours = Neighbours(neighbours_in(self._shape, names), router.node)
            router.attach(INTRODUCER, lambda src, body: None)
            try:
                # A node is reached by its name alone; what of it is a host is this machine.
                yield [Node(name, (name,), cast(Any, Place(name)), local=True) for name in names]
            finally:
                router.close()

    def began(self, origin: int) -> None:
        self._passing.begin(origin)

    def complaints(self) -> Sequence[str]:
        said = list(self._heard.unsupported())
        said += [
            f"{name} does not read: {STUCK_MAX >> 20} MB wait for it, and {count} more messages to "
            "it were lost"
            for name, count in self._passing.dropped.items()
        ]
        troubles = self._passing.troubles
        if troubles and not self._tolerant:
            times = self._passing.troubled
            often = "" if times == 1 else f" ({times} times)"
            said.append(f"a node sent what means nothing{often}: {troubles[0]}")
        return said

    def keep(self, directory: Path) -> None:
        self._passing.flush()
        shutil.copy(self._passing.journal.path, directory / "messages.jsonl")

    def figures(self) -> Mapping[str, Any]:
        return {"messages": self._passing.figures()}

    @property
    def _passing(self) -> Router:
        if self._router is None:
            raise StoreError(f"{NAME} has no nodes yet")
        return self._router

    # --- a system ----------------------------------------------------------------------------

    def install(self, node: Node) -> None:
        """Nothing: the program is on this machine."""

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        process = self._passing.node(node.name)
        if process is not None and process.there():
            return
        names = [each.name for each in nodes]
        body = {"type": "init", "msg_id": 1, "node_id": node.name, "node_ids": names}
        folder, first = self._folder / node.name, (INTRODUCER, body)
        try:
            process = self._passing.spawn(node.name, self._command, folder, self._said(node), first)
        except OSError as error:
            raise StoreError(f"{self._command[0]} could not be started: {error.strerror}") from None
        deadline = time.monotonic() + INIT_S
        while not process.ready and process.there():
            if time.monotonic() > deadline:
                raise StoreError(f"{node.name} did not answer init within {INIT_S:g} s")
            time.sleep(0.005)

    def healthy(self, node: Node) -> bool:
        """Say whether the program runs and has answered `init`: the protocol has no other sign."""
        process = self._passing.node(node.name)
        return process is not None and process.ready and process.runs()

    def running(self, node: Node) -> bool:
        process = self._passing.node(node.name)
        return process is not None and process.there()

    def stop(self, node: Node) -> None:
        process = self._passing.node(node.name)
        if process is not None:
            process.stop(STOP_S)

    def kill(self, node: Node) -> None:
        process = self._passing.node(node.name)
        if process is not None:
            process.kill()

    def pause(self, node: Node) -> None:
        """Freeze the program, and return when it is frozen: a busy one takes a moment."""
        self._signal(node, signal.SIGSTOP)
        process = self._passing.node(node.name)
        deadline = time.monotonic() + STOP_S
        while process is not None and process.runs() and time.monotonic() < deadline:
            time.sleep(0.005)

    def resume(self, node: Node) -> None:
        self._signal(node, signal.SIGCONT)

    def wipe(self, node: Node) -> None:
        shutil.rmtree(self._folder / node.name, ignore_errors=True)

    def logs(self, node: Node) -> Sequence[str]:
        return [str(self._said(node))]

    def versions(self, node: Node) -> str:
        """Return by what the program can be told from others."""
        return hashlib.sha256(Path(self._command[0]).read_bytes()).hexdigest()[:12]

    @staticmethod
    def in_ours(words: Sequence[str]) -> list[str]:
        """Return a command line with our options in the place of Maelstrom's."""
        return maelstrom_words.in_ours(words)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return {
            "broadcasts": self._broadcasts,
            "counters": self._client(clients.Counters),
            "echoes": self._client(clients.Echoes),
            "ids": self._client(clients.Ids),
            "registers": self._client(clients.Registers),
            "sets": self._client(clients.Sets),
            "streams": self._client(Streams),
            "transactions": self._client(clients.Transactions),
        }

    def _client(self, kind: Callable[[Caller, str], Client]) -> Callable[[Node, float], Client]:
        return lambda node, timeout: kind(self._caller(timeout), node.name)

    def _broadcasts(self, node: Node, timeout: float) -> Client:
        return clients.Broadcasts(self._caller(timeout), node.name, self._neighbours)

    def _caller(self, timeout: float) -> Caller:
        return Caller(self._passing, timeout, self._heard)

    def _signal(self, node: Node, number: signal.Signals) -> None:
        process = self._passing.node(node.name)
        if process is not None:
            process.signal(number)

    def _said(self, node: Node) -> Path:
        return self._folder / f"{node.name}.log"


def _missing_interpreter(binary: Path) -> str | None:
    """Return what a script says that it is for, if there is no such program.

    The kernel would say that the script itself is not there.
    """
    with binary.open("rb") as file:
        first = file.readline(FIRST_LINE_MAX)
    if not first.startswith(b"#!"):
        return None
    # Of a line that ends as in Windows, the kernel takes the end for a part of the name.
    name = re.split(r"[ \t\n]", first[2:].decode(errors="replace").lstrip(" \t"))[0]
    return None if Path(name).is_file() else name
