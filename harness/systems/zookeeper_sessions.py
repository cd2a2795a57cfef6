"""A session in ZooKeeper: ephemeral znodes live as long as it does.

kazoo renews it by itself. A server that is cut off from its leader answers such a renewal too,
though the leader does not hear of it: a server tells the leader which sessions it heard of when
the leader asks, twice a tick. What a `sync` brings back, which comes to the leader and back, says
that what was heard before the last one has been told. Only that counts as renewed.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kazoo.client import KazooClient
from kazoo.protocol.serialization import Close
from kazoo.protocol.states import KazooState

from partita.harness.systems.zookeeper_answers import ROOT, UNSURE, kazoo_for
from partita.harness.systems.zookeeper_network import Ears, Heard, listen
from partita.workloads.client import Definite, Indefinite, Tell

# How often it is asked what the leader knows, in times to live. Each request takes the place of
# a ping, and kazoo, which pings after a third, must go on to ping: who never does learns late that
# the connection is dead.
EVERY = 0.375


class ZooKeeperSession:
    """Opens a session of `ttl` seconds, or what ZooKeeper makes of it; it is never replaced.

    `hosts` are as kazoo takes them. Raises `Definite` if there is none after `timeout` seconds.
    """

    def __init__(self, hosts: str, ttl: float, timeout: float, tell: Tell) -> None:
        self._tell, self._timeout = tell, timeout
        self._over, self._closed = threading.Event(), threading.Event()
        self.kazoo = kazoo_for(hosts, ttl)
        heard = listen(self.kazoo, Ears(answered=self._answered))
        self.kazoo.add_listener(self._changed)
        sent = time.monotonic()
        if not self.kazoo.start_async().wait(timeout):
            self._let_go()
            raise Definite("no session: the server does not serve")
        name = f"{self.kazoo.client_id[0]:#x}"
        self.said: dict[str, Any] = {"session": name, "ttl": granted_s(heard)}
        threading.Thread(target=self._look_after, args=(sent,), daemon=True).start()

    def end(self) -> None:
        """Close it. Raises `Definite` or `Indefinite`."""
        if not self.kazoo.connected:
            self.leave()
            raise Definite("not connected")
        self._over.set()
        threading.Thread(target=self._stop, daemon=True).start()
        if not self._closed.wait(self._timeout):
            self._told(None, time.monotonic())
            raise Indefinite("timeout")

    def leave(self) -> None:
        """Leave it alone: it is renewed no more, and nobody closes it."""
        if not self._over.is_set():
            self._over.set()
            self._let_go()
            self._told(None, time.monotonic())

    def _let_go(self) -> None:
        """Take kazoo off the network without a word, so that nothing can arrive any more."""
        self.kazoo._stopped.set()
        connection = self.kazoo._connection._socket
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        threading.Thread(target=self._stop, daemon=True).start()

    def _stop(self) -> None:
        with suppress(Exception):
            self.kazoo.stop()
            self.kazoo._safe_close()  # what stop() does, unless it takes itself for stopped
            self.kazoo.close()

    def _look_after(self, before: float) -> None:
        for sent in synced(self.kazoo, self.said["ttl"], self._over):
            if not self._over.is_set():
                self._told(True, before)
            before = sent

    # What follows is called on the thread of the network.

    def _answered(self, request: Any, answer: Any, error: int) -> None:
        if isinstance(request, Close) and not error:
            self._closed.set()

    def _changed(self, state: Any) -> None:
        """A session that was lost has no other after it: nobody has opened that one."""
        if state == KazooState.LOST and not self._over.is_set():
            self._over.set()
            self.kazoo._stopped.set()
            self._told(False, time.monotonic())

    def _told(self, value: bool | None, sent: float) -> None:
        if hasattr(self, "said"):
            self._tell("beat", value, sent=sent, **self.said)


def synced(kazoo: KazooClient, ttl: float, over: threading.Event) -> Iterator[float]:
    """Send a `sync` again and again until it is over; yield when each one was sent that came back.

    By then the leader has been told of what was heard of the session before the last of them.
    """
    while not over.wait(EVERY * ttl):
        sent = time.monotonic()
        try:
            kazoo.sync_async(ROOT).get(timeout=ttl)
        except UNSURE:
            continue
        yield sent


def granted_s(heard: Heard) -> float:
    """Return the time to live that the server granted."""
    return heard.granted_ms / 1000.0
