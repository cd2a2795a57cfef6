"""kazoo's `Lock`: a contender's znode among others, and the oldest one holds the lock.

Its token is the zxid that made the contender's znode, which orders all contenders.
"""

from concurrent.futures import wait as wait_for

from kazoo.exceptions import CancelledError, LockTimeout
from kazoo.recipe.lock import Lock

from partita.harness.systems.zookeeper_answers import path_of
from partita.harness.systems.zookeeper_lock_session import (
    LockSession,
    begun,
    refuse,
    result_of,
    token_of,
)
from partita.workloads.client import Answer, Tell

# How much longer than asked for kazoo may take to say that a lock was not granted.
SLOW_S = 0.5


class ZooKeeperLocks:
    """A client of locks in ZooKeeper; calls take `timeout` seconds at most, and what they wait."""

    def __init__(self, hosts: str, timeout: float) -> None:
        self._timeout = timeout
        self._session = LockSession(hosts, timeout)
        self._held: dict[str, Lock] = {}

    def listen(self, tell: Tell) -> None:
        self._session.listen(tell)

    def live(self, ttl: float) -> None:
        self._session.ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        kazoo = self._session.get()
        lock = kazoo.Lock(path_of(key))
        if not _taken(lock, wait):
            refuse(kazoo, lock, self._timeout)
        self._held[key] = lock
        return Answer(version=token_of(kazoo, lock, self._timeout), fields=self._session.said)

    def release(self, key: str) -> None:
        result_of(begun(self._held.pop(key).release), self._timeout)

    def close(self) -> None:
        self._session.close()


def _taken(lock: Lock, wait: float) -> bool:
    """Wait for a lock. kazoo waits anew each time that somebody leaves who came before."""

    def take() -> bool:
        try:
            return bool(lock.acquire(timeout=wait))
        except (LockTimeout, CancelledError):
            return False

    taking = begun(take)
    if not wait_for([taking], wait + SLOW_S).done:
        lock.cancel()
    return result_of(taking, SLOW_S)
