"""A cluster that several runs use one after the other, as long as it is sound.

Each run tears its store down and begins with an empty one (`run.set_up`), so that nothing of the
store is left from the run before. What a run leaves in doubt is the cluster itself: one that lost
a node, or on which a run broke off, is not used again.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from partita.harness.nodes.cluster import Node
from partita.harness.run.places import Place, nodes_of
from partita.harness.run.run import RunSpec

Nodes = tuple[list[Node], list[Node]]


class KeptNodes:
    """Lends nodes to runs, as `nodes_of` does, and keeps them between two. Close it at the end."""

    def __init__(self, make: Place = nodes_of) -> None:
        self._make = make
        self._stack = ExitStack()
        self._kind: object = None
        self._there: Nodes = ([], [])

    @contextmanager
    def lend(
        self, names: Sequence[str], spec: RunSpec, options: Mapping[str, Any], *, keep: bool
    ) -> Iterator[Nodes]:
        """Lend the nodes that are there, if they are as many as the run wants; else new ones."""
        kind = (tuple(names), spec.nodes, spec.client_nodes)
        if kind != self._kind:
            self.close()
            made = self._make(names, spec, options, keep=keep)
            self._there = self._stack.enter_context(made)
            self._kind = kind
        try:
            yield self._there
        except BaseException:
            self.close()
            raise
        if any(node.lost for nodes in self._there for node in nodes):
            self.close()

    def close(self) -> None:
        """Take the nodes down, or leave them. The next run gets new ones."""
        self._kind = None
        self._stack.close()
