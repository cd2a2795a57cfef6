"""What a system under test must be able to do.

No base class: whatever has these methods is a system. The optional ones (`primaries`) are
looked for by name, and a fault that needs one that is missing is refused before the run.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from partita.harness.nodes.cluster import Node
from partita.nemesis.ground import Ground
from partita.workloads.client import Client, Definite, Indefinite


class StoreError(Exception):
    """A system that cannot be installed or started: one line that names the node."""


class System(Protocol):
    """A store: how it is put on a node, started, ended, and talked to.

    What its constructor takes are its options (see `checker/settings.py`).
    """

    name: str

    def install(self, node: Node) -> None:
        """Make sure that what the store needs is on the node."""

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        """Configure and start the store's process on the node; no harm if it runs."""

    def healthy(self, node: Node) -> bool:
        """Say whether the node takes part in a cluster that serves.

        May raise what a client raises, or `OSError`, which means no.
        """

    def stop(self, node: Node) -> None:
        """End the process as an administrator would."""

    def kill(self, node: Node) -> None:
        """Crash the process: it ends at once, and nothing that it wrote is taken from it."""

    def wipe(self, node: Node) -> None:
        """Delete everything that the store keeps on the node."""

    def logs(self, node: Node) -> Sequence[str]:
        """Return the paths of the log files on the node."""

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        """Return, by capability (`partita list capabilities`), what makes a client of it.

        That connects to the given node only; each call of the client gives up after so many
        seconds. It raises `Definite` if no connection can be made in that time.
        """

    def versions(self, node: Node) -> str:
        """Say which version is installed."""


def serves(system: System, node: Node) -> bool:
    """Say whether the node is healthy; a system that cannot find out says no by raising."""
    try:
        return system.healthy(node)
    except (Definite, Indefinite, OSError):
        return False


@runtime_checkable
class HasPromises(Protocol):
    """A system that says what it promises, as its documentation does."""

    def promises(self, capability: str) -> Mapping[str, str | None]:
        """Return the level that it promises, by check; None: it promises nothing there.

        A check that is not named is judged by the level that it asks for by itself.
        """


@runtime_checkable
class HasWords(Protocol):
    """A system whose users come from another tool, and bring its command lines along."""

    @staticmethod
    def in_ours(words: Sequence[str]) -> list[str]:
        """Return the words of a line in our options; asked of the class, before all else.

        Raises `click.UsageError` for what cannot be said in ours.
        """


@runtime_checkable
class HasFetch(Protocol):
    """A system whose program no node can install: this machine fetches it and gives it to them."""

    def fetch(self) -> object:
        """Fetch the program that a run begins with, if it is not here yet. Raises `StoreError`.

        Called before any node is made or reached, so that what cannot be had is said at once.
        """


@runtime_checkable
class HasExamine(Protocol):
    """A system that can be used only if its program can be fetched, which it looks for."""

    @staticmethod
    def examine() -> str:
        """Say for `partita doctor` how that stands. Raises `Ailment` if it cannot be had."""


@runtime_checkable
class HasReleases(Protocol):
    """A system of which nodes can be taken from one release to another, as an upgrade does."""

    @property
    def releases(self) -> Sequence[str]:
        """The releases that can be had, the oldest first."""

    def bring(self, node: Node, release: str) -> None:
        """Put a release on the node, beside the one that runs there. Raises `StoreError`.

        It may have to be fetched, so this is for the time before the load.
        """

    def choose(self, node: Node, release: str) -> None:
        """Have the node run a release that was brought there, from its next start on."""


@runtime_checkable
class BringsNodes(Protocol):
    """A system whose nodes are no hosts, but something that it makes itself, on this machine."""

    @property
    def ground(self) -> Ground:
        """Return what such nodes stand on: it says which faults there can be."""

    def nodes(self, names: Sequence[str], seed: int) -> AbstractContextManager[Sequence[Node]]:
        """Make the nodes of these names for as long as the block lasts; `start` comes later."""

    def began(self, origin: int) -> None:
        """Take note that the run's time counts from here, ns on time.monotonic's clock."""

    def complaints(self) -> Sequence[str]:
        """Say what of the nodes' doings speaks against trusting the run."""

    def keep(self, directory: Path) -> None:
        """Put what the system itself recorded of the run into the run's directory."""

    def figures(self) -> Mapping[str, Any]:
        """Return what the system itself measured of the run, for `results.json`."""


