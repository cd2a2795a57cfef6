"""Ending and freezing the store's processes: which nodes are struck, and what a fault may do.

`kill` ends a process as a power cut would, `stop` as an administrator would, `pause` freezes it
as a long garbage collection or a suspended virtual machine would. What that means for a store
is the harness's business (`Processes`); whom it strikes is decided here, by pure functions.
"""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Protocol

Nodes = Sequence[str]

ACTIONS = ("kill", "pause", "stop")


class Processes(Protocol):
    """The store's processes, one on each node, by the node's name."""

    def strike(self, action: str, node: str) -> None:
        """Do one of `ACTIONS`; return when it is done."""

    def restore(self, node: str) -> None:
        """Let it run again, whatever was done to it; harmless if it runs."""

    def serves(self, node: str) -> bool:
        """Say whether the node's process answers."""


def one(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Strike a random node."""
    return [rng.choice(nodes)]


def leader(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Strike the leader."""
    return leaders[:1]


def minority(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Strike as many random nodes as still leave a majority."""
    return rng.sample(nodes, (len(nodes) - 1) // 2)


def majority(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Strike a random majority."""
    return rng.sample(nodes, len(nodes) // 2 + 1)


def everyone(nodes: Nodes, leaders: Nodes, rng: Random) -> Nodes:
    """Strike every node."""
    return nodes


TARGETS: Mapping[str, Callable[[Nodes, Nodes, Random], Nodes]] = {
    "one": one,
    "leader": leader,
    "minority": minority,
    "majority": majority,
    "all": everyone,
}

NAMES = tuple(f"{action}-{target}" for action in ACTIONS for target in TARGETS)
