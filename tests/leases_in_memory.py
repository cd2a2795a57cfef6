"""Sessions and their entries in the tests' own memory; ends of sessions are looked for by all."""

import itertools
import threading
import time
from typing import Any

from partita.workloads.client import Answer, Definite, Mismatch, Refused

TTL_S = 0.3


class Sessions:
    """Mistakes: "early" ends sessions too soon, "keeps" leaves entries of closed ones behind,
    "forgets" leaves entries for ever."""

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.lock = threading.RLock()
        self.numbers = itertools.count(1)
        self.until: dict[str, float] = {}
        self.entries: dict[str, tuple[str, int, str]] = {}

    def now(self) -> None:
        """Let the sessions end whose time is over."""
        for name, until in list(self.until.items()):
            if until < time.monotonic():
                self.end(name, leave=self.mistake == "forgets")

    def end(self, name: str, *, leave: bool) -> None:
        if self.until.pop(name, None) is None:
            raise Definite("the session is over")
        if not leave:
            self.entries = {k: each for k, each in self.entries.items() if each[2] != name}


class Client:
    """A client of these sessions."""

    def __init__(self, sessions: Sessions) -> None:
        self.all = sessions
        self.session: str | None = None

    def open(self, ttl: float) -> Answer:
        with self.all.lock:
            self.session = f"s{next(self.all.numbers)}"
            self.renew()
            return self.answer()

    def beat(self) -> Answer:
        with self.all.lock:
            self.all.now()
            if self.mine() not in self.all.until:
                raise Definite("the session is over")
            self.renew()
            return self.answer()

    def renew(self) -> None:
        life = TTL_S / 3 if self.all.mistake == "early" else TTL_S
        self.all.until[self.mine()] = time.monotonic() + life

    def close_session(self) -> Answer:
        with self.all.lock:
            self.all.now()
            self.all.end(self.mine(), leave=self.all.mistake == "keeps")
            answer, self.session = self.answer(), None
            return answer

    def ephemeral(self, key: str, value: str) -> Answer:
        with self.all.lock:
            self.all.now()
            if key in self.all.entries:
                raise Mismatch
            if self.mine() not in self.all.until:
                raise Definite("the session is over")
            revision = next(self.all.numbers)
            self.all.entries[key] = value, revision, self.mine()
            return self.answer(version=revision)

    def delete(self, key: str) -> None:
        with self.all.lock:
            self.all.now()
            if self.all.entries.pop(key, None) is None:
                raise Mismatch

    def look(self, key: str) -> Answer:
        with self.all.lock:
            self.all.now()
            return Answer(*self.all.entries[key][:2]) if key in self.all.entries else Answer(None)

    def list(self, prefix: str) -> Answer:
        with self.all.lock:
            self.all.now()
            return Answer([[key, each[1]] for key, each in self.all.entries.items()])

    def mine(self) -> str:
        if self.session is None:
            raise Refused("no session is open")
        return self.session

    def answer(self, **more: Any) -> Answer:
        fields = {"session": self.mine(), "ttl": TTL_S, "grace": 0.1}
        return Answer(fields=fields, **more)

    def recover(self) -> None: ...

    def close(self) -> None: ...
