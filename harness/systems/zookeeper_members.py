"""Who belongs to a cluster of ZooKeeper, and how that is changed: reconfig, by a superuser.

The superuser has a password that is made for the run. Without one, anybody may do everything
(skipACL), and that would be another store than people have.
"""

import base64
import hashlib
import re
import secrets
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress

from kazoo.client import KazooClient
from kazoo.exceptions import (
    BadArgumentsError,
    NewConfigNoQuorumError,
    NoAuthError,
    ReconfigDisabledError,
    ReconfigInProcessError,
)

from partita.harness.nodes.cluster import Node
from partita.harness.systems.zookeeper_answers import UNSURE, kazoo_for, said
from partita.harness.systems.zookeeper_config import (
    configure,
    configure_changeable,
    hosts,
    participant,
    told,
)
from partita.workloads.client import Definite, Indefinite

SESSION_S, CHANGE_S = 6.0, 5.0
REFUSED = (
    BadArgumentsError,
    NewConfigNoQuorumError,
    NoAuthError,
    ReconfigDisabledError,
    ReconfigInProcessError,
)
_SERVER = re.compile(r"^server\.(\d+)=.*:participant", re.MULTILINE)


class ZooKeeperMembers:
    """What is known of the members of one cluster. They have numbers, by their places."""

    def __init__(self) -> None:
        self._changeable = False
        self._password = secrets.token_hex(16)
        self._nodes: dict[str, Node] = {}
        self._numbers: dict[str, int] = {}

    def foresee(self, needs: Collection[str]) -> None:
        """Let the members be changeable if that is needed, for it is another configuration."""
        self._changeable = "members" in needs

    @property
    def arguments(self) -> list[str]:
        """Options of Java."""
        if not self._changeable:
            return []
        digest = hashlib.sha1(f"super:{self._password}".encode()).digest()
        known = f"super:{base64.b64encode(digest).decode()}"
        return [f"-Dzookeeper.DigestAuthenticationProvider.superDigest={known}"]

    def configure(self, node: Node, nodes: Sequence[Node]) -> None:
        """Write the configuration with which a node is started."""
        self._nodes = {each.name: each for each in nodes}
        self._numbers = {each.name: number for number, each in enumerate(nodes, 1)}
        if self._changeable:
            configure_changeable(node, self._numbers, nodes, anew=False)
        else:
            configure(node, self._numbers, nodes)

    def voters(self, node: Node) -> Sequence[str]:
        """Return their names, as this node knows them."""
        numbers = {int(number) for number in _SERVER.findall(told(node, "conf"))}
        if not numbers:
            raise Definite(f"{node.name} does not say who belongs to the cluster")
        names = {number: name for name, number in self._numbers.items()}
        return [names[number] for number in sorted(numbers)]

    def add(self, node: Node, asked: Node) -> None:
        """It must know at its start of those that it joins, and of itself."""
        known = [self._nodes[name] for name in {*self.voters(asked), node.name}]
        configure_changeable(node, self._numbers, known, anew=True)
        self._reconfigure(asked, joining=participant(node, self._numbers))

    def remove(self, node: Node, asked: Node) -> None:
        self._reconfigure(asked, leaving=str(self._numbers[node.name]))

    def _reconfigure(
        self, asked: Node, joining: str | None = None, leaving: str | None = None
    ) -> None:
        with _connected(asked) as kazoo:
            try:
                kazoo.add_auth_async("digest", f"super:{self._password}").get(timeout=CHANGE_S)
            except UNSURE as error:
                raise Definite(said(error)) from error
            try:
                kazoo.reconfig_async(joining, leaving, None, -1).get(timeout=CHANGE_S)
            except REFUSED as error:
                raise Definite(said(error)) from error
            except UNSURE as error:
                raise Indefinite(said(error)) from error


@contextmanager
def _connected(node: Node) -> Iterator[KazooClient]:
    kazoo: KazooClient = kazoo_for(hosts(node.address), SESSION_S)
    try:
        if not kazoo.start_async().wait(CHANGE_S):
            raise Definite("no session: the server does not serve")
        yield kazoo
    finally:
        # Nobody waits for a server that may not answer any more.
        threading.Thread(target=_let_go, args=(kazoo,), daemon=True).start()


def _let_go(kazoo: KazooClient) -> None:
    with suppress(Exception):
        kazoo.stop()
        kazoo.close()
