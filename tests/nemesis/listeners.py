"""A store that only accepts connections: on one port its nodes', on another its clients'."""

import socket
from contextlib import suppress

from partita.harness.nodes.cluster import Node

NAME = "listener"
PEER, CLIENT = 7301, 7302
_LISTEN = f"""
import socket, time
kept = [socket.create_server(("", port), backlog=100) for port in ({PEER}, {CLIENT})]
time.sleep(1000)
"""


class Listeners:
    """A system that says which ports its nodes and its clients use."""

    name = NAME

    def start(self, node: Node, nodes: object) -> None:
        node.start_daemon(NAME, ["python3", "-c", _LISTEN])

    def healthy(self, node: Node) -> bool:
        return answers(node, PEER)

    def kill(self, node: Node) -> None:
        node.stop_daemon(NAME, signal="KILL")

    def wipe(self, node: Node) -> None:
        node.wipe(NAME)

    def peer_ports(self, node: Node) -> list[int]:
        return [PEER, node.port]  # that of sshd by mistake: it is spared

    def client_ports(self, node: Node) -> list[int]:
        return [CLIENT]


def answers(node: Node, port: int) -> bool:
    """Say whether this machine, which is no node, can connect to a node."""
    with suppress(OSError), socket.create_connection((node.address, port), timeout=1):
        return True
    return False
