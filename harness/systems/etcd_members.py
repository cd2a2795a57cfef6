"""Who belongs to a cluster of etcd: asked of single members, and changed by its own interface.

A member that joins must be started with the very list of members that the cluster has then.
"""

from collections.abc import Mapping, Sequence

from partita.harness.nodes.cluster import Node
from partita.harness.systems.connection import host_port
from partita.harness.systems.etcd_gateway import Gateway, Json
from partita.workloads.client import Definite, Indefinite

PEER_PORT = 2380
LOOK_S, CHANGE_S = 2.0, 5.0
# Told before anything is proposed, though with a code that leaves it open.
UNHEALTHY = "unhealthy cluster"


class EtcdMembers:
    """What is known of the members of one cluster; their names go by the URLs of their peers."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}  # by URL: who has not started yet has not said its name
        self._joins: dict[str, Sequence[str]] = {}  # the names of all members, by who joins them

    def start(self, node: Node, nodes: Sequence[Node]) -> list[str]:
        """Return the arguments with which a node is started, for the first time or as it joined."""
        self._names |= {peer_url(each): each.name for each in nodes}
        joins = self._joins.get(node.name)
        wanted = [each for each in nodes if joins is None or each.name in joins]
        peers = [f"{each.name}={peer_url(each)}" for each in wanted]
        state = "new" if joins is None else "existing"
        return ["--initial-cluster", ",".join(peers), "--initial-cluster-state", state]

    def forget(self, node: Node) -> None:
        """A node was wiped, and belongs to no cluster any more."""
        self._joins.pop(node.name, None)

    def voters(self, node: Node) -> Sequence[str]:
        """Return their names, as this node knows them."""
        return sorted(self._listed(node))

    def add(self, node: Node, asked: Node) -> None:
        self._joins[node.name] = [*self._listed(asked), node.name]
        _ask(asked, "add", {"peerURLs": [peer_url(node)]})

    def remove(self, node: Node, asked: Node) -> None:
        found = self._listed(asked).get(node.name)
        if found is not None:
            _ask(asked, "remove", {"ID": found})

    def _listed(self, node: Node) -> Mapping[str, str]:
        """Return the members' numbers by their names. A URL that we do not know is its own name."""
        members = _ask(node, "list", {}, reads=True)["members"]
        return {self._name(each["peerURLs"][0]): each["ID"] for each in members}

    def _name(self, url: str) -> str:
        return self._names.get(url, url)


def peer_url(node: Node) -> str:
    """Return where a member listens for its peers."""
    return f"http://{host_port(node.address, PEER_PORT)}"


def _ask(node: Node, what: str, request: Json, *, reads: bool = False) -> Json:
    gateway = Gateway(node.address, LOOK_S if reads else CHANGE_S)
    try:
        return gateway.ask(f"/v3/cluster/member/{what}", request, reads=reads)
    except Indefinite as error:
        if UNHEALTHY in str(error):
            raise Definite(str(error)) from error
        raise
    finally:
        gateway.close()
