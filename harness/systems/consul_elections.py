"""Elections in Consul: a key that the leader's session holds, with the leader's name in it.

That is what Consul's own guide to leader election says. The term is the key's LockIndex.
"""

from partita.harness.systems.connection import decoded
from partita.harness.systems.consul_locks import ConsulLocks
from partita.harness.systems.consul_sessions import PORT
from partita.workloads.client import Answer, Tell


class ConsulElections:
    """A client of elections in Consul; see `ConsulLocks`."""

    def __init__(self, host: str, timeout: float, lock_delay: float, port: int = PORT) -> None:
        self._locks = ConsulLocks(host, timeout, lock_delay, port)

    def listen(self, tell: Tell) -> None:
        self._locks.listen(tell)

    def live(self, ttl: float) -> None:
        self._locks.live(ttl)

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        return self._locks.take(key, name, wait)

    def resign(self, key: str) -> None:
        self._locks.release(key)

    def observe(self, key: str) -> Answer:
        entry = self._locks.look(key)
        if entry is None or "Session" not in entry:
            return Answer(None)
        return Answer(decoded(entry["Value"]), int(entry["LockIndex"]))

    def close(self) -> None:
        self._locks.close()
