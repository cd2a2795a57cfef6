"""What a workload is: operations, then what each client call does, then how it is checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, runtime_checkable

from partita.checker.checks import Check
from partita.workloads.client import Client, Tell

# Waits so many seconds, and says whether the load is over.
Wait = Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Operation:
    """What must be known about an operation, by its f.

    `reads`: it only reads, so that one that failed had no effect, whatever the reason. `answers`:
    its completion carries what came back, not what was invoked (what reads does, always).
    `needed`: a run in which none of it succeeded has shown nothing. `takes`: who succeeds holds
    something, until it invokes what `gives` it back.
    """

    reads: bool = False
    answers: bool = False
    needed: bool = True
    takes: bool = False
    gives: bool = False


class Workload(Protocol):
    """What is asked of the store. What its constructor takes are its options.

    `name` stands on the command line, `capability` is what a system must offer (`partita list
    capabilities`), `operations` are all that may be invoked.
    """

    name: str
    capability: str
    operations: Mapping[str, Operation]

    @property
    def checks(self) -> Sequence[Check]:
        """How the history is judged: the first one's counterexample is shown first."""

    def draw(self, random: Random, number: int) -> tuple[str, str | None, Any]:
        """Draw the next operation: f, key, input. `number` is given to no other draw.

        The key is None for what is about several keys.
        """

    def prepare(self, f: str, key: Any, value: Any) -> Any:
        """Return the input as it is to be invoked, decided as late as possible."""

    def invoke(self, client: Any, f: str, key: Any, value: Any, until: float) -> Any:
        """Carry one operation out before `until` (time.monotonic); return its output.

        The output may be an `Answer`. Raises `Definite`, `Indefinite`, or whatever the client
        raises.
        """

    def final(self) -> Iterable[tuple[str, str | None]]:
        """Return the reads (f, key) that each node is asked for when all is healed."""


@runtime_checkable
class HasBetween(Protocol):
    """A workload whose clients go on between two operations: they use what they hold, or rest.

    So its operations come one after the other, as soon as they can, and have no rate.
    """

    def between(self, client: Client | None, tell: Tell, wait: Wait) -> None:
        """Do what comes after an operation, in the thread of its worker, whatever came of it.

        `client` is None where the operation cost the connection. What raises `Indefinite` costs
        it, too.
        """


@runtime_checkable
class HasClientNodes(Protocol):
    """A workload whose clients are to live on nodes of their own, where faults can strike them."""

    client_nodes: int  # how many, if nothing else is asked for


@runtime_checkable
class HasTtl(Protocol):
    """A workload whose clients have sessions, which the store ends if they are not renewed."""

    ttl: float  # the seconds that a session is asked to live


@runtime_checkable
class HasLastKeys(Protocol):
    """A workload that says by which keys nodes are compared in the end, as `final` does not.

    What is written under them is written once.
    """

    def last_keys(self) -> Sequence[Any]:
        """Return the keys, once the load is over."""


@runtime_checkable
class HasStay(Protocol):
    """A workload whose clients are told things until the very end of the run.

    If `stays`, no client is closed when its load is over or when it has done its final reads.
    """

    stays: bool


def stays(workload: Workload) -> bool:
    """Say whether the clients of a workload stay until the run is over."""
    return isinstance(workload, HasStay) and workload.stays
