"""Transactions in the raft example: whole ones at one place of the log, or guarded by versions."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from partita.workloads.capabilities.transactions import MicroOp, Seen, Snapshot
from partita.workloads.client import Answer

if TYPE_CHECKING:
    from partita.harness.systems.raft import RaftClient


class RaftTransactions:
    """A client of transactions. Lists are kept as lists, and everything else as text."""

    def __init__(self, client: "RaftClient") -> None:
        self._client = client

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        said = self._client.transact([["r", key] for key in keys])
        return Snapshot([_seen(*each) for each in said["results"]], said["version"])

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        checks = {key: ["check", key, max(0, seen.version)] for key, seen in guards}
        operations: list[MicroOp] = []
        for key, text in writes:
            operations += [checks.pop(key)] if key in checks else []
            operations.append(["w", key, text])
        said = self._client.transact(operations + list(checks.values()))
        return Answer(version=said["version"])

    def execute(self, operations: Sequence[MicroOp]) -> Answer:
        said = self._client.transact([_sent(*each) for each in operations])
        results, committed = said["results"], said["version"]
        done = [
            [f, key, found if f == "r" else given]
            for (f, key, given), (found, _) in zip(operations, results, strict=True)
        ]
        versions = [_version(version, committed) for _, version in results]
        return Answer(done, committed, {"versions": versions})

    def move(self, address: str) -> None:
        self._client.move(address)

    def recover(self) -> None:
        self._client.recover()

    def close(self) -> None:
        self._client.close()


def _sent(f: str, key: str, value: Any) -> list[Any]:
    return [f, key] if f == "r" else [f, key, value]


def _version(version: int | None, committed: int) -> int | None:
    """Return the version of a value: None stands for this transaction's own, 0 for no value."""
    return committed if version is None else version or None


def _seen(value: Any, version: int) -> Seen:
    if value is None or isinstance(value, str):
        return Seen(value, version)
    return Seen(json.dumps(value), version)
