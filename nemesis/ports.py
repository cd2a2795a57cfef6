"""Classes of the store's ports: what its nodes say to each other, and what clients say to it.

A fault of links can be narrowed to one of them. `peer` is what the store's nodes say to each other
over a link; a cut of that leaves a node that clients reach, and its peers do not. `client` is what
anybody sends to the port that clients use, on the nodes of the smaller side: those that would not
hear most of the others. The system says which ports these are. That of sshd is never touched.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.nemesis.fault import Scene, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.grudges import Grudge
from partita.nemesis.network import reachable
from partita.nemesis.targets import Scope

PortClass = Annotated[
    Literal["all", "peer", "client"],
    Setting("Only what goes to these ports of the store: its nodes' own, or its clients'."),
]


@dataclass(frozen=True, slots=True)
class Ports:
    """A class of ports, on which a fault is in force."""

    which: Literal["all", "peer", "client"] = "all"

    def traits(self, traits: Traits) -> Traits:
        """Return what must be known of a fault that is narrowed to this class."""
        if self.which == "all":
            return traits
        silences = traits.silences and self.which == "peer"
        return replace(traits, silences=silences, needs=(*traits.needs, f"{self.which}_ports"))

    def of(self, scene: Scene) -> tuple[int, ...]:
        """Return the numbers, none for all of them."""
        if self.which == "all":
            return ()
        living = [host for host in scene.hosts if not host.lost]
        said = [scene.store.do(f"{self.which}_ports", host.name) for host in living]
        spared = {host.port for host in living}
        return tuple(dict.fromkeys(port for each in said for port in each if port not in spared))

    def chain(self, chain: Chain, scene: Scene) -> Chain:
        """Return a chain with the same name whose rules are for this class only."""
        return replace(chain, ports=self.of(scene), from_anyone=self.which == "client")

    def narrowed(self, scope: Scope) -> Scope:
        """Return on which links a node does something to what it gets."""
        if self.which != "client":
            return scope
        sided = [node for node, others in scope.grudge.items() if _most(others, scope.grudge)]
        struck = sided or [node for node, others in scope.grudge.items() if others]
        return Scope(
            grudge={
                node: tuple(other for other in scope.grudge if other != node)
                if node in struck
                else ()
                for node in scope.grudge
            }
        )

    def asked(self, scope: Scope) -> Scope:
        """Return by whom a connection has to be made so that a narrowed fault is felt."""
        if self.which != "client":
            return scope
        return Scope(
            grudge={
                node: tuple(other for other, by in scope.grudge.items() if node in by)
                for node in scope.grudge
            }
        )

    def reached(self, scene: Scene) -> set[tuple[str, str]]:
        """Return the pairs of which the first can connect to the second on one of these ports."""
        found: set[tuple[str, str]] = set()
        for port in self.of(scene):
            found |= reachable(scene.hosts, port)
        return found

    def proof(self, scene: Scene, scope: Scope, before: set[tuple[str, str]]) -> Mapping[str, Any]:
        """Say whether a cut on these ports is what was meant: `before` were reached on them.

        What was reached there is not any more, and who is in nobody else's way still answers
        where sshd listens.
        """
        cut = {
            pair
            for node, others in scope.grudge.items()
            for other in others
            for pair in ((other, node), (node, other))
            if self.which == "peer" or pair[1] == node
        }
        strays = sorted(scene.undisturbed(Scope()) - reachable(scene.hosts))
        meant = cut & before
        unreachable = meant - self.reached(scene)
        return {
            "bit": bool(meant) and unreachable == meant and not strays,
            "cut": sorted(meant),
            "unreachable": sorted(unreachable),
            "ports": list(self.of(scene)),
            "strays": strays,
        }


ALL = Ports()


def _most(others: Sequence[str], grudge: Grudge) -> bool:
    """Say whether these are most of the others."""
    return 2 * len(others) > len(grudge) - 1
