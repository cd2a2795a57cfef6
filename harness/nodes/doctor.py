"""Whether a machine can do what Partita needs, and if not, what to do about it.

Each check is a function that returns what it found, or raises `Ailment` with the fix. Nothing
is changed on any machine.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from getpass import getuser
from pathlib import Path

from partita.harness.nodes import local, user_namespace
from partita.harness.nodes.cluster import Node
from partita.harness.nodes.ssh import SshError

DISK_MIN_MB = 2000
CLOCK_MAX_S = 0.5
_PATH = 'PATH="$PATH:/usr/sbin:/sbin"; '


class Ailment(Exception):
    """Something that is missing, and how to mend it."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `fix` is None if it is well.

    Without what is not `needed`, some runs can be made all the same.
    """

    where: str
    what: str
    found: str
    fix: str | None = None
    needed: bool = True


def examine_here(runs: Path) -> list[Finding]:
    """Look at this machine: can it carry a local cluster, and store runs?"""
    checks: Mapping[str, Callable[[], str]] = {
        "root": _privileges,
        "packages": _packages,
        "namespaces": _namespaces,
        "iptables": _iptables,
        "subnet": _subnet,
        "disk for runs": lambda: _disk(runs),
        "disk for nodes": lambda: _disk(local.state_root()),
    }
    return [_examined("this machine", what, check) for what, check in checks.items()]


def examine_program(system: str, look: Callable[[], str]) -> Finding:
    """Look whether a program that nodes are given can be had: `look` says so, or raises."""
    return replace(_examined("this machine", f"{system}'s program", look), needed=False)


def examine_node(node: Node) -> list[Finding]:
    """Look at a node over SSH: may we become root, cut its network, and keep files there?"""
    checks: Mapping[str, Callable[[], str]] = {
        "clock": lambda: _clock_there(node),
        "disk": lambda: _disk_there(node),
    }
    others = [_examined(node.name, what, check) for what, check in checks.items()]
    return examine_tools(node) + others


def examine_version(node: Node, look: Callable[[], str]) -> Finding:
    """Look whether a node can run clients of the store: `look` says so, or raises."""
    return _examined(node.name, "partita", look)


def examine_tools(node: Node) -> list[Finding]:
    """Look only at what a fault needs on a node."""
    checks: Mapping[str, Callable[[], str]] = {
        "root": lambda: _root_there(node),
        "tools": lambda: _tools_there(node),
        "iptables": lambda: _iptables_there(node),
    }
    return [_examined(node.name, what, check) for what, check in checks.items()]


def _examined(where: str, what: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(where, what, check())
    except Ailment as ailment:
        return Finding(where, what, str(ailment), ailment.fix)
    except SshError as error:
        return Finding(where, what, str(error), "see the message")
    except OSError as error:
        fix = f"let {getuser()} reach it, or choose another folder"
        return Finding(where, what, f"{error.filename}: {error.strerror}", fix)


def _privileges() -> str:
    if os.geteuid() == 0:
        return "root"
    try:
        user_namespace.require(user_namespace.ENTER)
    except local.LocalError as error:
        raise Ailment("neither root nor user namespaces", str(error)) from error
    return "no root, but user namespaces work"


def _packages() -> str:
    missing = local.missing_packages()
    if missing:
        raise Ailment(f"missing: {' '.join(missing)}", f"apt-get install {' '.join(missing)}")
    return "ip, iptables, sshd, ssh-keygen, unshare"


def _namespaces() -> str:
    done = _run_as_a_node(["true"])
    if done.returncode != 0:
        fix = "a virtual machine, or a container that is privileged, and whose / is a mount"
        raise Ailment(f"none can be made: {_last_line(done.stderr)}", fix)
    return "can be made"


def _iptables() -> str:
    if "iptables" in local.missing_packages():
        raise Ailment("iptables is missing", "apt-get install iptables")
    done = _run_as_a_node(["iptables", "-w", "5", "-S"])
    if done.returncode != 0:
        said = f"iptables does not work in a namespace: {_last_line(done.stderr)}"
        raise Ailment(said, "root, and the kernel's nf_tables")
    return "works in a namespace"


def _run_as_a_node(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command in namespaces such as a local node has."""
    if os.geteuid() == 0:
        return _run([*local.APART, *command])
    try:
        _privileges()
    except Ailment as ailment:
        raise Ailment("not tried", "what stands at root, above") from ailment
    return _run([*user_namespace.ENTER, *local.APART, *command])


