"""The faults of networks, told to the router: same names, targets and settings as on hosts.

Nothing has to be healed on a host, because there is none: what is here ends with the router.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

from partita.harness.messages.links import Link, Links, Rule
from partita.nemesis.fault import Fault, Lasted, Scene, Traits
from partita.nemesis.faults.duplicate import Duplicate
from partita.nemesis.faults.loss import Loss
from partita.nemesis.faults.packets import Delay, Reorder
from partita.nemesis.faults.partition import Partition
from partita.nemesis.faults.process import Kill, Pause, Stop
from partita.nemesis.faults.restart import CrashLoop, Restart, RollingRestart
from partita.nemesis.hosts import Host
from partita.nemesis.targets import Scope

# What strikes processes alone asks the system, whatever its nodes are.
_OF_PROCESSES = (Kill, Stop, Pause, Restart, RollingRestart, CrashLoop)


@dataclass(slots=True)
class OnLinks:
    """A rule for the messages of links, put in force and taken away."""

    name: str
    traits: Traits
    links: Links
    rule: Rule
    counted: str  # what the rule's count is called

    def lacks(self, host: Host) -> str | None:
        return None

    def begin(self, scene: Scene, scope: Scope) -> None:
        self.rule.links = _links_of(scope)
        if not self.rule.cut:
            self.rule.beside = _wholly_struck(self.rule.links, [host.name for host in scene.hosts])
        self.links.add(self.rule)

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """The rule must stand. Whether it met any message is counted until it ends."""
        return {"bit": bool(self.rule.links) and self.links.holds(self.rule)}

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        return Lasted({}, {self.counted: self.rule.count})

    def end(self, scene: Scene, scope: Scope) -> None:
        self.links.remove(self.rule)


def _partition(links: Links) -> Fault:
    return _on_links(Partition, links, Rule((), cut=True), "messages_dropped")


def _loss(links: Links, percent: float = 20) -> Fault:
    return _on_links(Loss, links, Rule((), lost=percent / 100), "messages_lost")


def _duplicate(links: Links, percent: float = 10) -> Fault:
    rule = Rule((), twice=percent / 100)
    return _on_links(Duplicate, links, rule, "messages_duplicated")


def _delay(links: Links, ms: float = 50, jitter: float = 0) -> Fault:
    return _on_links(Delay, links, Rule((), ms=ms, jitter=jitter), "messages_held")


def _reorder(links: Links, percent: float = 25, ms: float = 20) -> Fault:
    rule = Rule((), ms=ms, early=percent / 100, keeps_order=False)
    return _on_links(Reorder, links, rule, "messages_held")


def _on_links(on_hosts: Any, links: Links, rule: Rule, counted: str) -> Fault:
    return OnLinks(on_hosts.name, replace(on_hosts.traits, heal=""), links, rule, counted)


def faults_on(links: Links) -> Mapping[str, Callable[..., Fault]]:
    """Return what makes each fault that there can be among such nodes, by its name."""
    made = {
        "partition": _partition,
        "loss": _loss,
        "duplicate": _duplicate,
        "delay": _delay,
        "reorder": _reorder,
    }
    told = {name: partial(make, links) for name, make in made.items()}
    return MappingProxyType(told | {kind.name: kind for kind in _OF_PROCESSES})


def _links_of(scope: Scope) -> frozenset[Link]:
    """Return who sends to whom: a grudge says who does not hear whom."""
    return frozenset((sender, node) for node, heard in scope.grudge.items() for sender in heard)


def _wholly_struck(links: Collection[Link], nodes: Sequence[str]) -> frozenset[str]:
    """Return the nodes of which every link is struck: so are those to the clients beside them.

    A cut spares them all the same, since a client that reaches nobody sees nothing.
    """
    return frozenset(
        node
        for node in nodes
        if len(nodes) > 1
        and all((node, each) in links and (each, node) in links for each in nodes if each != node)
    )
