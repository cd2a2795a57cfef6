"""Five hosts on one machine, made of namespaces: no Docker, no virtual machines.

Each node has its own network, mount, UTS and PID namespaces, a hostname, private folders at
/srv/partita, /root, /run and /tmp, and OpenSSH's sshd as its first process. The nodes hang on a
bridge that lives in a network namespace of its own, so that the machine's firewall never sees
a packet between them; the machine itself gets one interface, `partita<k>`, for the subnet
10.213.<k>.0/24. Creating that interface is what reserves the subnet.

Nothing is registered anywhere: the namespaces live as long as the node's first process. Taking
a cluster down is ending these processes and deleting one folder, which also works when the
controller was killed.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

from partita.harness.nodes import namespaces, processes
from partita.harness.nodes.processes import Process
from partita.harness.nodes.ssh import Login
from partita.nemesis.hosts import GROUPS

NODES_MAX = 200
CLIENTS_MAX = 50  # their addresses come after those of all nodes
HOST_PART = 254  # the machine's own address in the subnet
INSIDE = "PARTITA_INSIDE_USER_NAMESPACE"  # set by harness.user_namespace
STATE = "PARTITA_STATE"
HIDDEN = ("/tmp", "/run", "/root", "/srv")  # what nodes have of their own, see namespaces.NODE
# What each node has of its own. A command follows.
APART = (
    *("unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child"),
    "--mount-proc",
)


class LocalError(Exception):
    """A local cluster that cannot be made or found: one line, with what to do."""


@dataclass(frozen=True, slots=True)
class LocalNode:
    """A node of the local cluster: its name, its addresses, its first process."""

    name: str
    address: str
    address6: str
    init: Process


@dataclass(slots=True)
class LocalCluster:
    """What is known of a local cluster; stored as cluster.json in its folder."""

    name: str
    folder: Path
    subnet: int
    owner: Process | None
    holders: list[Process] = field(default_factory=list)
    nodes: list[LocalNode] = field(default_factory=list)
    clients: list[LocalNode] = field(default_factory=list)  # for clients of the store

    @property
    def everyone(self) -> list[LocalNode]:
        """All nodes, those for clients too."""
        return [*self.nodes, *self.clients]

    @property
    def login(self) -> Login:
        """How to log in to the nodes: the cluster's key, its host key pinned."""
        return Login(key=self.folder / "id", known_hosts=self.folder / "known_hosts")

    def status(self) -> str:
        """Say in a word how the cluster is."""
        alive = sum(node.init.alive() for node in self.everyone)
        if not self.nodes:
            return "incomplete"
        if alive == len(self.everyone):
            return "up"
        return f"{alive} of {len(self.everyone)} nodes up" if alive else "dead"

    def owned(self) -> bool:
        """Say whether a running `partita test` made this cluster for itself."""
        return self.owner is not None and self.owner.alive()

    def save(self) -> None:
        document = asdict(self) | {"folder": str(self.folder)}
        temporary = self.folder / "cluster.json.new"
        temporary.write_text(json.dumps(document, indent=1))
        temporary.rename(self.folder / "cluster.json")


def up(count: int, name: str, *, clients: int = 0, owner: Process | None = None) -> LocalCluster:
    """Make a cluster of `count` nodes n1, n2, … and wait until each answers.

    `clients` more are called c1, c2, …: for clients of the store, which a fault may then strike.
    Raises `LocalError` when the machine cannot do it or the name is taken. Whatever fails or
    interrupts it, nothing stays behind.
    """
    _preflight(count, clients)
    folder = _folder(name)
    if folder.exists():
        previous = find(name)
        if previous and previous.status() != "dead":
            raise LocalError(
                f"a cluster named {name} is already there: "
                f"partita cluster down {name}, or choose another --name"
            )
        down(name)
    cluster = LocalCluster(name, folder, -1, owner)
    try:
        folder.mkdir(parents=True, mode=0o700)  # whoever makes the folder makes the cluster
    except OSError as error:
        raise LocalError(f"cannot make the cluster's folder {folder}: {error.strerror}") from error
    try:
        cluster.save()
        _make_keys(folder)
        _make_switch(cluster)
        _make_nodes(cluster, count, clients)
    except BaseException:
        _destroy(cluster)
        raise
    return cluster


def down(name: str) -> None:
    """Take a cluster down and leave nothing behind; nothing to do is no error."""
    cluster = find(name)
    if cluster is not None:
        _destroy(cluster)


