"""What a fault is: the protocol that the driver speaks, and nothing of any one fault.

A fault is a class in a file of its own in `nemesis/faults/`, declared as an entry point in
`partita.faults`, or anybody's, given as `path/to/file.py:Class`. The parameters of its constructor
are its settings. One object of it is made for each step of a schedule that begins it, so that it
may keep what its proof needs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Annotated, Any, Literal, NamedTuple, Protocol, runtime_checkable

from partita.checker.settings import Setting
from partita.nemesis.disks import Disk
from partita.nemesis.hosts import Host, on_some
from partita.nemesis.targets import Scope, Strikes


class Asked(NamedTuple):
    """What became of a request: done, certainly not done, or None if nobody knows; and why."""

    done: bool | None
    said: str = ""


class Store(Protocol):
    """The store's processes, one on each node, by the node's name."""

    def do(self, method: str, node: str, *more: Any) -> Any:
        """Call a method of the system that takes a node: kill, or one of the fault's `needs`.

        What is no method is returned as it is.
        """

    def start(self, node: str) -> None:
        """Start the process; harmless if it runs."""

    def serves(self, node: str) -> bool:
        """Say whether the node's process answers."""

    def members(self, node: str) -> Sequence[str] | None:
        """Return the voters as this node knows them, None if it does not say."""

    def change(self, what: Literal["add", "remove"], node: str, asked: str) -> Asked:
        """Ask one node to take another one in, or out."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault finds when it is asked to do something.

    `hosts` are all hosts, lost ones too, which `on_all` leaves out. `reached` are the pairs
    (a, b) of which a reached b before any fault. `others` is what the other faults in force
    strike, and `held` the nodes whose process one of those keeps down: it is not started yet.
    `clients` are the hosts that clients of the store live on, if they have hosts of their own.
    `silent` is what those of the others strike that silence. `disk` is what the store's data lie
    on, if it is one of its own. `seed` is this fault's.
    """

    hosts: Sequence[Host]
    store: Store
    reached: Collection[tuple[str, str]] = ()
    others: Sequence[Scope] = ()
    held: Collection[str] = ()
    clients: Sequence[Host] = ()
    silent: Sequence[Scope] = ()
    disk: Disk | None = None
    seed: str = ""

    @property
    def living(self) -> set[str]:
        """The names of the nodes that are not lost."""
        return {host.name for host in self.hosts if not host.lost}

    def struck(self, scope: Scope) -> list[Host]:
        """Return the hosts of the scope's nodes."""
        return [host for host in self.hosts if host.name in scope.nodes]

    def start(self, scope: Scope) -> None:
        """Start the store on the nodes of the scope, but where another fault keeps it down."""
        on_some(self.hosts, set(scope.nodes) - set(self.held), self.store.start)

    def serving(self, scope: Scope) -> list[str]:
        """Return on which nodes of the scope the store's process answers."""
        answers = on_some(self.hosts, scope.nodes, self.store.serves)
        return sorted(node for node, serves in answers.items() if serves)

    def luck(self, node: str) -> Random:
        """What is drawn on a node in mid-fault, so that a seed draws it again."""
        return Random(f"{self.seed}/{node}")

    def undisturbed(self, scope: Scope) -> set[tuple[str, str]]:
        """The pairs that should still reach each other while a fault is in force on the scope.

        They did before, neither is lost, and no other fault in force disturbs them.
        """
        disturbed = {pair for each in (scope, *self.others) for pair in each.links}
        living = self.living
        return {
            (one, other)
            for one, other in self.reached
            if (other, one) in self.reached and {one, other} <= living
        } - disturbed


@dataclass(frozen=True, slots=True)
class Lasted:
    """Whether a fault was in force until now.

    `gone` says what ended before its time, by name; empty if it lasted. `figures` are what its own
    mechanism counted, by name: one that is 0 says that the fault never bit.
    """

    gone: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Storm:
    """How often a random storm draws a fault, against 1, and for how many seconds: least, most."""

    weight: float = 1.0
    seconds: tuple[float, float] = (1.0, 6.0)


