"""etcd's election service. Its answer to a campaign names the term: when the leader's key was made.

Like the lock service's, the answer is believed as it is.
"""

from partita.harness.systems.connection import coded, decoded
from partita.harness.systems.etcd_contention import EtcdContention
from partita.harness.systems.etcd_gateway import PORT, Json
from partita.workloads.client import Answer, Definite, Tell


class EtcdElections:
    """A client of elections in etcd; calls take `timeout` seconds at most, and what they wait."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._contention = EtcdContention(host, timeout, port)
        self._leading: dict[str, Json] = {}

    def listen(self, tell: Tell) -> None:
        self._contention.session.listen(tell)

    def live(self, ttl: float) -> None:
        self._contention.session.ttl = ttl

    def campaign(self, key: str, name: str, wait: float) -> Answer:
        more = {"value": coded(name)}
        answer, won = self._contention.wait("/v3/election/campaign", key, more, wait)
        self._leading[key] = answer["leader"]
        return won

    def resign(self, key: str) -> None:
        leader = {"leader": self._leading.pop(key)}
        self._contention.gateway.ask("/v3/election/resign", leader)

    def observe(self, key: str) -> Answer:
        try:
            request = {"name": coded(key)}
            found = self._contention.gateway.ask("/v3/election/leader", request, reads=True)["kv"]
        except Definite as error:
            if "no leader" in str(error):
                return Answer(None)
            raise
        return Answer(decoded(found.get("value")), int(found["create_revision"]))

    def close(self) -> None:
        self._contention.close()
