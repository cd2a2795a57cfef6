"""A client of nodes that speak in messages: it sends a request and waits for the answer."""

import itertools
import queue
import threading
import time
from typing import Any

import msgspec

from partita.harness.messages.router import Router
from partita.workloads.client import Definite, Indefinite, Refused

# Of the protocol's errors, those after which the request certainly has no effect.
DEFINITE = {1, 10, 11, 12, 14, 20, 21, 22, 30}
NOT_SUPPORTED, NO_KEY, PRECONDITION, CONFLICT = 10, 20, 22, 30


class Fault(Exception):
    """The node answered with an error: its code, and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"error {code}: {text}" if text else f"error {code}")
        self.code = code


class Caller:
    """One client, with a name of its own; used by one thread at a time."""

    _numbers = itertools.count(1)
    _counting = threading.Lock()

    def __init__(self, router: Router, timeout: float) -> None:
        with self._counting:
            self.name = f"c{next(self._numbers)}"
        self._router, self._timeout = router, timeout
        self._ids = itertools.count(1)
        self._came: queue.SimpleQueue[msgspec.Raw] = queue.SimpleQueue()
        router.attach(self.name, lambda src, body: self._came.put(body))

    def call(self, node: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a request and return the body of its answer.

        Raises `Fault` for an error of the node's, and `Indefinite` if no answer comes in time.
        """
        number, deadline = next(self._ids), time.monotonic() + self._timeout
        self._router.send(self.name, node, body | {"msg_id": number})
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = msgspec.json.decode(self._came.get(timeout=left))
            except queue.Empty:
                break
            # One that is late answers a request that was given up.
            if isinstance(answer, dict) and answer.get("in_reply_to") == number:
                return _looked_at(answer, str(body["type"]))
        raise Indefinite("no answer in time")

    def ask(self, node: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do `call`, with errors as a client of a store raises them."""
        try:
            return self.call(node, body)
        except Fault as error:
            raise as_outcome(error) from error


def as_outcome(error: Fault) -> Definite | Indefinite:
    """Return what an error means: that nothing happened, or that nobody knows."""
    return Refused(str(error)) if error.code in DEFINITE else Indefinite(str(error))


def _looked_at(answer: dict[str, Any], asked: str) -> dict[str, Any]:
    kind = answer.get("type")
    if kind == "error":
        code = answer.get("code")
        raise Fault(code if isinstance(code, int) else 13, str(answer.get("text", "")))
    if kind != f"{asked}_ok":
        raise Indefinite(f"{asked} was answered by {kind!r}")
    return answer
