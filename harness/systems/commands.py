"""A store described by shell commands in a TOML file, with a client program in any language.

What a team without Python writes in place of a class: see docs/your-own-store.md. The keys are
those of `KEYS`; commands run on the nodes, by sh, with the variables of `_variables`.
"""

import shlex
import shutil
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from glob import glob
from pathlib import Path
from types import MappingProxyType
from typing import Any

from partita.harness.nodes.cluster import FOLDER, Node, on_all
from partita.harness.systems.daemon import Daemon
from partita.harness.systems.over_registers import offered
from partita.harness.systems.program import ProgramClient
from partita.harness.systems.program_coordination import CAPABILITIES, CoordinationProgram
from partita.harness.systems.program_transactions import (
    GUARDED,
    WHOLE,
    GuardedTransactions,
    WholeTransactions,
)
from partita.harness.systems.system import StoreError
from partita.workloads.client import Client

# Every key that store.toml may have: whether it must be there, and what type it has.
KEYS: Mapping[str, tuple[bool, type]] = MappingProxyType(
    {
        "name": (False, str),
        "files": (False, list),
        "install": (False, str),
        "start": (True, str),
        "stop": (False, str),
        "health": (True, str),
        "leader": (False, str),
        "logs": (False, list),
        "client": (True, str),
        "transactions": (False, str),
        "offers": (False, list),
        "alarms": (False, list),
        "peer_ports": (False, list),
        "client_ports": (False, list),
    }
)
# The group stands in /proc/PID/stat, the third word behind the program's name in brackets.
_SIGNAL = """
pid=$(cat "$1" 2>/dev/null) || exit 0
group=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 3)
[ -z "$group" ] || kill -s "$2" -- "-$group"
"""
PORTS = ("peer_ports", "client_ports")
ANSWER_S = 5.0  # for a health or leader command


def read_store(path: Path) -> "CommandStore":
    """Make a system of a store.toml. Raises `StoreError` with what is wrong in it."""
    try:
        given = tomllib.loads(path.read_text())
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StoreError(f"{path} is no TOML: {error}") from error
    for complaint in _complaints(given, path.parent):
        raise StoreError(f"{path}: {complaint}")
    return CommandStore({"name": path.stem, **given}, path.parent.resolve())


def _files(folder: Path, pattern: str) -> list[Path]:
    """Return the file of this name, or those of a pattern such as `*.py`."""
    if (folder / pattern).is_file():
        return [folder / pattern]
    # `Path.glob` takes no absolute ones.
    found = (folder / each for each in glob(pattern, root_dir=folder))  # noqa: PTH207
    return sorted(each for each in found if each.is_file())


def _complaints(given: dict[str, Any], folder: Path) -> list[str]:
    """Say what is wrong, the worst first."""
    found = [complaint for key, value in given.items() for complaint in _mistaken(key, value)]
    found += [f"{key} is missing" for key, (must, _) in KEYS.items() if must and key not in given]
    if found:
        return found
    missing = [name for name in given.get("files", ()) if not _files(folder, name)]
    found = [f"files: no file {name}" for name in missing]
    if not given.get("name", "store").replace("-", "").isalnum():
        found.append(f"name has letters, digits and dashes only, not {given['name']!r}")
    if given.get("transactions", WHOLE) not in (WHOLE, GUARDED):
        found.append(f"transactions is {WHOLE} or {GUARDED}, not {given['transactions']!r}")
    for each in given.get("offers", ()):
        if each not in CAPABILITIES:
            found.append(f"offers: choose from {', '.join(CAPABILITIES)}, not {each!r}")
    return found + _client_complaints(given["client"], folder)


def _mistaken(key: str, value: Any) -> list[str]:
    if key not in KEYS:
        return [f"there is no key {key!r}: choose from {', '.join(KEYS)}"]
    if KEYS[key][1] is str:
        return [] if isinstance(value, str) and value.strip() else [f"{key} must be a text"]
    if key in PORTS:
        good = isinstance(value, list) and value and all(map(_is_port, value))
        return [] if good else [f"{key} must be a list of ports, such as [2380]"]
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return []
    return [f"{key} must be a list of texts"]


def _ports_of(ports: Sequence[int], node: Node) -> Sequence[int]:
    """Return the ports of a node, which are those of every other."""
    return ports


def _is_port(value: Any) -> bool:
    return type(value) is int and 0 < value < 65536


def _client_complaints(command: str, folder: Path) -> list[str]:
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        return [f"client is no command: {command!r}"]
    if shutil.which(program) or (folder / program).is_file():
        return []
    return [f"client: there is no program {program}"]


