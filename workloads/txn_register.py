"""Transactions that write numbers to registers and read them, as Elle's rw-register does.

A register does not tell what it held before. With `rmw` each transaction reads what it is going
to replace, and so the order of all values is known, as it is where the store tells versions.
"""

from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker.settings import Setting
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


class TxnRegister:
    """Transactions on several registers, which are read and written."""

    name = "txn-register"
    capability = "transactions"
    operations: Mapping[str, Operation] = {"txn": Operation(answers=True)}
    checks = (Transactions(),)

    def __init__(
        self,
        keys: Keys = 5,
        writes_per_key: Writes = 100,
        txn_length: Length = 4,
        read_only: ReadOnly = 0.25,
        rmw: Annotated[bool, Setting("Each key is read before it is written.")] = True,
        guard: Guarding = "store",
        txn_retries: Retries = 5,
    ) -> None:
        self._drawing = Drawing(
            "w",
            "x",
            keys=keys,
            writes_per_key=writes_per_key,
            length=txn_length,
            read_only=read_only,
            rmw=rmw,
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
