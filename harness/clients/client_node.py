"""Clients on a node of their own: made there, by a program that is started again if it ends."""

import itertools
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from partita.harness.clients import wire
from partita.harness.clients.clocks import Clock
from partita.harness.clients.program import Program
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.nodes.doctor import Ailment, Finding, examine_node, examine_version
from partita.harness.nodes.ssh import SshError
from partita.nemesis.hosts import CLIENTS_MARK
from partita.workloads.client import UNKNOWN_VERSION, Client, Definite, Indefinite, Tell

HOME = f"{FOLDER}/{wire.FOLDER}"
COMMAND = "partita-clients"
CLOSE_S = 1.0

# What it says goes to its log. It begins where the controller runs, so that a user's own file is
# found by the same path; on another machine that folder may not be there.
_START = """
mkdir -p "$1"; cd "$2" 2>/dev/null || cd /; log=$1/$3; shift 3
exec "$@" 2>> "$log"
"""
_VERSION = """
command -v "$1" >/dev/null || exit 9
exec "$1" --version
"""


class ClientNode:
    """Makes clients of a system in a program on `node`, which `start` starts.

    `system` and `settings` are what the system is called and made with, `nodes` are the store's.
    """

    def __init__(
        self, node: Node, system: str, settings: Mapping[str, Any], nodes: Sequence[Node]
    ) -> None:
        self.node = node
        addresses = {each.name: list(each.addresses) for each in nodes}
        self._opening = {"system": system, "settings": dict(settings), "nodes": addresses}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._program: Program | None = None

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def log(self) -> str:
        """The path of what the program said, on the node."""
        return f"{HOME}/{wire.LOG}"

    def start(self) -> None:
        """Start the program. Raises `SshError` with what it says if it cannot be used."""
        if not self.node.local:
            _require_version(self.node)
        self.wipe()
        with self._lock:
            self._program = self._started()

    def client(self, capability: str, node: Node, timeout: float) -> Client:
        """Make a client of a node of the store; raises `Definite` if that is not possible."""
        number = next(self._numbers)
        client = RemoteClient(self._running(), number, capability)
        client.open(node.name, timeout)
        return client

    def back_since(self) -> float:
        """Return since when the program has got to run: now if it does not."""
        program = self._program
        return 0.0 if program is None else program.back_since()

    def wipe(self) -> None:
        """Delete what the program leaves on the node."""
        self.node.wipe(wire.FOLDER)

    def close(self) -> None:
        """End the program; never raises."""
        with self._lock:
            program, self._program = self._program, None
        if program is not None:
            program.close()

    def _running(self) -> Program:
        with self._lock:
            if self._program is None:
                raise Definite(f"the program on {self.name} was ended")
            if self._program.gone is not None:
                try:
                    self._program = self._started()
                except SshError as error:
                    raise Definite(str(error)) from error
            return self._program

    def _started(self) -> Program:
        node = self.node
        command = [sys.executable, "-m", "partita.harness.clients.serving"]
        variables = {CLIENTS_MARK: "1"}
        if node.local and "PYTHONPATH" in os.environ:
            variables["PYTHONPATH"] = os.environ["PYTHONPATH"]
        given = [f"{variable}={value}" for variable, value in variables.items()]
        start = ["sh", "-c", _START, "start", HOME, str(Path.cwd()), wire.LOG]
        start += command if node.local else [COMMAND]
        channel = node.remote.opened(["env", *given, *start])
        program = Program(node.name, channel, Clock(same=node.local))
        try:
            answer = program.greet(f="hello", **self._opening)
        except Indefinite as error:
            said = node.tail(self.log, 1) or str(error)
            raise SshError(f"{node.name}: the clients' program does not start: {said}") from error
        if answer["type"] != "ok":
            raise SshError(f"{node.name}: {answer['error']}")
        return program


class RemoteClient:
    """A client of a system, in a program on a client node. It has the methods that one has."""

    def __init__(self, program: Program, number: int, capability: str) -> None:
        self._program = program
        self._number = number
        self._capability = capability
        self._lock = threading.Lock()
        self._tell: Tell | None = None
        self._early: list[wire.Line] = []  # events from before anybody listened

    def open(self, node: str, timeout: float) -> None:
        """Let the program make the client. Raises `Definite` if it does not."""
        self._program.hear(self._number, self._heard)
        line = {"node": node, "timeout": timeout, "capability": self._capability}
        try:
            methods = wire.came_to(self._program.ask(f="open", client=self._number, **line))
        except Indefinite as error:
            raise Definite(str(error)) from error
        for name in methods:
            if name not in ("close", "open"):
                setattr(self, name, partial(self._call, name))

    def listen(self, tell: Tell) -> None:
        with self._lock:
            self._tell, early = tell, self._early
            for line in early:
                self._pass_on(line)

    def present(self) -> None:
        self._program.ask(f="ping")

    def close(self) -> None:
        with suppress(Indefinite, FutureTimeoutError):
            self._program.begun(f="close", client=self._number).result(CLOSE_S)

    def _call(self, method: str, *arguments: Any, **named: Any) -> Any:
        if named:
            raise TypeError(f"{method}() was called with {', '.join(named)} by name")
        _, returns = wire.hints(self._capability, method)
        request = {"client": self._number, "args": list(arguments)}
        return wire.came_to(self._program.ask(f=method, **request), returns)

    def _heard(self, line: wire.Line) -> None:
        with self._lock:
            if self._tell is None:
                self._early.append(line)
            else:
                self._pass_on(line)

    def _pass_on(self, line: wire.Line) -> None:
        assert self._tell is not None
        clock, sent = self._program.clock, line["sent"]
        self._tell(
            line["f"],
            line["value"],
            key=line["key"],
            version=line.get("version", UNKNOWN_VERSION),
            sent=None if sent is None else clock.earliest(sent),
            at=clock.latest(line["at"]),
            **line["fields"],
        )


def examine_client_node(node: Node) -> list[Finding]:
    """Look at a machine that is to be a client node: what all nodes need, and Partita itself."""
    return [*examine_node(node), examine_version(node, lambda: _version_there(node))]


def _require_version(node: Node) -> None:
    """Refuse a machine on which the clients' program is not, or is another. Raises `SshError`."""
    try:
        _version_there(node)
    except Ailment as ailment:
        raise SshError(f"{node.name}: {ailment}: {ailment.fix}") from ailment


def _version_there(node: Node) -> str:
    here = version("partita")
    done = node.run(["sh", "-c", _VERSION, "version", COMMAND], check=False)
    fix = f"pip install partita=={here} there, so that root finds it"
    if done.status == 9:
        raise Ailment(f"a client node needs the command {COMMAND}, which is not there", fix)
    if (there := done.stdout.strip()) != here:
        raise Ailment(f"version {there or 'unknown'} there, and {here} here", fix)
    return f"version {there}, as here"
