"""Who does not hear whom: what can be said about a grudge, in pure functions.

A grudge maps each node to the nodes whose packets it does not take. Drops on one side only cut
one direction; TCP then fails in both, but datagrams and half-open connections do not.
"""

from collections.abc import Iterable, Mapping, Sequence

Grudge = Mapping[str, tuple[str, ...]]
Nodes = Sequence[str]


def split(nodes: Nodes, side: Iterable[str]) -> Grudge:
    """Cut one side from the other, in both directions."""
    inside = set(side)
    return {
        node: tuple(other for other in nodes if (other in inside) != (node in inside))
        for node in nodes
    }


def apart(nodes: Nodes) -> Grudge:
    """Cut every node from every other."""
    return {node: tuple(other for other in nodes if other != node) for node in nodes}


def cut_pairs(grudge: Grudge) -> list[tuple[str, str]]:
    """Return the pairs of nodes that cannot hold a conversation, each pair once, in order."""
    pairs = {tuple(sorted((node, other))) for node, dropped in grudge.items() for other in dropped}
    return sorted((first, second) for first, second in pairs)


def describe(grudge: Grudge) -> str:
    """Say a grudge in few words: "n1 n2 | n3 n4 n5" where it is a clean cut.

    Else each node that drops something: "n1 drops n2 n3; n2 drops n1".
    """
    nodes = sorted(grudge)
    if all(set(grudge[node]) == set(nodes) - {node} for node in nodes):
        return " | ".join(nodes)
    side = [node for node in nodes if grudge[node] == grudge[nodes[0]]]
    if grudge == dict(split(nodes, side)) and len(side) < len(nodes):
        other = [node for node in nodes if node not in side]
        return " | ".join(" ".join(part) for part in sorted((side, other), key=len))
    drops = [f"{node} drops {' '.join(grudge[node])}" for node in nodes if grudge[node]]
    return "; ".join(drops)
