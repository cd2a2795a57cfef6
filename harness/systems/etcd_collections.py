"""Queues and sets in etcd: a key below a common beginning for each element.

etcd gives every key the revision at which it was created. A queue's order is that of these
revisions; an element is taken by a transaction that deletes its key if nobody else has.
"""

import time
import uuid
from typing import TYPE_CHECKING, Any

from partita.harness.systems.connection import coded, decoded
from partita.workloads.client import Answer, Definite

if TYPE_CHECKING:
    from partita.harness.systems.etcd import EtcdClient

Json = dict[str, Any]


class EtcdCollections:
    """A client of queues and sets; calls take `timeout` seconds at most."""

    def __init__(self, client: "EtcdClient", timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    def enqueue(self, key: str, value: str) -> Answer:
        return self._client.write(f"{key}/{uuid.uuid4().hex}", value)

    def dequeue(self, key: str) -> str | None:
        deadline = time.monotonic() + self._timeout
        oldest: Json = {"sort_order": "ASCEND", "sort_target": "CREATE", "limit": "1"}
        while time.monotonic() < deadline:
            found = self._below(key, oldest)
            if not found:
                return None
            if self._took(found[0]):
                return decoded(found[0].get("value"))
        raise Definite("others were quicker until the time was over")

    def add(self, key: str, element: str) -> Answer:
        return self._client.write(f"{key}/{element}", element)

    def members(self, key: str) -> list[str]:
        return [decoded(each.get("value")) for each in self._below(key, {})]

    def close(self) -> None:
        self._client.close()

    def _took(self, found: Json) -> bool:
        """Delete a key, unless it was deleted since it was seen; say whether this did it."""
        seen = {"key": found["key"], "target": "MOD", "mod_revision": found["mod_revision"]}
        request: Json = {
            "compare": [seen | {"result": "EQUAL"}],
            "success": [{"request_delete_range": {"key": found["key"]}}],
        }
        return bool(self._client.ask("txn", request).get("succeeded"))

    def _below(self, key: str, more: Json) -> list[Json]:
        """Return the keys that begin with the collection's name and a slash."""
        # The end of a range is not part of it: "0" is the character behind "/".
        every: Json = {"key": coded(f"{key}/"), "range_end": coded(f"{key}0")}
        mode: Json = {"serializable": self._client.serializable}
        found: list[Json] = self._client.ask("range", every | mode | more, reads=True).get(
            "kvs", []
        )
        return found