@runtime_checkable
class HasRunning(Protocol):
    """A system that can tell at once that its process has ended, and need not be waited for."""

    def running(self, node: Node) -> bool:
        """Say whether the process is there, whether or not it serves."""


@runtime_checkable
class HasPause(Protocol):
    """A system whose processes can be frozen, and let go on."""

    def pause(self, node: Node) -> None:
        """Freeze the process (SIGSTOP)."""

    def resume(self, node: Node) -> None:
        """Let the process go on (SIGCONT); no harm if it runs or is gone."""


@runtime_checkable
class HasData(Protocol):
    """A system whose data can lie on a disk of its own, which loses power, or is full."""

    def data(self, node: Node) -> str:
        """Return the folder of all that must survive a crash, and of nothing else."""


@runtime_checkable
class HasPeerPorts(Protocol):
    """A system that says on which ports its nodes talk to each other."""

    def peer_ports(self, node: Node) -> Sequence[int]:
        """Return them, first one that each node listens on."""


@runtime_checkable
class HasClientPorts(Protocol):
    """A system that says on which ports its clients talk to it, and its nodes do not."""

    def client_ports(self, node: Node) -> Sequence[int]:
        """Return them."""


@runtime_checkable
class HasFiles(Protocol):
    """A system that says which of its files are which, for faults that damage them."""

    def files(self, node: Node) -> Mapping[str, str]:
        """Return patterns of paths, by what is in those files: `log`, `snapshot`, `database`."""


@runtime_checkable
class HasReplicas(Protocol):
    """A system whose nodes can each be asked what they have themselves.

    Every node carries out all updates in one order, whichever keys they are of.
    """

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        """Return, as `offers` does, what makes a client whose reads its node answers alone."""


@runtime_checkable
class HasAlarms(Protocol):
    """A system that knows what its log says when its process panics, or an assertion fails."""

    @property
    def alarms(self) -> Sequence[str]:
        """Return regular expressions, each for a line."""


@runtime_checkable
class HasPrimaries(Protocol):
    """A system whose nodes can be asked who leads."""

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        """Return the names of the nodes that say they lead, the latest claim first."""


@runtime_checkable
class HasMembers(Protocol):
    """A system whose cluster can lose a node for good, and take a new one in, while it serves.

    A node that was taken out may end by itself, or go on without a vote. Before it is taken in
    again, its process is ended and its data are deleted; afterwards `start` is called, and must
    then start it as one that joins.
    """

    def members(self, node: Node) -> Sequence[str]:
        """Return the names of the voters as this node knows them, itself among them or not.

        Who was taken in and has not started is a voter too, if a majority is counted with it.
        Raises what a client raises, or `OSError`, if the node does not say.
        """

    def remove(self, node: Node, asked: Node) -> None:
        """Ask one node that the cluster goes on without another one; soon, not when it is done.

        May be called again for the same node. Raises `Definite` if that will certainly not happen
        by this call, `Indefinite` if nobody knows.
        """

    def add(self, node: Node, asked: Node) -> None:
        """Ask one node to take another one in as a voter. As `remove`, in all other respects."""


@runtime_checkable
class HasForesight(Protocol):
    """A system that must be configured otherwise for what faults will do to it."""

    def foresee(self, needs: Collection[str]) -> None:
        """Take note, before the first start, of what the run's faults need, such as `members`."""


@runtime_checkable
class HasMeet(Protocol):
    """A system whose clients must know of all nodes, and not only of the one that they talk to."""

    def meet(self, nodes: Sequence[Node]) -> None:
        """Take all nodes, in a program that only makes clients: nobody calls `start` there."""


@runtime_checkable
class HasShortestSession(Protocol):
    """A system whose sessions cannot be as short as one likes."""

    shortest_session_s: float
