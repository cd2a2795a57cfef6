"""Losing a share of the packets, where they arrive: by a rule of iptables that draws lots."""

from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host
from partita.nemesis.ports import PortClass, Ports
from partita.nemesis.targets import Scope

CHAIN = "PARTITA-LOSS"


class Loss:
    """Loses a share of the packets between the nodes that it strikes."""

    name = "loss"
    traits = Traits(
        strikes="links",
        stacks="replace",
        storm=Storm(1),
        how="iptables, which draws lots",
        heal=Chain(CHAIN, "").heal,
    )

    def __init__(
        self,
        percent: Annotated[float, Setting("How many packets are lost.", least=0.1, most=90)] = 20,
        port: PortClass = "all",
    ) -> None:
        self._ports = Ports(port)
        self.traits = self._ports.traits(type(self).traits)
        share = f"{percent / 100:.6f}"
        self._chain = Chain(CHAIN, f"-m statistic --mode random --probability {share} -j DROP")

    def lacks(self, host: Host) -> str | None:
        return self._chain.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        chain = self._ports.chain(self._chain, scene)
        chain.stand(scene.hosts, self._ports.narrowed(scope).grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """The rules must stand. That packets are lost is seen at the end, when they are counted."""
        missing = self._chain.missing(scene.hosts, self._ports.narrowed(scope).grudge)
        return {"bit": not missing} | ({"missing_on": missing} if missing else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        gone = self._chain.missing(scene.hosts, self._ports.narrowed(scope).grudge)
        lost = sum(self._chain.counts(scene.hosts).values())
        return Lasted({"gone_on": gone} if gone else {}, {"packets_lost": lost})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._chain.fall(scene.hosts)
