"""Who belongs to the servers of Consul, and how that is changed: a server leaves, and joins again.

A server that is taken out of Raft's peers while it runs is soon taken in again by the leader, who
sees it in the gossip. So it leaves by itself, and only one that is gone is put out by others.
"""

import json
from collections.abc import Sequence

from partita.harness.nodes.cluster import Node
from partita.harness.systems.connection import Connection, host_port
from partita.workloads.client import Definite, Indefinite

PORT, RAFT_PORT = 8500, 8300
LOOK_S = 2.0
LEAVE_S = 8.0  # a leader hands its work over before it answers


def voters(node: Node) -> Sequence[str]:
    """Return the names of the voters, as this node knows them.

    One that joined becomes a voter after it has been sound for ten seconds.
    """
    status, text = _request(node, "GET", "/v1/operator/raft/configuration?stale", LOOK_S)
    if status != 200:
        raise Definite(text)
    return sorted(each["Node"] for each in json.loads(text)["Servers"] if each["Voter"])


def remove(node: Node, asked: Node) -> None:
    """Let a server leave. If it does not listen, another one is asked to put it out."""
    try:
        status, text = _request(node, "PUT", "/v1/agent/leave", LEAVE_S)
    except Definite:  # it was never asked
        peer = host_port(node.address, RAFT_PORT)
        path = f"/v1/operator/raft/peer?address={peer}"
        status, text = _request(asked, "DELETE", path, LEAVE_S)
    if status != 200:
        raise (Definite if 400 <= status < 500 else Indefinite)(text or f"status {status}")


def _request(node: Node, method: str, path: str, timeout: float) -> tuple[int, str]:
    connection = Connection(node.address, PORT, timeout)
    try:
        status, text = connection.request(method, path, reads=method == "GET")
    finally:
        connection.close()
    return status, text.decode(errors="replace").strip()
