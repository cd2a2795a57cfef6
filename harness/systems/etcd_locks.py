"""etcd's lock service, used as its clients in Java or Go do: what it answers is believed."""

from partita.harness.systems.etcd_contention import EtcdContention
from partita.harness.systems.etcd_gateway import PORT
from partita.workloads.client import Answer, Tell


class EtcdLocks:
    """A client of locks in etcd; calls take `timeout` seconds at most, and as long as they wait."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._contention = EtcdContention(host, timeout, port)
        self._held: dict[str, str] = {}  # the key of ours below each lock, as etcd writes it

    def listen(self, tell: Tell) -> None:
        self._contention.session.listen(tell)

    def live(self, ttl: float) -> None:
        self._contention.session.ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        answer, granted = self._contention.wait("/v3/lock/lock", key, {}, wait)
        self._held[key] = answer["key"]
        return granted

    def release(self, key: str) -> None:
        self._contention.gateway.ask("/v3/lock/unlock", {"key": self._held.pop(key)})

    def close(self) -> None:
        self._contention.close()
