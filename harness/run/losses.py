"""Nodes whose machine is lost in mid-run: the run goes on without them, and says so.

The nemesis notices one while the load runs (`partita.nemesis.hosts`). Whoever asks all nodes for
something afterwards asks here first which of them are still there.
"""

from collections.abc import Sequence

from partita.harness.nodes.cluster import Node
from partita.nemesis.driver import Driver
from partita.nemesis.hosts import give_up_the_dead


def living(nodes: Sequence[Node]) -> list[Node]:
    """Look which nodes are there, give up the others for good, and return those that are."""
    give_up_the_dead([node for node in nodes if not node.lost])
    return [node for node in nodes if not node.lost]


def sentences(nodes: Sequence[Node], driver: Driver) -> list[str]:
    """Say which nodes were lost, when, and what that means for the run."""
    said = [
        driver.lost.get(node.name, f"{node.name} was lost after the load")
        for node in nodes
        if node.lost
    ]
    return [f"{each}: its machine was neither healed nor read" for each in said]
