"""Ephemeral entries in etcd: keys that hang on a lease, and go when it is over."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from partita.harness.systems.connection import coded, decoded
from partita.harness.systems.etcd_gateway import PORT, Json
from partita.harness.systems.etcd_sessions import EtcdSession
from partita.harness.systems.renewals import AskedSession
from partita.workloads.client import Answer, Mismatch, Tell

if TYPE_CHECKING:
    from partita.harness.systems.etcd import EtcdClient


class EtcdLeases:
    """A client of leases; `client` is for all that is not about the session itself."""

    def __init__(self, client: "EtcdClient", host: str, timeout: float, port: int = PORT) -> None:
        self._client, self._address, self._timeout = client, (host, port), timeout
        self._session: AskedSession[EtcdSession] = AskedSession()

    def listen(self, tell: Tell) -> None:
        """Nothing reaches it beside its answers."""

    def open(self, ttl: float) -> Answer:
        host, port = self._address
        return self._session.open(lambda: EtcdSession(host, ttl, self._timeout, port))

    def beat(self) -> Answer:
        return self._session.beat()

    def close_session(self) -> Answer:
        return self._session.end()

    def ephemeral(self, key: str, value: str) -> Answer:
        session, name = self._session.get(), coded(key)
        absent = {"key": name, "target": "CREATE", "create_revision": "0", "result": "EQUAL"}
        put = {"key": name, "value": coded(value), "lease": str(session.lease)}
        said = self._client.ask("txn", {"compare": [absent], "success": [{"request_put": put}]})
        if not said.get("succeeded"):
            raise Mismatch
        return Answer(version=int(said["header"]["revision"]), fields=session.said)

    def delete(self, key: str) -> None:
        said = self._client.ask("deleterange", {"key": coded(key)})
        if not int(said.get("deleted", 0)):
            raise Mismatch

    def look(self, key: str) -> Answer:
        found = self._found({"key": coded(key)})
        if not found:
            return Answer(None)
        return Answer(decoded(found[0].get("value")), int(found[0]["create_revision"]))

    def list(self, prefix: str) -> Answer:
        """A linearizable read brings the member up to date, and is answered from what it has."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        found = self._found({"key": coded(prefix), "range_end": coded(end)})
        return Answer([[decoded(each["key"]), int(each["create_revision"])] for each in found])

    def recover(self) -> None:
        self._client.close()

    def close(self) -> None:
        self._session.leave()
        self._client.close()

    def _found(self, request: Json) -> Sequence[Json]:
        found: Sequence[Json] = self._client.ask("range", request, reads=True).get("kvs", [])
        return found
