"""The store's processes as the nemesis sees them: by the names of their nodes."""

from collections.abc import Sequence
from typing import Any

from partita.harness.nodes.cluster import Node
from partita.harness.systems.system import System, serves


class StoreProcesses:
    """What faults may do to this system's processes; see `partita.nemesis.fault.Store`."""

    def __init__(self, system: System, nodes: Sequence[Node]) -> None:
        self._system = system
        self._nodes = {node.name: node for node in nodes}

    def do(self, method: str, node: str, *more: Any) -> Any:
        found = getattr(self._system, method)
        return found(self._nodes[node], *more) if callable(found) else found

    def start(self, node: str) -> None:
        self._system.start(self._nodes[node], list(self._nodes.values()))

    def serves(self, node: str) -> bool:
        return serves(self._system, self._nodes[node])
