"""Transactions in Consul: `/v1/txn`, whose operations happen together or not at all.

A key that is written is compared by a `cas` with its index, any other guarded one by `check-index`.
A `get` of a key that does not exist fails the whole transaction, so what is read is all that lies
below the key; values lie there, one below each key. Consul takes 64 operations at a time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from partita.harness.systems.connection import coded, decoded
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.client import UNKNOWN_VERSION, Answer

if TYPE_CHECKING:
    from partita.harness.systems.consul import ConsulClient

Json = dict[str, Any]


class ConsulTransactions:
    """A client of transactions. Its commits go through the log, whatever its reads are."""

    def __init__(self, client: "ConsulClient") -> None:
        self._client = client

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        gets = [{"KV": {"Verb": "get-tree", "Key": _below(key)}} for key in keys]
        found = {entry["Key"]: entry for entry in self._client.transact(gets, reads=True)}
        return Snapshot([_seen(found.get(_path(key))) for key in keys])

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        guarded, written = dict(guards), dict(writes)
        checks = [_check(key, seen) for key, seen in guards if key not in written]
        changes = [_change(key, text, guarded.get(key)) for key, text in writes]
        body = [{"KV": each} for each in checks + changes]
        results = self._client.transact(body, reads=not writes)
        # All that was written has one index, and what was only checked has its own.
        made = [entry["ModifyIndex"] for entry in results if entry["Key"] in map(_path, written)]
        return Answer(version=int(made[0]) if made else UNKNOWN_VERSION)

    def close(self) -> None:
        self._client.close()


def _check(key: str, seen: Seen) -> Json:
    if seen.value is None:
        return {"Verb": "check-not-exists", "Key": _path(key)}
    return {"Verb": "check-index", "Key": _path(key), "Index": seen.version}


def _change(key: str, text: str, seen: Seen | None) -> Json:
    change = {"Key": _path(key), "Value": coded(text)}
    if seen is None:
        return {"Verb": "set", **change}
    # A cas with index 0 creates the key, if it does not exist.
    return {"Verb": "cas", "Index": 0 if seen.value is None else seen.version, **change}


def _seen(entry: Json | None) -> Seen:
    return Seen(None) if entry is None else Seen(decoded(entry["Value"]), entry["ModifyIndex"])


def _below(key: str) -> str:
    return f"partita/{quote(key, safe='')}/"


def _path(key: str) -> str:
    return f"{_below(key)}value"
