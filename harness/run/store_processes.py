"""The store's processes as the nemesis sees them: by the names of their nodes."""

from collections.abc import Sequence

from partita.harness.nodes.cluster import Node
from partita.harness.systems.system import HasPause, System, serves


class StoreProcesses:
    """What a process fault means for this system; see `partita.nemesis.process.Processes`."""

    def __init__(self, system: System, nodes: Sequence[Node]) -> None:
        self._system = system
        self._nodes = {node.name: node for node in nodes}

    def strike(self, action: str, node: str) -> None:
        target = self._nodes[node]
        if action == "kill":
            self._system.kill(target)
        elif action == "stop":
            self._system.stop(target)
        elif action == "pause" and isinstance(self._system, HasPause):
            self._system.pause(target)
        else:
            raise ValueError(f"{self._system.name} cannot {action}")

    def restore(self, node: str) -> None:
        if isinstance(self._system, HasPause):
            self._system.resume(self._nodes[node])
        self._system.start(self._nodes[node], list(self._nodes.values()))

    def serves(self, node: str) -> bool:
        return serves(self._system, self._nodes[node])
