"""Transactions in etcd: one request reads all keys, another writes them if none has changed.

Every key has the revision of its last change, and a commit compares these. An answer says the
revision of the whole store at which the request was carried out.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from partita.harness.systems.connection import coded, decoded
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.client import UNKNOWN_VERSION, Answer, Mismatch

if TYPE_CHECKING:
    from partita.harness.systems.etcd import EtcdClient

Json = dict[str, Any]


class EtcdTransactions:
    """A client of transactions. Its commits are decided by a majority, whatever its reads are."""

    def __init__(self, client: "EtcdClient") -> None:
        self._client = client

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        mode = {"serializable": self._client.serializable}
        ranges = [{"request_range": {"key": coded(key), **mode}} for key in keys]
        answer = self._client.ask("txn", {"success": ranges}, reads=True)
        seen = [_seen(each["response_range"]) for each in answer["responses"]]
        return Snapshot(seen, _revision(answer))

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        puts = [{"request_put": {"key": coded(key), "value": coded(text)}} for key, text in writes]
        compare = [_unchanged(key, seen) for key, seen in guards]
        answer = self._client.ask("txn", {"compare": compare, "success": puts})
        if not answer.get("succeeded"):
            raise Mismatch
        return Answer(version=_revision(answer))

    def close(self) -> None:
        self._client.close()


def _unchanged(key: str, seen: Seen) -> Json:
    # A key that does not exist has revision 0.
    revision = max(0, seen.version)
    compared = {"target": "MOD", "mod_revision": str(revision), "result": "EQUAL"}
    return {"key": coded(key)} | compared


def _seen(found: Json) -> Seen:
    if not found.get("kvs"):
        return Seen(None, UNKNOWN_VERSION)
    entry = found["kvs"][0]
    return Seen(decoded(entry.get("value")), int(entry["mod_revision"]))


def _revision(answer: Json) -> int:
    return int(answer["header"]["revision"])
