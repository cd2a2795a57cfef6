"""This machine in the place of a host, for nodes that are processes of ours."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from partita.harness.nodes.ssh import Completed


@dataclass(frozen=True, slots=True)
class Place:
    """What `Remote` is for a host, as far as anybody asks it of such a node."""

    name: str
    lost = False
    login = SimpleNamespace(port=0)  # nobody can reach it by a network

    def run(
        self, command: Sequence[str], *, stdin: bytes = b"", timeout_s: float = 60.0, check: bool
    ) -> Completed:
        """Run a command here, as whoever we are."""
        done = subprocess.run(
            command, input=stdin, capture_output=True, timeout=timeout_s, check=check
        )
        return Completed(done.returncode, done.stdout.decode(), done.stderr.decode())

    def download(self, path: str, local: Path) -> None:
        """Copy a file of the node's."""
        local.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, local)

    def give_up(self) -> None:
        """Never: it is this machine."""

    def close(self) -> None:
        """Nothing is open."""
