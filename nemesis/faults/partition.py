"""Cutting the network: each node drops the packets of those whom a grudge says."""

from collections.abc import Mapping
from typing import Any

from partita.nemesis.cuts import proof
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host
from partita.nemesis.ports import PortClass, Ports
from partita.nemesis.targets import Scope

CHAIN = Chain("PARTITA", "-j DROP")


class Partition:
    """Cuts nodes apart: what one sends is dropped where it arrives, by iptables."""

    name = "partition"
    traits = Traits(
        strikes="links",
        stacks="replace",
        silences=True,
        storm=Storm(5),
        refuses=("all",),  # a store of which no node hears another has nothing left to decide
        how="drops of iptables",
        heal=CHAIN.heal,
    )

    def __init__(self, port: PortClass = "all") -> None:
        self._ports = Ports(port)
        self.traits = self._ports.traits(type(self).traits)
        self._before: set[tuple[str, str]] = set()  # who was reached on these ports

    def lacks(self, host: Host) -> str | None:
        return CHAIN.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._before = self._ports.reached(scene)
        chain = self._ports.chain(CHAIN, scene)
        chain.stand(scene.hosts, self._ports.narrowed(scope).grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        if not self._ports.of(scene):
            return proof(scene, scope)
        return self._ports.proof(scene, self._ports.narrowed(scope), self._before)

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """The rules must still stand: a firewall may have been reloaded."""
        gone = CHAIN.missing(scene.hosts, self._ports.narrowed(scope).grudge)
        counts = CHAIN.counts(scene.hosts)
        by_link = {f"{source}>{node}": count for (source, node), count in counts.items()}
        figures = {"packets_dropped": sum(counts.values()), "packets_dropped_by_link": by_link}
        return Lasted({"gone_on": gone} if gone else {}, figures)

    def end(self, scene: Scene, scope: Scope) -> None:
        CHAIN.fall(scene.hosts)
