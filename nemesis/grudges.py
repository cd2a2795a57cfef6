"""Who drops whose packets: pure functions from the nodes to a grudge.

A grudge maps each node to the nodes whose packets it drops on arrival. Drops on one side only
cut one direction; TCP then fails in both, but datagrams and half-open connections do not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random

Grudge = Mapping[str, tuple[str, ...]]
Nodes = Sequence[str]


class GrudgeError(ValueError):
    """A grudge that these nodes cannot bear: one line that says why."""


def halves(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut the first half, the smaller one, from the rest."""
    return split(nodes, nodes[: len(nodes) // 2])


def random_halves(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut a random half, the smaller one, from the rest."""
    return split(nodes, rng.sample(nodes, len(nodes) // 2))


def one(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut one random node from all others."""
    return split(nodes, [rng.choice(nodes)])


def leader(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut the leader from all others."""
    return split(nodes, [_leader(leaders)])


def leader_minority(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut the leader, and as many followers as leave a majority, from that majority."""
    head = _leader(leaders)
    followers = [node for node in nodes if node != head]
    return split(nodes, [head, *followers[: (len(nodes) - 1) // 2 - 1]])


def bridge(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut two halves apart, but for one node that still talks to everyone."""
    order = rng.sample(nodes, len(nodes))
    middle = order.pop()
    grudge = dict(split(order, order[: len(order) // 2]))
    return grudge | {middle: ()}


def majorities_ring(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Let each node talk to a majority, no two to the same one: a ring of neighbours."""
    order = rng.sample(nodes, len(nodes))
    reach = -(-(len(nodes) // 2) // 2)  # neighbours on each side that make a majority
    grudge = {}
    for place, node in enumerate(order):
        near = {order[(place + step) % len(order)] for step in range(-reach, reach + 1)}
        grudge[node] = tuple(other for other in nodes if other not in near)
    return grudge


def one_way(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Let a random smaller half hear nobody of the rest, though the rest hears it."""
    deaf = set(rng.sample(nodes, len(nodes) // 2))
    return {
        node: tuple(other for other in nodes if node in deaf and other not in deaf)
        for node in nodes
    }


def link(nodes: Nodes, leaders: Nodes, rng: Random) -> Grudge:
    """Cut a single pair, which both still reach through any third node.

    The leader and one follower where a leader is known, for that is the pair that matters.
    """
    first = leaders[0] if leaders else rng.choice(nodes)
    second = rng.choice([node for node in nodes if node != first])
    pair = {first: (second,), second: (first,)}
    return {node: pair.get(node, ()) for node in nodes}


GRUDGES: Mapping[str, Callable[[Nodes, Nodes, Random], Grudge]] = {
    "halves": halves,
    "random-halves": random_halves,
    "one": one,
    "leader": leader,
    "leader-minority": leader_minority,
    "bridge": bridge,
    "majorities-ring": majorities_ring,
    "one-way": one_way,
    "link": link,
}

# What a grudge needs: nodes enough that it cuts something and is not another grudge.
NODES_MIN: Mapping[str, int] = {
    "bridge": 3,
    "majorities-ring": 4,
    "link": 3,
    "leader-minority": 3,
    "leader": 2,
}
NEEDS_LEADER = frozenset({"leader", "leader-minority"})


def split(nodes: Nodes, side: Iterable[str]) -> Grudge:
    """Cut one side from the other, in both directions."""
    inside = set(side)
    return {
        node: tuple(other for other in nodes if (other in inside) != (node in inside))
        for node in nodes
    }


def cut_pairs(grudge: Grudge) -> list[tuple[str, str]]:
    """Return the pairs of nodes that cannot hold a conversation, each pair once, in order."""
    pairs = {tuple(sorted((node, other))) for node, dropped in grudge.items() for other in dropped}
    return sorted((first, second) for first, second in pairs)


def describe(grudge: Grudge) -> str:
    """Say a grudge in few words: "n1 n2 | n3 n4 n5" where it is a clean cut.

    Else each node that drops something: "n1 drops n2 n3; n2 drops n1".
    """
    nodes = sorted(grudge)
    side = [node for node in nodes if grudge[node] == grudge[nodes[0]]]
    if grudge == dict(split(nodes, side)) and len(side) < len(nodes):
        other = [node for node in nodes if node not in side]
        return " | ".join(" ".join(part) for part in sorted((side, other), key=len))
    drops = [f"{node} drops {' '.join(grudge[node])}" for node in nodes if grudge[node]]
    return "; ".join(drops)


def _leader(leaders: Nodes) -> str:
    if not leaders:
        raise GrudgeError("no node says that it leads")
    return leaders[0]
