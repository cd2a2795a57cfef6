"""The nodes of a run, reached the same way whether they are local or rented.

A `Node` is what a system under test and the nemesis see of a host: names, addresses, commands,
files, and daemons that are started and stopped there. Each node has one folder of ours,
`/srv/partita`.
"""

import os
import shlex
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from partita.harness.nodes.local import INSIDE, LocalCluster, LocalNode
from partita.harness.nodes.ssh import Completed, Login, Remote, SshError

FOLDER = "/srv/partita"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """One host of the cluster.

    `addresses` are all global addresses of the host, IPv4 and IPv6, the one that clients use
    first; `local` says that the host shares this machine's file system.
    """

    name: str
    addresses: tuple[str, ...]
    remote: Remote
    local: bool = False

    @property
    def address(self) -> str:
        """The address that clients and the other nodes use."""
        return self.addresses[0]

    @property
    def port(self) -> int:
        """The port of the node's sshd, which always listens."""
        return self.remote.login.port

    @property
    def lost(self) -> bool:
        """Whether the node was given up: its machine is gone, or cannot be reached any more."""
        return self.remote.lost

    def give_up(self) -> None:
        """Never reach for the node again; what is still asked of it fails at once."""
        self.remote.give_up()

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout_s: float = 60.0,
        check: bool = True,
    ) -> Completed:
        """Run a command on the node as root; see `Remote.run`."""
        return self.remote.run(command, stdin=stdin, timeout_s=timeout_s, check=check)

    def write(self, path: str, content: str) -> None:
        """Write a text file on the node, its folder made if missing."""
        self.remote.write(path, content.encode())

    def upload(self, local: Path, path: str) -> None:
        """Copy a file to the node."""
        self.remote.upload(local, path)

    def start_daemon(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start a long-running command, unless it runs already; its output goes to a log."""
        variables = [f"{key}={value}" for key, value in (environment or {}).items()]
        script = f'mkdir -p "{FOLDER}/$1"; cd "{FOLDER}/$1"; name=$1; shift; ' + (
            "exec start-stop-daemon --start --oknodo --background --make-pidfile "
            f'--pidfile "{FOLDER}/$name/pid" --output "{FOLDER}/$name/output.log" '
            f'--chdir "{FOLDER}/$name" --startas /usr/bin/env -- "$@"'
        )
        self.run(["sh", "-c", script, "start", name, *variables, *command])

    def signal_daemon(self, name: str, signal: str) -> bool:
        """Send a signal ("KILL", "STOP", …) to a daemon; say whether it was there."""
        script = 'pid=$(cat "$1" 2>/dev/null) || exit 3; kill -"$2" "$pid" 2>/dev/null || exit 3'
        done = self.run(["sh", "-c", script, "signal", f"{FOLDER}/{name}/pid", signal], check=False)
        return done.status == 0

    def stop_daemon(self, name: str, *, signal: str = "TERM", wait_s: int = 20) -> None:
        """Send a signal to a daemon, wait for its end, and kill it if it does not end."""
        pidfile = f"{FOLDER}/{name}/pid"
        script = (
            '[ -e "$1" ] || exit 0; pid=$(cat "$1"); '
            # After a reboot the id may be anybody's: ours works in its own folder.
            'case $(readlink "/proc/$pid/cwd") in "${1%/pid}"*) ;; *) rm -f "$1"; exit 0 ;; esac; '
            'kill -"$2" "$pid" 2>/dev/null; '
            'kill -CONT "$pid" 2>/dev/null; i=0; while [ -d "/proc/$pid" ]; do i=$((i + 1)); '
            '[ $i -lt "$3" ] || kill -KILL "$pid" 2>/dev/null; sleep 0.1; done; rm -f "$1"'
        )
        self.run(
            ["sh", "-c", script, "stop", pidfile, signal, str(wait_s * 10)],
            timeout_s=wait_s + 30,
            check=False,
        )

    def daemon_runs(self, name: str) -> bool:
        """Say whether a daemon that `start_daemon` started still runs."""
        script = '[ -d "/proc/$(cat "$1" 2>/dev/null || echo none)" ]'
        pidfile = f"{FOLDER}/{name}/pid"
        return self.run(["sh", "-c", script, "runs", pidfile], check=False).status == 0

    def tail(self, path: str, lines: int = 5) -> str:
        """Return the last lines of a file on the node, empty if there is none."""
        return self.run(["tail", "-n", str(lines), "--", path], check=False).stdout.strip()

    def wipe(self, name: str) -> None:
        """Delete a daemon's folder with all that it stored."""
        self.run(["rm", "-rf", "--", f"{FOLDER}/{name}"])

    def install_packages(self, packages: Iterable[str]) -> None:
        """Install Debian packages that are missing; no daemon of theirs is started."""
        query = 'for p in "$@"; do dpkg-query -W -f "\\${Status}" "$p" 2>/dev/null'
        query += ' | grep -q "ok installed" || echo "$p"; done'
        missing = self.run(["sh", "-c", query, "query", *packages]).stdout.split()
        if not missing:
            return
        command = ["sh", "-c", APT, "install", *missing]
        if self.local:
            # A local node has no way out to a mirror, but it has this machine's file system.
            _install_here(command, missing)
        else:
            self.run(command, timeout_s=900)

    def close(self) -> None:
        self.remote.close()


# Debian's maintainer scripts ask policy-rc.d before they start a daemon: ours says no, unless
# the administrator has one already. apt waits for its lock by itself.
APT = """
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
    printf '#!/bin/sh\\nexit 101\\n' > $policy; chmod +x $policy; trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 -qq update
apt-get -o DPkg::Lock::Timeout=600 -qq -y --no-install-recommends install "$@" >&2
"""


def _install_here(command: Sequence[str], missing: Sequence[str]) -> None:
    if os.environ.get(INSIDE):
        raise SshError(
            f"not installed, and only root can: sudo apt-get install {shlex.join(missing)}"
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise SshError(f"apt-get install {shlex.join(missing)} failed on this machine: {said[-1]}")


def local_nodes(cluster: LocalCluster) -> list[Node]:
    """Return the nodes of a local cluster."""
    return _local(cluster, cluster.nodes)


def local_client_nodes(cluster: LocalCluster) -> list[Node]:
    """Return the nodes of a local cluster that are for clients of the store."""
    return _local(cluster, cluster.clients)


def _local(cluster: LocalCluster, nodes: Sequence[LocalNode]) -> list[Node]:
    return [
        Node(
            each.name,
            tuple(filter(None, (each.address, each.address6))),
            Remote(each.name, each.address, cluster.login),
            local=True,
        )
        for each in nodes
    ]


def remote_nodes(names: Sequence[str], login: Login) -> list[Node]:
    """Reach the named hosts and ask each for its addresses.

    The address that the name stands for comes first, so that clients use it. Raises `SshError`.
    """
    if not names:
        return []
    remotes = [Remote(name, name, login) for name in names]
    with ThreadPoolExecutor(max_workers=len(names)) as pool:
        return list(pool.map(_described, remotes))


def _described(remote: Remote) -> Node:
    script = 'ip -o addr show scope global | while read -r _ _ _ a _; do echo "${a%%/*}"; done'
    addresses = remote.run(["sh", "-c", script]).stdout.split()
    connected = remote.peer()
    ordered = [connected] + [address for address in addresses if address != connected]
    return Node(remote.name, tuple(ordered), remote)


def on_all(nodes: Sequence[Node], action: Callable[[Node], T]) -> list[T]:
    """Do something on all nodes at once; results in the nodes' order.

    All are waited for; then the first error, if any, is raised.
    """
    if not nodes:
        return []
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        return [future.result() for future in [pool.submit(action, node) for node in nodes]]