def _last_line(said: str) -> str:
    return (said.strip().splitlines() or ["no reason given"])[-1]


def _subnet() -> str:
    routes = _run(["ip", "-o", "route", "show", "table", "all"]).stdout
    free = [subnet for subnet in range(256) if f"10.213.{subnet}." not in routes]
    if not free:
        raise Ailment("10.213.0.0/16 is all taken", "partita cluster status, partita cluster down")
    return f"10.213.{free[0]}.0/24 is free"


def _disk(path: Path) -> str:
    there = next(
        parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists()
    )
    if not os.access(there, os.W_OK):
        raise Ailment(f"{there} cannot be written", "choose another folder, or become its owner")
    return _enough(shutil.disk_usage(there).free // 2**20, str(there))


def _enough(free_mb: int, where: str) -> str:
    if free_mb < DISK_MIN_MB:
        raise Ailment(f"{free_mb} MB free on {where}", f"make room: {DISK_MIN_MB} MB are needed")
    return f"{free_mb} MB free"


def _root_there(node: Node) -> str:
    done = node.run(["id", "-u"], check=False)
    if done.stdout.strip() != "0":
        user = node.remote.login.username
        said = _last_line(done.stderr)
        fix = f"let {user} use sudo without a password, or --username root"
        raise Ailment(f"{user} cannot become root: {said}", fix)
    return "root" if node.remote.login.username == "root" else "by sudo"


_NEEDED = {"bash": "bash", "ip": "iproute2", "start-stop-daemon": "dpkg", "setsid": "util-linux"}


def _tools_there(node: Node) -> str:
    script = 'for tool in "$@"; do command -v "$tool" >/dev/null || echo "$tool"; done'
    missing = node.run(["sh", "-c", _PATH + script, "tools", *_NEEDED]).stdout.split()
    if missing:
        packages = " ".join(sorted({_NEEDED[tool] for tool in missing}))
        raise Ailment(f"missing: {' '.join(missing)}", f"apt-get install {packages}")
    return ", ".join(_NEEDED)


def _iptables_there(node: Node) -> str:
    script = "command -v iptables >/dev/null || exit 9; iptables -w 5 -S INPUT"
    done = node.run(["sh", "-c", _PATH + script], check=False)
    if done.status == 9:
        raise Ailment("iptables is missing", "apt-get install iptables")
    if done.status != 0:
        raise Ailment(done.stderr.strip() or "iptables fails", "load the kernel's ip_tables")
    if "-j PARTITA" in done.stdout:
        raise Ailment("a cut of an earlier run is in force", f"partita heal --node {node.name}")
    return "works, no cut in force"


def _clock_there(node: Node) -> str:
    asked = time.time()
    there = int(node.run(["date", "+%s%N"]).stdout) / 1e9
    answered = time.time()
    # The answer was made somewhere between asking and hearing: no offset smaller is known.
    ahead = max(asked - there, there - answered, 0.0)
    if ahead > CLOCK_MAX_S:
        fix = "apt-get install chrony (only the nodes' logs are put beside the run by their clock)"
        raise Ailment(f"{ahead:.1f} s off this machine's", fix)
    return "agrees with this machine's"


def _disk_there(node: Node) -> str:
    done = node.run(["df", "--output=avail", "-m", "/srv"])
    return _enough(int(done.stdout.split()[-1]), "/srv")


def _run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path}
        )
    except OSError as error:
        package = {"ip": "iproute2", "unshare": "util-linux"}[command[0]]
        fix = f"apt-get install {package}"
        raise Ailment(f"{command[0]} does not run: {error.strerror}", fix) from error
