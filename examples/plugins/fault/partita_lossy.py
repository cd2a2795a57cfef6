"""A fault: links that lose a share of their packets.

partita test etcd --nemesis lossy-halves --lossy-percent 30
partita test etcd --schedule "5s lossy one percent=50; 20s heal"
"""

from collections.abc import Mapping
from typing import Annotated, Any

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.hosts import Host
from partita.nemesis.targets import Scope

# Rules of our own on the nodes. The name begins with PARTITA, so that they are known as ours.
CHAIN = "PARTITA-LOSSY"


class Lossy:
    """Loses a share of the packets between the nodes that it strikes."""

    name = "lossy"
    traits = Traits(
        strikes="links",  # and so the targets are those of partitions: one, halves, link, …
        stacks="replace",
        # How a node undoes it alone, if it hears nothing from us any more.
        heal=Chain(CHAIN, "").heal,
    )

    def __init__(
        self,
        percent: Annotated[float, Setting("How many packets are lost.", least=1, most=90)] = 20,
    ) -> None:
        share = f"{percent / 100:.4f}"
        self._chain = Chain(CHAIN, f"-m statistic --mode random --probability {share} -j DROP")

    def lacks(self, host: Host) -> str | None:
        """Asked before the run: what keeps this host from it, if anything does."""
        return self._chain.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._chain.stand(scene.hosts, scope.grudge)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """Asked right after it began. A fault that did not bite makes the run unknown."""
        missing = self._chain.missing(scene.hosts, scope.grudge)
        return {"bit": not missing, "missing_on": missing}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Asked before it ends. A count of 0 says that it never bit."""
        missing = self._chain.missing(scene.hosts, scope.grudge)
        lost = sum(self._chain.counts(scene.hosts).values())
        return Lasted({"missing_on": missing} if missing else {}, {"packets_lost": lost})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._chain.fall(scene.hosts)
