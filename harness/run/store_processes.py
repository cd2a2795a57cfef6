"""The store's processes as the nemesis sees them: by the names of their nodes."""

from collections.abc import Sequence
from typing import Any, Literal

from partita.harness.nodes.cluster import Node
from partita.harness.systems.system import HasMembers, System, serves
from partita.nemesis.fault import Asked
from partita.workloads.client import Definite, Indefinite


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

    def members(self, node: str) -> Sequence[str] | None:
        try:
            return self._changeable.members(self._nodes[node])
        except (Definite, Indefinite, OSError):
            return None

    def change(self, what: Literal["add", "remove"], node: str, asked: str) -> Asked:
        system = self._changeable
        ask = system.add if what == "add" else system.remove
        try:
            ask(self._nodes[node], self._nodes[asked])
        except Definite as error:
            return Asked(False, str(error))
        except (Indefinite, OSError) as error:
            return Asked(None, str(error))
        return Asked(True)

    @property
    def _changeable(self) -> HasMembers:
        if not isinstance(self._system, HasMembers):  # a schedule that asks for it was refused
            raise TypeError(f"{self._system.name} has no members()")
        return self._system