@dataclass(frozen=True, slots=True)
class Traits:
    """What the driver must know of a fault before it does anything.

    `strikes`: "nodes", "links" or "clients" (the hosts of clients, if they have their own), which
    says what targets it takes, but for those it `refuses`. `target` is meant if none is named.
    `stacks`: what a second one of its name does while one is in force: "replace" takes its place
    without peace between, "add" comes beside it, "alone" is refused.
    `silences`: whom it strikes does not answer at all any more. Then the nodes count as down, the
    links as cut, where the reports say who could have served.
    `restarts`: its end starts the store's process anew.
    `needs_store`: its end needs a store that serves, and comes after that of all others.
    `momentary`: it needs no heal, and is over as soon as it has been proven.
    `survives_restart`: it is still there when another fault's end has done so. If not, it is
    begun again on that node.
    `own_disk`: the store's data must lie on a disk of its own, which is given to it before it
    starts, and which has this: "cut", "root" or "device" (`nemesis/disks/`).
    `spoils`: it takes from a process what no process can do without, or lies to it. One that then
    ends itself does what it should.
    `needs`: methods that a system must have for it.
    `how`: by what it is done, in a few words, for `partita doctor`.
    `storm`: how random schedules draw it; None: not at all.
    `heal`: the shell lines by which a host undoes it alone. They take no arguments, run in
    a shell of their own, do no harm where nothing is to be undone, and fail if they could not.
    """

    strikes: Strikes
    stacks: Literal["replace", "add", "alone"] = "add"
    silences: bool = False
    restarts: bool = False
    needs_store: bool = False
    momentary: bool = False
    own_disk: str = ""
    survives_restart: bool = True
    spoils: bool = False
    needs: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    target: str = ""
    how: str = ""
    storm: Storm | None = None
    heal: str = ""


class Fault(Protocol):
    """Something that is done to hosts or processes, and undone again."""

    @property
    def name(self) -> str:
        """As in a schedule. A class attribute, like `traits`."""

    @property
    def traits(self) -> Traits: ...

    def lacks(self, host: Host) -> str | None:
        """Say in one line what the host lacks for it, and the fix; None if nothing.

        Found out before the run, by doing the thing where it disturbs nobody.
        """

    def begin(self, scene: Scene, scope: Scope) -> None:
        """Let it be in force on the whole scope. `end` follows, whatever this raises."""

    def prove(self, scene: Scene, scope: Scope) -> Mapping[str, Any]:
        """Measure, right after it began, whether it bit (`"bit"`), and how that shows."""

    def lasted(self, scene: Scene, scope: Scope) -> Lasted:
        """Look, right before it ends, whether it is still in force, and what it counted."""

    def end(self, scene: Scene, scope: Scope) -> None:
        """Undo it on the scope, which for nodes may be a part of what it struck."""


TimesToLive = Annotated[
    float, Setting("How long it lasts, in times to live of a session.", least=0.1, most=100)
]


@runtime_checkable
class HasLength(Protocol):
    """A fault that knows for how long it is to be in force."""

    def lasts(self, session_s: float | None) -> float | None:
        """Return the seconds after which it is to be ended, None: when the schedule says so.

        `session_s` is for how long a session of a client lives that is not renewed, if it is known.
        """


@runtime_checkable
class HasBounds(Protocol):
    """A fault that cannot be done to any number of nodes."""

    def refuses(self, struck: int, nodes: int) -> str | None:
        """Say why it cannot be done to so many of so many nodes; None if it can."""


@runtime_checkable
class HasDemands(Protocol):
    """A fault that asks for something by name which the system may not have."""

    def misses(self, store: Any, host: Host) -> str | None:
        """Say what the system does not have that it asks for, None if nothing."""


@runtime_checkable
class HasPreparation(Protocol):
    """A fault that needs something on the hosts which takes too long to be brought in mid-run."""

    def prepare(self, scene: Scene) -> None:
        """Bring it to all hosts, before the load begins."""
