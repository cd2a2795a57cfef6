"""A session of kazoo's for recipes: what kazoo says of it is told, and what is known of its life.

kazoo renews a session by itself and says nothing of it: what counts as renewed is as
`zookeeper_sessions.py` says. A session that is lost is followed by another one here.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import Any, NoReturn, TypeVar

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState
from kazoo.recipe.lock import Lock

from partita.harness.systems.zookeeper_answers import UNSURE, kazoo_for, said
from partita.harness.systems.zookeeper_sessions import synced
from partita.workloads.client import Definite, Indefinite, Refused, Tell

# Two and twenty ticks: what ZooKeeper makes of a time to live that is shorter or longer, with the
# configuration that it is started with here. kazoo does not say what was granted.
TICK_S = 2.0
LEAST_TTL_S, MOST_TTL_S = 2 * TICK_S, 20 * TICK_S
Result = TypeVar("Result")


class LockSession:
    """Connects when it is first needed; `hosts` are as kazoo takes them."""

    def __init__(self, hosts: str, timeout: float) -> None:
        self.ttl = 10.0
        self.kazoo: KazooClient | None = None
        self._hosts, self._timeout = hosts, timeout
        self._tell: Tell | None = None
        self._name = ""
        self._granted = self.ttl
        self._since = 0.0  # before the session was opened
        self._closed = threading.Event()

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    @property
    def said(self) -> dict[str, Any]:
        """What each line of the history that is about the session says of it."""
        return {"session": self._name, "ttl": self._granted}

    def get(self) -> KazooClient:
        """Return a client that is connected. Raises `Definite` if there is none."""
        if self.kazoo is None:
            self._open()
        assert self.kazoo is not None
        if not self.kazoo.connected:
            raise Definite("not connected")
        return self.kazoo

    def close(self) -> None:
        """End the session without waiting for a server that may not answer."""
        self._closed.set()
        kazoo, self.kazoo = self.kazoo, None
        if kazoo is None:
            return
        self._told("close", None, time.monotonic())

        def let_go() -> None:
            with suppress(Exception):
                kazoo.stop()
                kazoo.close()

        threading.Thread(target=let_go, daemon=True).start()

    def _open(self) -> None:
        self._granted = min(max(self.ttl, LEAST_TTL_S), MOST_TTL_S)
        self._since = time.monotonic()
        kazoo = kazoo_for(self._hosts, self._granted)
        # kazoo calls it in the thread that reads from the network, as it happens.
        kazoo.add_listener(self._heard)
        self.kazoo = kazoo
        if not kazoo.start_async().wait(self._timeout):
            self.close()
            raise Definite("no session: the server does not serve")
        threading.Thread(target=self._look_after, args=[kazoo], daemon=True).start()

    def _heard(self, state: str) -> None:
        if self._closed.is_set() or self.kazoo is None:
            return
        if state == KazooState.CONNECTED:
            identity = self.kazoo.client_id
            name = "" if identity is None else f"{identity[0]:#x}"
            if name != self._name:
                self._name = name
                self._told("beat", True, self._since)
        elif state == KazooState.SUSPENDED:
            self._event("suspended")
        else:
            self._since = time.monotonic()
            self._event("told")

    def _look_after(self, kazoo: KazooClient) -> None:
        """Ask whether the leader has been told of the session, again and again."""
        name, before = self._name, self._since
        for sent in synced(kazoo, self._granted, self._closed):
            if name == self._name:
                self._told("beat", True, before)
            name, before = self._name, sent

    def _told(self, f: str, value: bool | None, sent: float) -> None:
        if self._tell is not None and self._name:
            self._tell(f, value, sent=sent, **self.said)

    def _event(self, f: str) -> None:
        if self._tell is not None and self._name:
            self._tell(f, session=self._name)


def token_of(kazoo: KazooClient, lock: Lock, seconds: float) -> int:
    """Return the zxid that made the contender's znode. Raises `Indefinite` if that is not known."""
    stat = result_of(begun(lambda: kazoo.exists(f"{lock.path}/{lock.node}")), seconds)
    if stat is None:
        raise Indefinite("it was granted, and its znode is gone already")
    return int(stat.czxid)


def refuse(kazoo: KazooClient, lock: Lock, seconds: float) -> NoReturn:
    """Raise `Refused` for what was not granted, if it is certain that its znode is gone.

    kazoo deletes it, but does not say if it could not.
    """

    def left() -> list[str]:
        kazoo.sync(lock.path)
        return [name for name in kazoo.get_children(lock.path) if name.startswith(lock.prefix)]

    if result_of(begun(left), seconds):
        raise Indefinite("it was given up, and its znode is still there")
    raise Refused("not granted in time")


def begun(action: Callable[[], Result]) -> "Future[Result]":
    """Do something that may take for ever in a thread of its own."""
    future: Future[Result] = Future()

    def work() -> None:
        try:
            future.set_result(action())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def result_of(future: "Future[Result]", seconds: float) -> Result:
    """Wait for what was begun. Raises `Indefinite` if it does not come, or fails."""
    try:
        return future.result(max(0.0, seconds))
    except FutureTimeoutError as error:
        raise Indefinite("timeout") from error
    except UNSURE as error:
        raise Indefinite(said(error)) from error
