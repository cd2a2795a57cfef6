"""Packets that arrive twice, by a rule of iptables that sends a copy through the loopback.

TCP hides them from the store. Only what speaks by datagrams feels them, such as Consul's gossip.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host
from partita.nemesis.ports import PortClass, Ports
from partita.nemesis.targets import Scope

CHAIN = "PARTITA-DUPLICATE"


class Duplicate:
    """Lets a share of the packets between the nodes that it strikes arrive twice."""

    name = "duplicate"
    traits = Traits(
        strikes="links",
        stacks="replace",
        storm=Storm(0.5),
        how="iptables, which sends copies",
        heal=Chain(CHAIN, "", "mangle").heal,
    )

    def __init__(
        self,
        percent: Annotated[
            float, Setting("How many packets arrive twice.", least=0.1, most=100)
        ] = 10,
        port: PortClass = "all",
    ) -> None:
        self._ports = Ports(port)
        self.traits = self._ports.traits(type(self).traits)
        share = f"{percent / 100:.6f}"
        # The copy comes by the loopback, and is not copied again.
        self._chain = Chain(
            CHAIN,
            f"! -i lo -m statistic --mode random --probability {share} -j TEE --gateway LOOPBACK",
            "mangle",
        )

    def lacks(self, host: Host) -> str | None:
        return self._chain.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        chain = self._ports.chain(self._chain, scene)
        chain.stand(scene.hosts, self._ports.narrowed(scope).grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """The rules must stand. How many packets were copied is counted at the end."""
        missing = self._missing(scene, scope)
        return {"bit": not missing} | ({"missing_on": missing} if missing else {})

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        gone = self._missing(scene, scope)
        copied = sum(self._chain.counts(scene.hosts).values())
        return Lasted({"gone_on": gone} if gone else {}, {"packets_duplicated": copied})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._chain.fall(scene.hosts)

    def _missing(self, scene: Scene, scope: Scope) -> list[str]:
        return self._chain.missing(scene.hosts, self._ports.narrowed(scope).grudge)
