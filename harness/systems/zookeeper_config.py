"""How a server of ZooKeeper is configured, and what it says of itself in its words of four letters.

Who belongs to the cluster stands in zoo.cfg, which is written at each start. If it is to change, it
stands in a file of its own, which ZooKeeper replaces at each change: then both are written once.
"""

import re
import socket
from collections.abc import Mapping, Sequence

from partita.harness.nodes.cluster import FOLDER, Node

NAME = "zookeeper"
HOME = f"{FOLDER}/{NAME}"
PORT = 2181
QUORUM_PORT, ELECTION_PORT = 2888, 3888  # the leader listens on the first, all on the second
ZOO_CFG = f"{HOME}/conf/zoo.cfg"
_MEMBERS = f"{HOME}/conf/members"

# Debian's example configuration has these three; a new leader after a partition takes about
# tickTime * syncLimit, which is why they are not made smaller here.
CONFIG = f"""\
tickTime=2000
initLimit=10
syncLimit=5
dataDir={HOME}/data
admin.enableServer=false
maxClientCnxns=0
"""
_FIXED = f"clientPort={PORT}\n4lw.commands.whitelist=srvr\n"
_CHANGEABLE = f"""\
4lw.commands.whitelist=srvr,conf
reconfigEnabled=true
standaloneEnabled=false
dynamicConfigFile={_MEMBERS}
"""


def configure(node: Node, numbers: Mapping[str, int], nodes: Sequence[Node]) -> None:
    """Write the configuration of a node whose members never change."""
    servers = [f"server.{numbers[n.name]}={_peer(n)}" for n in nodes]
    node.write(ZOO_CFG, CONFIG + _FIXED + "\n".join(servers) + "\n")
    _number(node, numbers)


def configure_changeable(
    node: Node, numbers: Mapping[str, int], nodes: Sequence[Node], *, anew: bool
) -> None:
    """Write the configuration of a node whose members may change, if it has none or is to `anew`.

    ZooKeeper itself keeps what stands there already.
    """
    if anew or node.run(["test", "-e", ZOO_CFG], check=False).status != 0:
        servers = [participant(each, numbers) for each in nodes]
        node.write(_MEMBERS, "\n".join(servers) + "\n")
        node.write(ZOO_CFG, CONFIG + _CHANGEABLE)
    _number(node, numbers)


def participant(node: Node, numbers: Mapping[str, int]) -> str:
    """Return the line that makes a node a voter."""
    return f"server.{numbers[node.name]}={_peer(node)}:participant;{PORT}"


def hosts(address: str) -> str:
    """Return a node's address as clients of ZooKeeper take it."""
    return f"{_quoted(address)}:{PORT}"


def mode_of(node: Node) -> tuple[str, int] | None:
    """Ask a server how it is: ("leader" or "follower", its zxid), None if it does not serve."""
    try:
        text = told(node, "srvr")
    except OSError:
        return None
    mode = re.search(r"^Mode: (\w+)", text, re.MULTILINE)
    zxid = re.search(r"^Zxid: 0x([0-9a-f]+)", text, re.MULTILINE)
    return (mode[1], int(zxid[1], 16)) if mode and zxid else None


def told(node: Node, word: str) -> str:
    """Return what a server answers to a word of four letters. Raises `OSError`."""
    with socket.create_connection((node.address, PORT), timeout=1) as connection:
        connection.settimeout(1)
        connection.sendall(word.encode())
        answer = b""
        while block := connection.recv(4096):
            answer += block
    return answer.decode(errors="replace")


def _number(node: Node, numbers: Mapping[str, int]) -> None:
    node.write(f"{HOME}/data/myid", f"{numbers[node.name]}\n")


def _peer(node: Node) -> str:
    return f"{_quoted(node.address)}:{QUORUM_PORT}:{ELECTION_PORT}"


def _quoted(address: str) -> str:
    return f"[{address}]" if ":" in address else address
