"""Locks taken, held and given back, and what becomes of the thing that each one protects.

The thing is a list. Its holder adds elements to it, and each addition is a read and then a write
that replaces what was read. Both are told as they happen, so that the check can follow what a
fence would have refused, and what was lost without one (docs/coordination.md). A holder goes on
with its plan whatever it is told meanwhile, since that is what is to be measured: how long it
believed, by which rule, is for the check to say.
"""

import itertools
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Annotated, Any

from partita.checker.holders.holders import Belief, Holders
from partita.checker.settings import Setting
from partita.workloads.capabilities.locks import Locks
from partita.workloads.client import Answer, Client, HasLive, HasPresence, Tell, answer_of
from partita.workloads.workload import Operation, Wait

# What is left of an operation's time for the rest of it, when nobody waits for the lock any more.
REST = 0.25


@dataclass(frozen=True, slots=True)
class Held:
    """What a worker holds: a lock, with the token of its grant, by a client."""

    client: Client
    key: str
    token: int


class Lock:
    """Locks with a thing that each protects; one at a time holds each."""

    name = "lock"
    capability = "locks"
    operations: Mapping[str, Operation] = {
        "acquire": Operation(takes=True),
        "release": Operation(gives=True),
    }
    client_nodes = 2

    def __init__(
        self,
        locks: Annotated[int, Setting("Locks.", least=1, most=1000)] = 2,
        ttl: Annotated[
            float,
            Setting("Seconds that a session lives unrenewed, as asked for.", least=0.1, most=3600),
        ] = 4.0,
        wait: Annotated[
            float, Setting("Most seconds to wait for a lock.", least=0.05, most=3600)
        ] = 3.0,
        hold: Annotated[
            float, Setting("Seconds for which a lock is held.", least=0.0, most=3600)
        ] = 0.6,
        additions: Annotated[
            int, Setting("Elements that are added while it is held.", least=0, most=1000)
        ] = 3,
        belief: Annotated[
            Belief, Setting("The rule by which a holder stops believing, for --max-overlap.")
        ] = "told",
    ) -> None:
        self.locks = [f"lock{number}" for number in range(locks)]
        self.ttl, self.wait, self.hold, self.additions = ttl, wait, hold, additions
        self.checks = (Holders(belief),)
        self._elements = itertools.count()
        self._mine = threading.local()  # what this worker holds, and how long it rests

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        """Draw for the worker that asks: who holds a lock gives it back, others take one."""
        self._mine.rest = random.random() * self.hold
        held: Held | None = getattr(self._mine, "held", None)
        if held is not None:
            return "release", held.key, None
        return "acquire", self.locks[int(random.random() * len(self.locks))], None

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Any, f: str, key: str, value: Any, until: float) -> Answer:
        self._mine.held = None
        if f == "release":
            return answer_of(client.release(key))
        return self._acquire(client, key, until)

    def final(self) -> Iterable[tuple[str, str]]:
        return ()

    def between(self, client: Client | None, tell: Tell, wait: Wait) -> None:
        held: Held | None = getattr(self._mine, "held", None)
        if held is not None and client is held.client:
            self._use(held, tell, wait)
        else:
            self._mine.held = None
            wait(self._mine.rest)

    def _acquire(self, client: Locks, key: str, until: float) -> Answer:
        if isinstance(client, HasLive):
            client.live(self.ttl)
        left = until - time.monotonic()
        answer = client.acquire(key, max(0.0, min(self.wait, left * (1 - REST))))
        self._mine.held = Held(client, key, answer.version)
        return answer

    def _use(self, held: Held, tell: Tell, wait: Wait) -> None:
        """Add to the list, until all is added, or the load is over.

        Between a read and its write lies most of the time: what happens then is lost.
        """
        step = self.hold / max(1, self.additions)
        if not self.additions:
            wait(step)
        for _ in range(self.additions):
            _access(held, None, tell)
            if wait(0.8 * step):
                return
            _access(held, next(self._elements), tell)
            if wait(0.2 * step):
                return


def _access(held: Held, value: int | None, tell: Tell) -> None:
    """Read the list (None), or write it with an element more; not while the client is frozen."""
    if isinstance(held.client, HasPresence):
        held.client.present()
    tell("resource", value, key=held.key, version=held.token)
