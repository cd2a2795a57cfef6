"""A session that is renewed in the background, as libraries do it; each renewal is told.

What a session is differs from store to store (`etcd_sessions.py`, `consul_sessions.py`); that it
must be renewed well before its time to live is over does not.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from partita.workloads.client import Answer, Definite, Indefinite, Refused, Tell

# A renewal comes three times in a time to live, as in most libraries, and sooner after a failure.
TIMES = 3
AGAIN_S = 0.5


class Over(Definite):
    """The store says that the session is over."""


class Session(Protocol):
    """A session of a store's, which was opened when `opened` (time.monotonic) was sent.

    `ttl` is in seconds, as the store granted it. `said` is what each line of the history that is
    about the session says of it (docs/coordination.md).
    """

    @property
    def name(self) -> str: ...

    @property
    def ttl(self) -> float: ...

    @property
    def opened(self) -> float: ...

    @property
    def said(self) -> Mapping[str, Any]: ...

    def beat(self) -> None:
        """Renew it. Raises `Over`, `Definite` if it was not sent, `Indefinite` if nobody knows."""

    def end(self) -> None:
        """End it, and what hangs on it. Raises `Definite` or `Indefinite`."""

    def close(self) -> None:
        """Let the connection go."""


class Renewals:
    """Renews a session in a thread of its own until it is over, or until `close`.

    Everything is told: that it was opened, each renewal, that it is lost, and its end.
    """

    def __init__(self, session: Session, tell: Tell) -> None:
        self.session = session
        self.lost = False  # the store said that it is over
        self._tell = tell
        self._ended = threading.Event()
        self._told("beat", True, session.opened)
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the session, if it is not lost; takes as long at most as two of its requests."""
        self._ended.set()
        self._thread.join()
        if not self.lost:
            self._end()
        self.session.close()

    def _end(self) -> None:
        sent = time.monotonic()
        try:
            self.session.end()
        except (Definite, Indefinite):
            self._told("close", None, sent)
        else:
            self._told("close", True, sent)

    def _renew(self) -> None:
        usual = pause = self.session.ttl / TIMES
        while not self.lost and not self._ended.wait(pause):
            pause = usual if self._beat() else min(usual, AGAIN_S)

    def _beat(self) -> bool:
        sent = time.monotonic()
        try:
            self.session.beat()
        except Over:
            self.lost = True
            self._told("beat", False, sent)
            self._tell("told", session=self.session.name)
        except Indefinite:
            self._told("beat", None, sent)
        except Definite:  # it was not sent, so that there is nothing to tell
            pass
        else:
            self._told("beat", True, sent)
            return True
        return False

    def _told(self, f: str, value: bool | None, sent: float) -> None:
        self._tell(f, value, sent=sent, **self.session.said)


AnySession = TypeVar("AnySession", bound=Session)


class OwnSession(Generic[AnySession]):
    """The session of a client: opened when it is first needed, and followed by another if lost.

    `make` opens one that lives so many seconds, as asked for.
    """

    def __init__(self, make: Callable[[float], AnySession], ttl: float = 10.0) -> None:
        self.ttl = ttl
        self._make = make
        self._tell: Tell = _nobody
        self._renewals: Renewals | None = None
        self._session: AnySession | None = None

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def get(self) -> AnySession:
        """Return the session, a new one if there is none. Raises `Definite` if that fails."""
        if self._renewals is not None and self._renewals.lost:
            self.close()
        if self._session is None:
            self._session = self._make(self.ttl)
            self._renewals = Renewals(self._session, self._tell)
        return self._session

    def close(self) -> None:
        """End the session, if there is one."""
        renewals, self._renewals, self._session = self._renewals, None, None
        if renewals is not None:
            renewals.close()


class AskedSession(Generic[AnySession]):
    """The session of a client of leases, which opens, renews and ends it when it is asked to."""

    def __init__(self) -> None:
        self._session: AnySession | None = None

    def open(self, make: Callable[[], AnySession]) -> Answer:
        """Leave the session that there is, and open another one."""
        self.leave()
        self._session = make()
        return Answer(fields=self._session.said)

    def get(self) -> AnySession:
        """Return the session. Raises `Refused` if there is none."""
        if self._session is None:
            raise Refused("no session is open")
        return self._session

    def beat(self) -> Answer:
        session = self.get()
        session.beat()
        return Answer(fields=session.said)

    def end(self) -> Answer:
        """End the session, and let it go whatever comes of that."""
        session = self.get()
        self._session = None
        try:
            session.end()
        finally:
            session.close()
        return Answer(fields=session.said)

    def leave(self) -> None:
        """Let the session go without a word, if there is one."""
        session, self._session = self._session, None
        if session is not None:
            session.close()


def _nobody(f: str, /, value: Any = None, **fields: Any) -> None:
    """Tell nobody."""
