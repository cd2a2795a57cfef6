"""A session in ZooKeeper: ephemeral znodes live as long as it does.

kazoo renews it by itself. A server that is cut off from its leader answers such a renewal too,
though the leader does not hear of it: a server tells the leader which sessions it heard of when
the leader asks, twice a tick. What a `sync` brings back, which comes to the leader and back, says
that what was heard before the last one has been told. Only that counts as renewed.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from kazoo.client import KazooClient
from kazoo.protocol.serialization import Close
from kazoo.protocol.states import KazooState
from kazoo.retry import KazooRetry

from partita.harness.systems.zookeeper_answers import ROOT, UNSURE
from partita.harness.systems.zookeeper_network import Ears, Heard, listen
from partita.workloads.client import Definite, Indefinite, Tell

# How often it is asked what the leader knows, in times to live. Each request takes the place of
# a ping, and kazoo must go on to ping.
EVERY = 0.375


class ZooKeeperSession:
    """Opens a session of `ttl` seconds, or what ZooKeeper makes of it; it is never replaced.

    `hosts` are as kazoo takes them. Raises `Definite` if there is none after `timeout` seconds.
    """

    def __init__(self, hosts: str, ttl: float, timeout: float, tell: Tell) -> None:
        self._tell, self._timeout = tell, timeout
        self._over, self._closed = threading.Event(), threading.Event()
        retry = KazooRetry(max_tries=-1, delay=0.05, backoff=1.5, max_delay=0.5)
        self.kazoo = KazooClient(hosts, timeout=ttl, connection_retry=retry)
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
        while not self._over.wait(EVERY * self.said["ttl"]):
            sent = time.monotonic()
            try:
                self.kazoo.sync_async(ROOT).get(timeout=self.said["ttl"])
            except UNSURE:
                continue
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


def granted_s(heard: Heard) -> float:
    """Return the time to live that the server granted."""
    return heard.granted_ms / 1000.0
