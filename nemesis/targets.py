"""Whom a fault strikes: pure functions from the nodes, the leaders and a seed.

A target says nodes, or links: who does not hear whom. A fault that strikes links takes both kinds:
nodes then stand for the links between them and the rest. A fault that strikes clients takes targets
that say nodes, and gets the names of client nodes in their place. To add one, write a function with
`of_nodes` or `of_links` above it and declare it as an entry point in `partita.targets`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Generic, Literal, TypeVar

from partita.nemesis.grudges import Grudge, Nodes, apart, cut_pairs, describe, split

Strikes = Literal["nodes", "links", "clients"]
Chosen = TypeVar("Chosen")


class TargetError(ValueError):
    """A target that these nodes cannot bear: one line that says why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a fault strikes: nodes by name, or links, which a grudge says. One of them is empty."""

    nodes: tuple[str, ...] = ()
    grudge: Grudge = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(self.nodes) or describe(self.grudge)

    @property
    def links(self) -> set[tuple[str, str]]:
        """The pairs of nodes whose conversation it disturbs, in both orders."""
        return {
            pair for one, other in cut_pairs(self.grudge) for pair in ((one, other), (other, one))
        }

    def only(self, nodes: Sequence[str]) -> "Scope":
        """That part of it which is on these nodes."""
        return Scope(tuple(node for node in self.nodes if node in nodes))

    def without(self, nodes: Sequence[str]) -> "Scope":
        """That part of it which is on other nodes."""
        return Scope(tuple(node for node in self.nodes if node not in nodes))


@dataclass(frozen=True)
class Target(Generic[Chosen]):
    """A choice, and what it needs: nodes enough that it means something, and a known leader."""

    choose: Callable[[Nodes, Nodes, Random], Chosen]
    strikes: Strikes
    least: int = 1
    needs_leader: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.choose.__doc__)

    def suits(self, strikes: Strikes) -> bool:
        """Say whether a fault that strikes such things can take it."""
        if strikes == "clients":
            return self.strikes != "links" and not self.needs_leader
        return self.strikes == "nodes" or self.strikes == strikes

    def nodes_min(self, strikes: Strikes) -> int:
        """Return how many nodes a fault that strikes such things needs with it."""
        return max(self.least, 2) if strikes == "links" else self.least

    def scope(self, strikes: Strikes, nodes: Nodes, leaders: Nodes, rng: Random) -> Scope:
        """Choose. The same seed chooses the same. Raises `TargetError`."""
        if len(nodes) < self.nodes_min(strikes):
            raise TargetError(f"{self.nodes_min(strikes)} nodes are needed, {len(nodes)} are there")
        if self.needs_leader and not leaders:
            raise TargetError("no node says that it leads")
        chosen: Any = self.choose(nodes, leaders, rng)
        if self.strikes == "links":
            return Scope(grudge=chosen)
        return scope_of(strikes, nodes, chosen)


def scope_of(strikes: Strikes, nodes: Nodes, chosen: Nodes) -> Scope:
    """Return what named nodes mean to a fault: themselves, or their links to all others."""
    if strikes != "links":
        return Scope(tuple(sorted(chosen)))
    return Scope(grudge=apart(nodes) if set(chosen) == set(nodes) else split(nodes, chosen))


def of_nodes(
    *, least: int = 1, needs_leader: bool = False
) -> Callable[[Callable[[Nodes, Nodes, Random], Nodes]], Target[Nodes]]:
    """Make a target of a function that returns nodes."""
    return lambda choose: Target(choose, "nodes", least, needs_leader)


def of_links(
    *, least: int = 2, needs_leader: bool = False
) -> Callable[[Callable[[Nodes, Nodes, Random], Grudge]], Target[Grudge]]:
    """Make a target of a function that returns a grudge."""
    return lambda choose: Target(choose, "links", least, needs_leader)


def of_clients() -> Callable[[Callable[[Nodes, Nodes, Random], Nodes]], Target[Nodes]]:
    """Make a target of a function that returns clients' nodes, from these and those that hold."""
    return lambda choose: Target(choose, "clients")


@of_nodes()
def one(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """A random node."""
    return [rng.choice(nodes)]


@of_nodes(needs_leader=True)
def leader(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """The leader."""
    return leaders[:1]


@of_clients()
def holder(nodes: Nodes, holders: Nodes, rng: Random) -> Nodes:
    """The node whose clients hold most, such as locks; a random one if nobody holds anything."""
    return holders[:1] or [rng.choice(nodes)]


@of_nodes(least=3, needs_leader=True)
def followers(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Random followers, as many as leave the leader a majority."""
    return rng.sample([node for node in nodes if node != leaders[0]], (len(nodes) - 1) // 2)


@of_nodes(least=3, needs_leader=True)
def leader_minority(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """The leader and as many followers as leave a majority without them."""
    rest = [node for node in nodes if node != leaders[0]]
    return [leaders[0], *rest[: (len(nodes) - 1) // 2 - 1]]


@of_nodes(least=3)
def minority(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """As many random nodes as still leave a majority."""
    return rng.sample(nodes, (len(nodes) - 1) // 2)


@of_nodes()
def majority(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """A random majority."""
    return rng.sample(nodes, len(nodes) // 2 + 1)


@of_nodes()
def everyone(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Every node, or every link."""
    return nodes


@of_links()
def halves(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """The first half, the smaller one, from the rest."""
    return split(nodes, nodes[: len(nodes) // 2])


@of_links()
def random_halves(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """A random half, the smaller one, from the rest."""
    return split(nodes, rng.sample(nodes, len(nodes) // 2))


@of_links(least=3)
def bridge(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Two halves, but for one node that still talks to everyone."""
    order = rng.sample(nodes, len(nodes))
    middle = order.pop()
    grudge = dict(split(order, order[: len(order) // 2]))
    return grudge | {middle: ()}


@of_links(least=4)
def majorities_ring(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """So that each node talks to a majority, no two to the same one: a ring of neighbours."""
    order = rng.sample(nodes, len(nodes))
    reach = -(-(len(nodes) // 2) // 2)  # neighbours on each side that make a majority
    grudge = {}
    for place, node in enumerate(order):
        near = {order[(place + step) % len(order)] for step in range(-reach, reach + 1)}
        grudge[node] = tuple(other for other in nodes if other not in near)
    return grudge


@of_links()
def one_way(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """One direction only: a random smaller half hears nobody of the rest, which hears it."""
    deaf = set(rng.sample(nodes, len(nodes) // 2))
    return {
        node: tuple(other for other in nodes if node in deaf and other not in deaf)
        for node in nodes
    }


@of_links(least=3)
def link(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """A single pair, which both still reach through any third node.

    The leader and one follower where a leader is known, for that is the pair that matters.
    """
    first = leaders[0] if leaders else rng.choice(nodes)
    second = rng.choice([node for node in nodes if node != first])
    pair: Mapping[str, tuple[str, ...]] = {first: (second,), second: (first,)}
    return {node: pair.get(node, ()) for node in nodes}
