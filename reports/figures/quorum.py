"""What the network allows: the nodes that could reach a majority, whatever the store does.

This is the bound beside which a store's availability is drawn. A store that keeps its promises
cannot acknowledge writes on a node outside of it; one that stays far below it loses time to
elections, time-outs or mistakes. It is an upper bound, for it lets nodes forward for each other.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from partita.reports.figures.faults import Fault


def with_quorum(nodes: Sequence[str], in_force: Iterable[Fault]) -> frozenset[str]:
    """The nodes in a component of more than half of all nodes.

    A link counts if packets pass in both directions; a node that is down has none, yet counts
    in the number of all nodes.
    """
    import networkx as nx  # which is long to import, and most commands need no figures

    faults = list(in_force)
    graph = nx.complete_graph(nodes)
    for fault in faults:
        graph.remove_nodes_from(fault.down)
        graph.remove_edges_from(
            (node, other) for node, drops in fault.grudge.items() for other in drops
        )
    for component in nx.connected_components(graph):
        if 2 * len(component) > len(nodes):
            return frozenset(component)
    return frozenset()


def bound_over_time(
    nodes: Sequence[str], faults: Sequence[Fault], end: int
) -> list[tuple[int, float]]:
    """The share of nodes with a quorum as steps: from each time (ns) on, until the next.

    The first step begins at 0, and a last one at `end` repeats the share before it, so that
    the steps can be drawn as they are.
    """
    healed = {fault.heal for fault in faults if fault.heal is not None}
    restored = {time for fault in faults for time in fault.restored.values()}
    changes = {0} | {fault.cut for fault in faults} | healed | restored
    steps = [(time, _share(nodes, faults, time)) for time in sorted(changes) if time < end]
    return [*steps, (end, steps[-1][1])] if steps else []


def mean_bound(nodes: Sequence[str], faults: Sequence[Fault], end: int) -> float | None:
    """The bound averaged over the time from 0 to `end`; None if that is no time at all."""
    steps = bound_over_time(nodes, faults, end)
    lengths = [after - before for (before, _), (after, _) in pairwise(steps)]
    weighted = sum(share * length for (_, share), length in zip(steps, lengths, strict=False))
    return weighted / sum(lengths) if sum(lengths) else None


def _share(nodes: Sequence[str], faults: Sequence[Fault], time: int) -> float:
    if not nodes:
        return 0.0
    return len(with_quorum(nodes, (f.at(time) for f in faults if f.in_force(time)))) / len(nodes)
