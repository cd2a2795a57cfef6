"""Whom each node is told to talk to, before anything else is asked of it."""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from partita.harness.messages.calls import NOT_SUPPORTED, Caller, Fault
from partita.workloads.client import Definite, Indefinite

# What a node lives as: another object after each start.
Life = Callable[[str], object]


class Neighbours:
    """Tells nodes their neighbours, once in each of their lives, by the first client that comes.

    Not more often: a node may take that for a reason to send everything again. Whoever is the very
    first tells all nodes. Else one would hear of messages before it knows whom to tell.
    """

    def __init__(self, topology: Mapping[str, Sequence[str]], life: Life) -> None:
        self._topology, self._life = topology, life
        self._told: dict[str, object] = {}
        self._beginning = threading.Lock()
        self._begun = False
        self._telling: dict[str, threading.Lock] = defaultdict(threading.Lock)

    def tell(self, caller: Caller, node: str) -> None:
        """See to it that a node knows. Raises `Definite` if it does not answer."""
        with self._beginning:
            if not self._begun:
                self._begun = True
                with suppress(Definite):  # its own clients will tell it again
                    for each in self._topology:
                        self._tell(caller, each)
        self._tell(caller, node)

    def _tell(self, caller: Caller, node: str) -> None:
        with self._telling[node]:
            life = self._life(node)
            if life is None or self._told.get(node) is life:
                return
            try:
                body = {"type": "topology", "topology": self._topology}
                caller.call(node, body, optional=True)
            except (Fault, Indefinite) as error:
                # A node need not want to know.
                if not isinstance(error, Fault) or error.code != NOT_SUPPORTED:
                    raise Definite(f"the node did not take its topology: {error}") from error
            self._told[node] = life
