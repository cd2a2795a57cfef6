"""A transaction on a store that compares versions: read, compute, and commit if nothing changed.

A refused commit did nothing, so the transaction begins again with a new read. A commit whose
answer did not come may have happened, and is never sent again: it would happen twice, and look
like a mistake of the store's.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from partita.checker.settings import Setting
from partita.workloads.capabilities.transactions import Seen, Snapshot, Transactions
from partita.workloads.client import Definite, Indefinite, Mismatch

Guard = Literal["all", "writes"]
Retries = Annotated[
    int, Setting("How often a transaction that was refused begins again.", least=0, most=1000)
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Committed:
    """What a transaction read, and the version of its commit (of its snapshot, if it only read)."""

    seen: Mapping[str, Seen]
    version: int


def commit(
    client: Transactions,
    keys: Sequence[str],
    computed: Callable[[Mapping[str, Seen]], Mapping[str, str]],
    guard: Guard = "all",
) -> Committed:
    """Read the keys and write what is `computed` of them, if the guarded ones are unchanged.

    `guard`: "all" keys, or those that it "writes" only, which lets others change what it has read.
    Raises `Mismatch` if it was refused.
    """
    snapshot = _read(client, keys)
    seen = dict(zip(keys, snapshot.seen, strict=True))
    writes = computed(seen)
    guarded = [key for key in keys if guard == "all" or key in writes]
    if not writes and (snapshot.settled or not guarded):
        return Committed(seen, snapshot.version)
    try:
        answer = client.commit([(key, seen[key]) for key in guarded], list(writes.items()))
    except Indefinite as error:
        if writes:
            raise
        raise Definite(f"could not check what it had read: {error}") from error
    return Committed(seen, answer.version)


def retried(attempt: Callable[[], T], retries: int, until: float) -> tuple[T, int]:
    """Return what an attempt comes to that is not refused, and how many were before.

    `until` is a moment of `time.monotonic`; there is one attempt at least. Raises `Mismatch`, with
    the same number in its fields, once there were so many retries, or if there is no time left.
    """
    refused = 0
    while True:
        try:
            return attempt(), refused
        except Mismatch as mismatch:
            if refused >= retries or time.monotonic() >= until:
                raise Mismatch(fields={"retries": refused}) from mismatch
            refused += 1


def _read(client: Transactions, keys: Sequence[str]) -> Snapshot:
    """Read the keys. Whatever goes wrong here, nothing was changed yet."""
    try:
        return client.snapshot(keys)
    except Indefinite as error:
        raise Definite(f"could not read first: {error}") from error
