"""Transactions by a client program of the user's: whole ones, or snapshots and guarded commits."""

from collections.abc import Sequence
from typing import Any

from partita.harness.systems.program import ProgramClient
from partita.workloads.capabilities.transactions import MicroOp, Seen, Snapshot
from partita.workloads.client import UNKNOWN_VERSION, Answer, Definite, Indefinite

# What store.toml may say under `transactions`.
WHOLE, GUARDED = "whole", "guarded"


class WholeTransactions:
    """A program that carries a list of operations out, as between begin and commit."""

    def __init__(self, program: ProgramClient) -> None:
        self._program = program

    def execute(self, operations: Sequence[MicroOp]) -> Answer:
        said = self._program.ask("txn", None, list(operations))
        done = said.get("value")
        if not _same(operations, done):
            raise Indefinite(f"the client program was asked for {operations!r}, and did {done!r}")
        versions = {"versions": said["versions"]} if "versions" in said else {}
        return Answer(done, said.get("version", UNKNOWN_VERSION), versions)

    def close(self) -> None:
        self._program.close()


class GuardedTransactions:
    """A program that reads several keys, and writes several if others are what was seen."""

    def __init__(self, program: ProgramClient) -> None:
        self._program = program

    def snapshot(self, keys: Sequence[str]) -> Snapshot:
        said = self._program.ask("snapshot", None, list(keys))
        seen = said.get("value")
        if not isinstance(seen, list) or len(seen) != len(keys) or not all(map(_is_seen, seen)):
            raise Definite(f"the client program read {seen!r}, which is no [value, version] a key")
        version = said.get("version", UNKNOWN_VERSION)
        found = [Seen(value, UNKNOWN_VERSION if at is None else at) for value, at in seen]
        return Snapshot(found, version, said.get("settled", True))

    def commit(
        self, guards: Sequence[tuple[str, Seen]], writes: Sequence[tuple[str, str]]
    ) -> Answer:
        told = [[key, value, None if at == UNKNOWN_VERSION else at] for key, (value, at) in guards]
        said = self._program.ask("commit", None, {"guards": told, "writes": list(writes)})
        return Answer(version=said.get("version", UNKNOWN_VERSION))

    def close(self) -> None:
        self._program.close()


def _same(asked: Sequence[MicroOp], done: Any) -> bool:
    """Say whether what was done is what was asked for, but for what was read."""
    if not isinstance(done, list) or len(done) != len(asked):
        return False
    return all(
        isinstance(each, list) and len(each) == 3 and each[:2] == [f, key]
        and (f == "r" or each[2] == value)
        for (f, key, value), each in zip(asked, done, strict=True)
    )  # fmt: skip


def _is_seen(each: Any) -> bool:
    if not isinstance(each, list) or len(each) != 2:
        return False
    value, version = each
    return isinstance(value, str | None) and (version is None or type(version) is int)
