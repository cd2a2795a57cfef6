"""What the nodes of a run stand on: whether there are hosts, with a network between them.

The driver asks it for all that is not any one fault's business: who reaches whom, and that hosts
heal themselves when the controller is gone.
"""

from collections.abc import Sequence
from typing import Protocol

from partita.nemesis import network, switch
from partita.nemesis.fault import Fault
from partita.nemesis.faults import NONE, Kinds
from partita.nemesis.hosts import Host


class Ground(Protocol):
    """Where the nodes are. `faults` are made another way there than on hosts, by name."""

    @property
    def faults(self) -> Kinds: ...

    def reachable(self, hosts: Sequence[Host]) -> set[tuple[str, str]]:
        """Return the ordered pairs (a, b) of which a can hold a conversation with b now."""

    def heal(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        """Undo every fault there is, and those `made`. Harmless where nothing is."""

    def arm(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        """See to it that hosts heal themselves if `beat` is not called any more."""

    def beat(self, hosts: Sequence[Host]) -> list[str]:
        """Tell each host that the controller lives; return the names of those that were told."""

    def disarm(self, hosts: Sequence[Host]) -> list[str]:
        """End that; return the hosts that had to heal themselves."""


class Network:
    """Hosts with a network between them."""

    faults = NONE

    def reachable(self, hosts: Sequence[Host]) -> set[tuple[str, str]]:
        return network.reachable(hosts)

    def heal(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        switch.heal(hosts, made)

    def arm(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        switch.arm(hosts, made)

    def beat(self, hosts: Sequence[Host]) -> list[str]:
        return switch.beat(hosts)

    def disarm(self, hosts: Sequence[Host]) -> list[str]:
        return switch.disarm(hosts)


class InOneProcess:
    """No hosts: what stands between the nodes is a part of the controller, and ends with it.

    `faults` are all that there can be.
    """

    def __init__(self, faults: Kinds) -> None:
        self.faults = faults

    def reachable(self, hosts: Sequence[Host]) -> set[tuple[str, str]]:
        names = [host.name for host in hosts]
        return {(one, other) for one in names for other in names if one != other}

    def heal(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        """Nothing lasts."""

    def arm(self, hosts: Sequence[Host], made: Sequence[Fault]) -> None:
        """Nobody outlives the controller."""

    def beat(self, hosts: Sequence[Host]) -> list[str]:
        return [host.name for host in hosts]

    def disarm(self, hosts: Sequence[Host]) -> list[str]:
        return []


NETWORK = Network()
