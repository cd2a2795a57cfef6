"""Transactions that append numbers to lists and read them, as Elle's list-append does.

A list that was read tells in which order everything in it was written, so that the order of the
transactions follows from what they read.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from partita.checker.transactions.transactions import Transactions
from partita.workloads.client import Answer
from partita.workloads.guarded_commit import Retries
from partita.workloads.micro_operations import (
    Drawing,
    FinalReads,
    Guarding,
    Keys,
    Length,
    ReadOnly,
    Writes,
    carry_out,
)
from partita.workloads.workload import Operation


class TxnAppend:
    """Transactions on several lists: numbers are appended, and whole lists read."""

    name = "txn-append"
    capability = "transactions"
    operations: Mapping[str, Operation] = {"txn": Operation(answers=True)}
    checks = (Transactions(),)

    def __init__(
        self,
        keys: Keys = 5,
        writes_per_key: Writes = 100,
        txn_length: Length = 4,
        read_only: ReadOnly = 0.25,
        guard: Guarding = "store",
        txn_retries: Retries = 5,
    ) -> None:
        self._drawing = Drawing(
            "append",
            "k",
            keys=keys,
            writes_per_key=writes_per_key,
            length=txn_length,
            read_only=read_only,
        )
        self._final = FinalReads(self._drawing)
        self._guard, self._retries = guard, txn_retries

    def draw(self, random: Random, number: int) -> tuple[str, None, Any]:
        return "txn", None, self._drawing.draw(random, number)

    def prepare(self, f: str, key: None, value: Any) -> Any:
        return self._final.next() if value is None else value

    def invoke(self, client: Any, f: str, key: None, value: Any, until: float) -> Answer:
        return carry_out(client, value, self._guard, self._retries, until)

    def final(self) -> Iterable[tuple[str, None]]:
        return self._final

    def last_keys(self) -> Sequence[str]:
        return self._drawing.last_keys()
