"""What a workload is: operations, then what each client call does, then how it is checked."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Protocol

from partita.workloads.append import Append
from partita.workloads.client import Client
from partita.workloads.register import Register


class Workload(Protocol):
    """A workload: what is asked of the store, and with which model the history is checked."""

    @property
    def name(self) -> str:
        """The name on the command line."""

    @property
    def model(self) -> str:
        """The name of the model in `checker`."""

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        """Draw the next operation: f, key, input. `number` is given to no other draw."""

    def prepare(self, f: str, key: str, value: Any) -> Any:
        """Return the input as it is to be invoked, decided as late as possible."""

    def invoke(self, client: Client, f: str, key: str, value: Any, until: float) -> Any:
        """Carry one operation out before `until` (time.monotonic); return a read's output.

        Raises `Definite`, `Indefinite`, or whatever the client raises.
        """

    def final(self) -> Sequence[tuple[str, str]]:
        """Return the reads (f, key) that each node is asked for when all is healed."""


WORKLOADS: Mapping[str, Callable[[int], Workload]] = {"append": Append, "register": Register}
