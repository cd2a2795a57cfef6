"""A client of nodes that speak in messages: it sends a request and waits for the answer."""

import itertools
import queue
import threading
import time
from collections.abc import Sequence
from typing import Any

import msgspec

from partita.harness.messages.router import Head, Meaningless, Router
from partita.workloads.client import Definite, Indefinite, Refused

# Of the protocol's errors, those after which the request certainly has no effect.
DEFINITE = {1, 10, 11, 12, 14, 20, 21, 22, 30}
NOT_SUPPORTED, NO_KEY, PRECONDITION, CONFLICT = 10, 20, 22, 30


class Fault(Exception):
    """The node answered with an error: its code, and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"error {code}: {text}" if text else f"error {code}")
        self.code = code


class Heard:
    """Which kinds of requests nodes carried out, and which they said not to know (error 10)."""

    def __init__(self) -> None:
        self._done: set[str] = set()
        self._unknown: dict[str, str] = {}

    def note(self, node: str, kind: str, *, known: bool) -> None:
        """Take down an answer; safe to call from several threads."""
        if known:
            self._done.add(kind)
        else:
            self._unknown.setdefault(kind, node)

    def unsupported(self) -> Sequence[str]:
        """Say which kinds of requests no node ever carried out, and one of them said so."""
        return [
            f"{node} does not know the request {kind!r} (error 10): is it made for this workload?"
            for kind, node in self._unknown.items()
            if kind not in self._done
        ]


class Caller:
    """One client, with a name of its own; used by one thread at a time."""

    _numbers = itertools.count(1)
    _counting = threading.Lock()
    _head = staticmethod(msgspec.json.Decoder(Head).decode)

    def __init__(self, router: Router, timeout: float, heard: Heard | None = None) -> None:
        with self._counting:
            self.name = f"c{next(self._numbers)}"
        self._router, self._timeout = router, timeout
        self._heard = heard or Heard()
        self._asked = self._awaited = 0
        # The awaited answer, and perhaps one that came when nobody waited any more.
        self._came: queue.SimpleQueue[msgspec.Raw] = queue.SimpleQueue()
        router.attach(self.name, self._take, client=True)

    def call(self, node: str, body: dict[str, Any], *, optional: bool = False) -> dict[str, Any]:
        """Send a request and return the body of its answer; an optional one nodes need not know.

        Raises `Fault` for an error of the node's, and `Indefinite` if no answer comes in time.
        """
        self._asked = self._awaited = number = self._asked + 1
        deadline = time.monotonic() + self._timeout
        self._router.send(self.name, node, body | {"msg_id": number})
        while (left := deadline - time.monotonic()) > 0:
            try:
                answer = msgspec.json.decode(self._came.get(timeout=left))
            except queue.Empty:
                break
            # One that is late answers the request before.
            if isinstance(answer, dict) and answer.get("in_reply_to") == number:
                return self._looked_at(node, answer, str(body["type"]), optional)
        raise Indefinite("no answer in time")

    def _take(self, node: str, body: msgspec.Raw) -> None:
        """Take one answer to what was asked last, in the router's thread.

        Others that answer what was once asked are late, or come twice.
        """
        number = self._head(body).in_reply_to
        if number is None:
            raise Meaningless("it sent a client what answers nothing")
        if not 0 < number <= self._asked:
            raise Meaningless(f"it answered request {number}, which {self.name} never sent")
        if number == self._awaited:
            self._awaited = 0
            self._came.put(body)

    def ask(self, node: str, body: dict[str, Any]) -> dict[str, Any]:
        """Do `call`, with errors as a client of a store raises them."""
        try:
            return self.call(node, body)
        except Fault as error:
            raise as_outcome(error) from error

    def _looked_at(
        self, node: str, answer: dict[str, Any], asked: str, optional: bool
    ) -> dict[str, Any]:
        kind = answer.get("type")
        if kind == "error":
            code = answer.get("code")
            if code == NOT_SUPPORTED and not optional:
                self._heard.note(node, asked, known=False)
            raise Fault(code if isinstance(code, int) else 13, str(answer.get("text", "")))
        if kind != f"{asked}_ok":
            raise Indefinite(f"{asked} was answered by {kind!r}")
        self._heard.note(node, asked, known=True)
        return answer


def as_outcome(error: Fault) -> Definite | Indefinite:
    """Return what an error means: that nothing happened, or that nobody knows."""
    return Refused(str(error)) if error.code in DEFINITE else Indefinite(str(error))
