"""Locks, elections, leases and watches by a client program of the user's: see `program.py`.

Each call is a request, named as the operation is in a history (docs/coordination.md). What the
program learns beside its answers it prints as events.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from partita.harness.systems.program import ProgramClient, answered
from partita.workloads.client import Answer, Definite, Indefinite, Refused, Tell

CAPABILITIES = ("elections", "leases", "locks", "watches")


class CoordinationProgram:
    """A client of each of these capabilities; the program knows the requests of those it has."""

    def __init__(self, program: ProgramClient) -> None:
        self._program = program
        self._ttl: Mapping[str, float] = {}

    def listen(self, tell: Tell) -> None:
        self._program.listen(tell)

    def live(self, ttl: float) -> None:
        self._ttl = {"ttl": ttl}

    # --- locks and elections ---------------------------------------------------------------

    def acquire(self, key: str, wait: float) -> Answer:
        return self._ask("acquire", key, {"wait": wait, **self._ttl})

    def release(self, key: str) -> Answer:
        return self._ask("release", key)

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        return self._ask("campaign", key, {"name": name, "wait": wait, **self._ttl})

    def resign(self, key: str) -> Answer:
        return self._ask("resign", key)

    def observe(self, key: str) -> Answer:
        return self._ask("observe", key)

    # --- leases ----------------------------------------------------------------------------

    def open(self, ttl: float) -> Answer:
        return self._ask("open", None, {"ttl": ttl})

    def beat(self) -> Answer:
        return self._ask("beat")

    def close_session(self) -> Answer:
        return self._ask("close")

    def ephemeral(self, key: str, value: str) -> Answer:
        return self._ask("ephemeral", key, value)

    def look(self, key: str) -> Answer:
        return self._ask("look", key)

    def list(self, prefix: str) -> Answer:
        return self._ask("list", prefix)

    # --- watches, and what leases share with them -------------------------------------------

    def delete(self, key: str) -> Answer:
        return self._ask("delete", key)

    def write(self, key: str, value: str) -> Answer:
        return self._ask("write", key, value)

    def read(self, key: str) -> Answer:
        return self._ask("read", key)

    def watch(self, stream: str, prefix: str, since: int) -> Answer:
        return self._ask("watch", prefix, {"stream": stream, "since": since})

    def unwatch(self, stream: str) -> None:
        with suppress(Definite, Indefinite):
            self._ask("unwatch", None, {"stream": stream})

    def close(self) -> None:
        self._program.close()

    def _ask(self, f: str, key: str | None = None, value: Any = None) -> Answer:
        # Its session lives on, whatever the program says that it did not do.
        return answered(self._program.ask(f, key, value, refused=Refused))
