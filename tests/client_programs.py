"""The clients' program run on this machine, without SSH: what the controller then sees of it."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from partita.harness.clients.client_node import HOME, ClientNode
from partita.harness.nodes.cluster import Node

HERE = Path(__file__).parent


class Here:
    """In place of a connection to a node: commands run on this machine, `HOME` is `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def opened(self, command: Sequence[str]) -> socket.socket:
        ours, theirs = socket.socketpair()
        argv = [str(self.folder) if word == HOME else word for word in command]
        # A session of its own, so that all that it starts can be signalled together.
        process = subprocess.Popen(argv, stdin=theirs, stdout=theirs, start_new_session=True)
        theirs.close()
        self.processes.append(process)
        return _Channel(ours)  # type: ignore[return-value]

    def signal(self, number: int) -> None:
        os.killpg(self.processes[-1].pid, number)

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class _Channel:
    """A socket with the methods of an SSH channel that are used."""

    def __init__(self, socket_: socket.socket) -> None:
        self.recv, self.sendall = socket_.recv, socket_.sendall
        self._socket = socket_

    def shutdown_write(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()


class LocalNode:
    """A client node that is this machine."""

    name, local, lost = "c1", True, False

    def __init__(self, folder: Path) -> None:
        self.remote = Here(folder)

    def wipe(self, name: str) -> None:
        """Nothing is left of an earlier run."""

    def tail(self, path: str, lines: int = 5) -> str:
        log = self.remote.folder / "output.log"
        return "\n".join(log.read_text().splitlines()[-lines:]) if log.exists() else ""


def client_node(folder: Path, system: str) -> tuple[ClientNode, Here]:
    """Return a client node on this machine for a system of the tests' own, not started yet."""
    host: Any = LocalNode(folder)
    store: Any = Node("n1", ("127.0.0.1",), host.remote)
    return ClientNode(host, f"{HERE}/{system}", {}, [store]), host.remote