def find(name: str) -> LocalCluster | None:
    """Return the cluster of that name, or None; one that was not finished has no nodes."""
    folder = _folder(name)
    if not folder.is_dir():
        return None
    try:
        document = json.loads((folder / "cluster.json").read_text())
        owner = document["owner"]
        return LocalCluster(
            name=name,
            folder=folder,
            subnet=document["subnet"],
            owner=Process(**owner) if owner else None,
            holders=[Process(**holder) for holder in document["holders"]],
            nodes=_stored_nodes(document["nodes"]),
            clients=_stored_nodes(document.get("clients", [])),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return LocalCluster(name, folder, -1, None)


def _stored_nodes(stored: list[dict[str, Any]]) -> list[LocalNode]:
    return [LocalNode(**node | {"init": Process(**node["init"])}) for node in stored]


def clusters() -> list[LocalCluster]:
    """Return every local cluster that this user made, dead ones too."""
    root = state_root()
    names = sorted(entry.name for entry in root.iterdir()) if root.is_dir() else []
    names = [name for name in names if _is_name(name)]
    return [cluster for name in names if (cluster := find(name)) is not None]


@contextmanager
def cluster_of(count: int, name: str, *, clients: int = 0) -> Iterator[LocalCluster]:
    """Make a cluster that lives as long as the block."""
    cluster = up(count, name, clients=clients, owner=Process.of(os.getpid()))
    try:
        yield cluster
    finally:
        _destroy(cluster)


def missing_packages() -> list[str]:
    """Return the Debian packages that a local cluster needs and this machine lacks."""
    packages = {
        "ip": "iproute2",
        "iptables": "iptables",
        "sshd": "openssh-server",
        "ssh-keygen": "openssh-client",
        "unshare": "util-linux",
    }
    return sorted({package for tool, package in packages.items() if not _tool(tool)})


def state_root() -> Path:
    """Return the folder that holds a folder for each local cluster."""
    if STATE in os.environ:
        return Path(os.environ[STATE])
    if os.geteuid() == 0:
        return Path("/var/lib/partita")
    home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(home) / "partita"


# --- making ------------------------------------------------------------------------------


def _preflight(count: int, clients: int) -> None:
    if not 1 <= count <= NODES_MAX:
        raise LocalError(f"--local must be between 1 and {NODES_MAX}, not {count}")
    if not 0 <= clients <= CLIENTS_MAX:
        raise LocalError(f"--client-nodes must be between 0 and {CLIENTS_MAX}, not {clients}")
    if os.geteuid() != 0:
        raise LocalError("a local cluster needs root or a user namespace")
    hidden = next((each for each in HIDDEN if state_root().resolve().is_relative_to(each)), None)
    if hidden:
        raise LocalError(
            f"clusters cannot be kept in {state_root()}, for nodes have a {hidden} of their own: "
            f"give {STATE} another folder"
        )
    missing = missing_packages()
    if missing:
        raise LocalError(
            f"missing on this machine: {', '.join(missing)}: apt-get install {' '.join(missing)}"
        )


def _tool(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _make_keys(folder: Path) -> None:
    """Make one key pair for logging in and one for the nodes' sshd."""
    for key in ("id", "host"):
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "partita", "-f", folder / key)
    (folder / "authorized_keys").write_text((folder / "id.pub").read_text())
    (folder / "known_hosts").touch()
    # sshd refuses an account that is locked, as root's is on many machines, and in a user
    # namespace the real file cannot be read at all.
    (folder / "shadow").write_text("root:*:19000:0:99999:7:::\n")
    # Every command on a node begins with root's shell; a plain one reads no start-up files, which
    # may be slow, and are none of our nodes'.
    users = Path("/etc/passwd").read_text().splitlines()
    users = [user for user in users if not user.startswith("root:")]
    (folder / "passwd").write_text("\n".join(["root:x:0:0:root:/root:/bin/sh", *users, ""]))
    (folder / "sshd_config").write_text(
        f"HostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\n"
        "PermitRootLogin prohibit-password\nPasswordAuthentication no\nUsePAM no\n"
        "StrictModes no\nPidFile none\nUseDNS no\nMaxSessions 200\nMaxStartups 200\n"
        "Subsystem sftp internal-sftp\n"
    )


def _make_switch(cluster: LocalCluster) -> None:
    """Make the bridge in its own namespace, and the machine's one interface on it."""
    if os.environ.get(INSIDE):
        # Keeps the user namespace, and the network that stands for the machine's, alive.
        cluster.holders.append(
            Process.of(processes.start(_mark(cluster), ["sleep", "infinity"]).pid)
        )
        cluster.save()
    started = processes.start(
        _mark(cluster), ["unshare", "--net", "--mount", "sh", "-c", namespaces.SWITCH]
    )
    _await_ready(started)
    switch = Process.of(started.pid)
    cluster.holders.append(switch)
    cluster.save()
    cluster.subnet = _reserve_subnet(switch)
    cluster.save()
    interface = f"partita{cluster.subnet}"
    in_switch = ["nsenter", "-t", str(switch.pid), "-n", "ip", "link", "set", "uplink"]
    _run(*in_switch, "master", "partita", "up")
    _run("ip", "addr", "add", f"{_address(cluster.subnet, HOST_PART)}/24", "dev", interface)
    if _has_ipv6():
        address6 = f"{_address6(cluster.subnet, HOST_PART)}/64"
        _run("ip", "-6", "addr", "add", address6, "dev", interface, "nodad")
    _run("ip", "link", "set", interface, "up")


def _reserve_subnet(switch: Process) -> int:
    """Find a subnet that nothing on this machine uses; the interface's name is the lock."""
    listed = _run("ip", "-o", "route", "show", "table", "all")
    for subnet in range(256):
        if f"10.213.{subnet}." in listed:
            continue
        ends = [f"partita{subnet}", "type", "veth", "peer", "name", "uplink"]
        made = subprocess.run(
            ["ip", "link", "add", *ends, "netns", str(switch.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode == 0:
            return subnet
        if "exists" not in made.stderr:
            raise LocalError(f"cannot make a network interface: {made.stderr.strip()}")
    raise LocalError("no subnet is free in 10.213.0.0/16: partita cluster status shows who has it")


def _make_nodes(cluster: LocalCluster, count: int, clients: int) -> None:
    names = {number: f"n{number}" for number in range(1, count + 1)}
    names |= {NODES_MAX + number: f"c{number}" for number in range(1, clients + 1)}
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    lines += [f"{_address(cluster.subnet, number)} {name}" for number, name in names.items()]
    (cluster.folder / "hosts").write_text("\n".join(lines) + "\n")
    host_key = " ".join((cluster.folder / "host.pub").read_text().split()[:2])
    known = [f"{_address(cluster.subnet, number)} {host_key}" for number in names]
    (cluster.folder / "known_hosts").write_text("\n".join(known) + "\n")
    with ThreadPoolExecutor(max_workers=8) as pool:
        started = [pool.submit(_make_node, cluster, *each) for each in names.items()]
        for number, future in zip(names, started, strict=True):
            made = cluster.nodes if number <= NODES_MAX else cluster.clients
            made.append(future.result())
            cluster.save()


def _make_node(cluster: LocalCluster, number: int, name: str) -> LocalNode:
    home = cluster.folder / "nodes" / name
    (home / "tmp").mkdir(parents=True)
    (home / "tmp").chmod(0o1777)
    home.chmod(0o755)
    address = _address(cluster.subnet, number)
    address6 = _address6(cluster.subnet, number) if _has_ipv6() else ""
    kind = "node" if number <= NODES_MAX else "client"
    arguments = [name, str(cluster.folder), str(home), address, address6, kind]
    command = [*APART, "sh", "-c", namespaces.NODE, "node", *arguments]
    parent = processes.start(_mark(cluster), command)
    _await_ready(parent)
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    init = Process.of(int(children[0]))
    switch = cluster.holders[1 if os.environ.get(INSIDE) else 0]
    _run(
        *("ip", "link", "add", f"port{number}", "netns", str(switch.pid), "type", "veth"),
        *("peer", "name", "eth0", "netns", str(init.pid)),
    )
    in_switch = ["nsenter", "-t", str(switch.pid), "-n", "ip", "link", "set", f"port{number}"]
    _run(*in_switch, "master", "partita", "up")
    assert parent.stdin is not None
    parent.stdin.write(b"plugged\n")
    parent.stdin.close()
    return LocalNode(name, address, address6, init)


# --- ending ------------------------------------------------------------------------------


def _destroy(cluster: LocalCluster) -> None:
    """End the cluster's processes and delete its folder. The namespaces go with the processes.

    Signals wait until it is done: half of it would be what nobody finds again.
    """
    ours = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    try:
        # The interface would go with the switch's namespace, but only soon, and soon is not now.
        # Once that is gone, another cluster may have an interface of this name.
        if cluster.subnet >= 0 and all(holder.alive() for holder in cluster.holders):
            delete = ["ip", "link", "del", f"partita{cluster.subnet}"]
            subprocess.run(delete, capture_output=True, check=False)
        left = processes.end_all(_mark(cluster))
        if left:
            raise LocalError(f"{cluster.name}: processes {left} do not end: try again")
        _delete_groups(cluster.folder)
        shutil.rmtree(cluster.folder, ignore_errors=True)
        with suppress(OSError):
            cluster.folder.parent.rmdir()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _delete_groups(folder: Path) -> None:
    """Delete the control groups that faults have made on nodes, and could not delete any more."""
    for noted in folder.glob(f"nodes/*/{Path(GROUPS).name}"):
        for group in map(Path, noted.read_text().splitlines()):
            if group.name.startswith("partita-"):
                with suppress(OSError):
                    group.rmdir()


# --- small things ------------------------------------------------------------------------


def _mark(cluster: LocalCluster) -> str:
    return str(cluster.folder)


def _await_ready(process: subprocess.Popen[bytes]) -> None:
    try:
        processes.await_ready(process)
    except processes.NotReadyError as error:
        raise LocalError(f"cannot make a namespace on this machine: {error}") from None


def _is_name(name: str) -> bool:
    return name.isascii() and name.replace("-", "").isalnum()


def _folder(name: str) -> Path:
    if not _is_name(name):
        raise LocalError(f"a cluster's name has letters, digits and dashes only, not {name!r}")
    return state_root() / name


def _address(subnet: int, number: int) -> str:
    return f"10.213.{subnet}.{number}"


def _address6(subnet: int, number: int) -> str:
    return str(IPv6Address(f"fd70:6172:7469:{subnet:x}::{number:x}"))


def _has_ipv6() -> bool:
    return Path("/proc/net/if_inet6").exists()


def _run(*command: str | Path) -> str:
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise LocalError(f"{command[0]} is missing on this machine") from None
    if done.returncode != 0:
        raise LocalError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout
