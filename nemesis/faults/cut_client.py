"""Cutting clients off from the store: they live on, and so does the store, but not together.

Unlike a cut between nodes it says nothing about whom the store can serve: only the sessions of the
clients on one host end. The controller still reaches that host.
"""

from collections.abc import Collection, Mapping
from typing import Any

from partita.nemesis.fault import Lasted, Scene, TimesToLive, Traits
from partita.nemesis.firewall import Chain
from partita.nemesis.grudges import Grudge
from partita.nemesis.hosts import Host
from partita.nemesis.network import reachable
from partita.nemesis.targets import Scope

CHAIN = Chain("PARTITA-CLIENT", "-j DROP")


class CutClient:
    """Cuts a clients' node off from all nodes of the store, past the time to live of sessions."""

    name = "cut-client"
    traits = Traits(
        strikes="clients",
        stacks="replace",
        target="holder",
        refuses=("minority", "majority"),
        how="drops of iptables",
        heal=CHAIN.heal,
    )

    def __init__(self, ttl: TimesToLive = 3) -> None:
        self._ttl = ttl
        self._cut: set[str] = set()

    def lasts(self, session_s: float | None) -> float | None:
        return None if session_s is None else self._ttl * session_s

    def lacks(self, host: Host) -> str | None:
        return CHAIN.lacks(host)

    def begin(self, scene: Scene, scope: Scope) -> None:
        self._cut = set(scope.nodes)
        CHAIN.stand([*scene.hosts, *scene.clients], _grudge(scene, self._cut))

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """It bit if no struck host reaches the store any more, and everybody else still does."""
        answered = reachable([*scene.hosts, *scene.clients])
        living = {host.name for host in [*scene.hosts, *scene.clients] if not host.lost}
        cut = {pair for pair in _links(scene, scope.nodes) if set(pair) <= living}
        reached = {pair for pair in scene.reached if set(pair) <= living}
        others = {pair for pair in reached if _is_one_of(scene.clients, pair)}
        strays = sorted(others - _links(scene, self._cut) - answered)
        proven = (cut & set(scene.reached)) - answered
        return {
            "bit": bool(cut) and proven == cut and not strays,
            "cut": sorted(cut),
            "strays": strays,
        }

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """The rules must still stand: a firewall may have been reloaded."""
        everyone = [*scene.hosts, *scene.clients]
        gone = CHAIN.missing(everyone, _grudge(scene, scope.nodes))
        dropped = sum(CHAIN.counts(everyone).values())
        return Lasted({"gone_on": gone} if gone else {}, {"packets_dropped": dropped})

    def end(self, scene: Scene, scope: Scope) -> None:
        self._cut -= set(scope.nodes)
        CHAIN.stand([*scene.hosts, *scene.clients], _grudge(scene, self._cut))


def _grudge(scene: Scene, cut: Collection[str]) -> Grudge:
    nodes = tuple(host.name for host in scene.hosts)
    struck = tuple(host.name for host in scene.clients if host.name in cut)
    return dict.fromkeys(nodes, struck) | dict.fromkeys(struck, nodes)


def _links(scene: Scene, cut: Collection[str]) -> set[tuple[str, str]]:
    """Return the pairs of a struck host and a node of the store, in both orders."""
    grudge = _grudge(scene, cut)
    return {(host, peer) for host, peers in grudge.items() for peer in peers}


def _is_one_of(hosts: Collection[Host], pair: tuple[str, str]) -> bool:
    return any(host.name in pair for host in hosts)
