"""A program on a client node as the controller sees it: asked over SSH, many calls at once.

A program may be frozen for as long as a fault wants. So nothing here has a time-out: a call ends
when the program answers it, or is gone. Who must not wait for ever asks `back_since`.
"""

import itertools
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import paramiko

from partita.harness.clients import wire
from partita.harness.clients.clocks import Clock
from partita.workloads.client import Indefinite

log = logging.getLogger(__name__)

PING_S = 0.25
AWAY_S = 1.0  # a program that does not answer for so long is frozen, or as good as that
Hear = Callable[[wire.Line], None]


class Program:
    """A program that runs at the other end of `channel`, and ends with it."""

    def __init__(self, name: str, channel: paramiko.Channel, clock: Clock) -> None:
        self.clock = clock
        self._name = name
        self._channel = channel
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # of what follows, and of writing
        self._pending: dict[int, Future[wire.Line]] = {}
        self._hears: dict[int, Hear] = {}
        self._gone: str | None = None
        self._pinged: float | None = None  # since when it owes an answer
        self._back = time.monotonic()
        threading.Thread(target=self._listen, daemon=True).start()

    def greet(self, **first: Any) -> wire.Line:
        """Send the first line, which it waits for, and look from now on whether it gets to run."""
        answer = self.ask(**first)
        threading.Thread(target=self._ping, daemon=True).start()
        return answer

    @property
    def gone(self) -> str | None:
        """Why nothing can be asked of it any more, None as long as it is there."""
        return self._gone

    def back_since(self) -> float:
        """Return since when it has got to run, on time.monotonic's clock: now if it does not."""
        now, pinged = time.monotonic(), self._pinged
        if pinged is not None and now - pinged > AWAY_S and self._gone is None:
            self._back = now
        return self._back

    def begun(self, **request: Any) -> "Future[wire.Line]":
        """Ask for something, and return what will have the answer."""
        future: Future[wire.Line] = Future()
        number = next(self._numbers)
        line = wire.encoded({"id": number, **request})
        with self._lock:
            if self._gone is not None:
                raise Indefinite(self._gone)
            self._pending[number] = future
            try:
                self._channel.sendall(line)
            except (OSError, EOFError, paramiko.SSHException) as error:
                del self._pending[number]
                raise Indefinite(f"the connection to {self._name} broke: {error}") from error
        return future

    def ask(self, **request: Any) -> wire.Line:
        """Ask for something and wait for the answer. Raises `Indefinite` if it is gone."""
        return self.begun(**request).result()

    def hear(self, client: int, hear: Hear) -> None:
        """Let each event of a client be told to `hear`."""
        with self._lock:
            self._hears[client] = hear

    def close(self) -> None:
        """End it, by closing its standard input; never raises."""
        with suppress(Exception):
            self._channel.shutdown_write()
        self._end(f"the program on {self._name} was ended")

    def _listen(self) -> None:
        rest = b""
        try:
            while block := self._channel.recv(1 << 16):
                *lines, rest = (rest + block).split(b"\n")
                for line in lines:
                    self._heard(wire.decoded(line))
        except Exception as error:  # a line that is none, too: the rest cannot be trusted either
            log.warning("%s: %r", self._name, error)
        self._end(f"the program on {self._name} ended")

    def _heard(self, line: wire.Line) -> None:
        if line.get("type") == "event":
            if (hear := self._hears.get(line["client"])) is not None:
                hear(line)
            return
        with self._lock:
            future = self._pending.pop(line["id"], None)
        if future is not None:
            future.set_result(line)

    def _end(self, reason: str) -> None:
        with self._lock:
            self._gone = self._gone or reason
            pending, self._pending = self._pending, {}
        for future in pending.values():
            future.set_exception(Indefinite(self._gone))
        with suppress(Exception):
            self._channel.close()

    def _ping(self) -> None:
        with suppress(Indefinite):
            while self._gone is None:
                self._pinged = asked = time.monotonic()
                answer = self.ask(f="ping")
                heard = time.monotonic()
                self.back_since()
                self._pinged = None
                self.clock.learn(asked, answer["value"] / 1e9, heard)
                time.sleep(PING_S)
