"""Locks (and elections) in the tests' own memory, which may make one of the usual mistakes."""

import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

from partita.workloads.client import Answer, Indefinite, Refused, Tell


class Service:
    """Locks by key, each held by one session, whose time to live runs from its grant.

    `mistake` "shares": everybody is granted every lock.
    """

    def __init__(self, mistake: str = "", ttl: float | None = None) -> None:
        self.mistake, self.ttl = mistake, ttl
        self.tokens = itertools.count(1)
        self.changed = threading.Condition()
        self.holders: dict[str, tuple[int, float]] = {}  # token, and when the grant is over

    def acquire(self, key: str, wait: float) -> int | None:
        deadline = time.monotonic() + wait
        with self.changed:
            while not self._free(key):
                if not self.changed.wait(min(0.01, max(0.0, deadline - time.monotonic()))) and (
                    time.monotonic() > deadline
                ):
                    return None
            token = next(self.tokens)
            over = time.monotonic() + self.ttl if self.ttl else float("inf")
            self.holders[key] = token, over
            return token

    def release(self, key: str, token: int) -> None:
        with self.changed:
            if self.holders.get(key, (None,))[0] == token:
                del self.holders[key]
            self.changed.notify_all()

    def _free(self, key: str) -> bool:
        held = self.holders.get(key)
        return self.mistake == "shares" or held is None or held[1] < time.monotonic()


class Locks:
    """A client of it. `frozen()` says whether its program is; it may lose it altogether."""

    numbers = itertools.count(1)

    def __init__(
        self, service: Service, frozen: Callable[[], bool] = lambda: False, lost: bool = False
    ) -> None:
        self.service, self.frozen, self.lost = service, frozen, lost
        self.session = ""
        self.held: dict[str, int] = {}
        self.asked_ttl = 0.0
        self.closed = False

    def listen(self, tell: Tell) -> None:
        self.tell = tell

    def live(self, ttl: float) -> None:
        self.asked_ttl = ttl

    def present(self) -> None:
        if self.lost:
            raise Indefinite("its program is gone")
        while self.frozen():
            time.sleep(0.005)

    def acquire(self, key: str, wait: float) -> Answer:
        sent = time.monotonic()
        token = self.service.acquire(key, wait)
        if token is None:
            raise Refused(f"not granted in {wait:g} s")
        self.held[key] = token
        self.session = f"s{next(self.numbers)}"  # a session for each grant
        said: dict[str, Any] = {"session": self.session}
        if self.service.ttl:
            said["ttl"] = self.service.ttl
            self.tell("beat", True, sent=sent, **said)
        return Answer(version=token, fields=said)

    def release(self, key: str) -> None:
        self.present()
        self.service.release(key, self.held.pop(key))

    def close(self) -> None:
        self.closed = True
        self.tell("close", True, sent=time.monotonic(), session=self.session)
        for key, token in self.held.items():
            self.service.release(key, token)


class Elections:
    """A client of elections over the same locks; `mistake` "renames": two lead in one term."""

    def __init__(self, service: Service, names: dict[int, str], mistake: str = "") -> None:
        self.locks, self.names, self.mistake = Locks(service), names, mistake

    def listen(self, tell: Tell) -> None:
        self.locks.listen(tell)

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        answer = self.locks.acquire(key, wait)
        self.names[answer.version] = name
        return answer

    def resign(self, key: str) -> None:
        self.locks.release(key)

    def observe(self, key: str) -> Answer:
        held = self.locks.service.holders.get(key)
        if held is None or held[0] not in self.names:
            return Answer(None)
        name = "somebody else" if self.mistake == "renames" else self.names[held[0]]
        return Answer(name, held[0])

    def close(self) -> None:
        self.locks.close()