class CommandStore(Daemon):
    """The system that a store.toml describes.

    `start` runs in the foreground and is a process group of its own, so that ending or
    freezing it needs no help from the store. Its folder on the node is deleted before each run;
    `files` lie beside it.
    """

    def __init__(self, keys: dict[str, Any], folder: Path) -> None:
        self.name: str = keys["name"]
        self._keys = keys
        self._folder = folder
        self._home = f"{FOLDER}/{self.name}"
        self._files = f"{FOLDER}/{self.name}-files"
        self._nodes: Sequence[Node] = ()
        # Only then does the store count as one that can be asked who leads it.
        if "leader" in keys:
            self.primaries = self._leading
        self.alarms: Sequence[str] = keys.get("alarms", ())
        for ports in (key for key in PORTS if key in keys):
            setattr(self, ports, partial(_ports_of, keys[ports]))

    def install(self, node: Node) -> None:
        for pattern in self._keys.get("files", ()):
            for file in _files(self._folder, pattern):
                node.upload(file, f"{self._files}/{file.name}")
        if "install" in self._keys:
            self._run(node, "install", 600)

    def meet(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        self.meet(nodes)
        variables = self._variables(node)
        node.start_daemon(self.name, ["sh", "-c", self._keys["start"]], environment=variables)

    def healthy(self, node: Node) -> bool:
        return self._succeeds(node, "health")

    def stop(self, node: Node) -> None:
        if "stop" in self._keys:
            self._run(node, "stop", 60)
        else:
            self._signal(node, "TERM")
        node.stop_daemon(self.name)

    def kill(self, node: Node) -> None:
        self._signal(node, "KILL")
        node.stop_daemon(self.name, signal="KILL")

    def pause(self, node: Node) -> None:
        self._signal(node, "STOP")

    def resume(self, node: Node) -> None:
        self._signal(node, "CONT")

    def logs(self, node: Node) -> Sequence[str]:
        return [f"{self._home}/output.log", *self._keys.get("logs", ())]

    def client(self, node: Node, timeout: float) -> Client:
        return self._program(node, timeout)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        offers = dict(offered(self.client))
        if "transactions" in self._keys:
            offers["transactions"] = self._transactions
        offers |= dict.fromkeys(self._keys.get("offers", ()), self._coordination)
        return offers

    def _coordination(self, node: Node, timeout: float) -> Client:
        return CoordinationProgram(self._program(node, timeout))

    def _transactions(self, node: Node, timeout: float) -> Client:
        program = self._program(node, timeout)
        if self._keys["transactions"] == WHOLE:
            return WholeTransactions(program)
        return GuardedTransactions(program)

    def _program(self, node: Node, timeout: float) -> ProgramClient:
        command = shlex.split(self._keys["client"])
        return ProgramClient(command, self._folder, self._variables(node), timeout)

    def _leading(self, nodes: Sequence[Node]) -> list[str]:
        claims = on_all(nodes, lambda node: self._succeeds(node, "leader"))
        return [node.name for node, leads in zip(nodes, claims, strict=True) if leads]

    def _succeeds(self, node: Node, key: str) -> bool:
        command = ["timeout", f"{ANSWER_S:g}", *self._command(node, key)]
        return node.run(command, timeout_s=ANSWER_S + 10, check=False).status == 0

    def _signal(self, node: Node, signal: str) -> None:
        # The whole process group, for the shell may have started the store as its child.
        pidfile = f"{self._home}/pid"
        node.run(["sh", "-c", _SIGNAL, "signal", pidfile, signal], check=False)

    def _run(self, node: Node, key: str, timeout_s: float) -> None:
        done = node.run(self._command(node, key), timeout_s=timeout_s, check=False)
        if done.status != 0:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["nothing said"]
            raise StoreError(f"{key} failed on {node.name} with status {done.status}: {said[-1]}")

    def _command(self, node: Node, key: str) -> list[str]:
        variables = [f"{name}={value}" for name, value in self._variables(node).items()]
        return ["env", *variables, "sh", "-c", self._keys[key]]

    def _variables(self, node: Node) -> dict[str, str]:
        """Return what the commands and the client are told, as environment variables."""
        others = [other for other in self._nodes if other.name != node.name]
        return {
            "NODE": node.name,
            "ADDRESS": node.address,
            "NODES": " ".join(f"{each.name}={each.address}" for each in self._nodes),
            "OTHERS": " ".join(f"{each.name}={each.address}" for each in others),
            "DIR": self._home,
            "FILES": self._files,
        }
