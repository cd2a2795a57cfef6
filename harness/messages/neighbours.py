"""Whom each node is told to talk to, before anything else is asked of it."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from partita.harness.messages.calls import NOT_SUPPORTED, Caller, Fault
from partita.workloads.client import Definite, Indefinite

# What a node lives as: another object after each start.
Life = Callable[[str], object]


class Neighbours:
    """Tells each node its neighbours, once in each of its lives, by the first client that comes.

    Not more often: a node may take that for a reason to send everything again.
    """

    def __init__(self, topology: Mapping[str, Sequence[str]], life: Life) -> None:
        self._topology, self._life = topology, life
        self._told: dict[str, object] = {}
        self._telling: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def tell(self, caller: Caller, node: str) -> None:
        """See to it that a node knows. Raises `Definite` if it does not answer."""
        with self._telling[node]:
            life = self._life(node)
            if self._told.get(node) is life:
                return
            try:
                body = {"type": "topology", "topology": self._topology}
                caller.call(node, body, optional=True)
            except (Fault, Indefinite) as error:
                # A node need not want to know.
                if not isinstance(error, Fault) or error.code != NOT_SUPPORTED:
                    raise Definite(f"the node did not take its topology: {error}") from error
            self._told[node] = life
