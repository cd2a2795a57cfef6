"""The workload bank, over a store in memory: money is moved, and what loses some is found."""

import time
from pathlib import Path
from typing import Any

import pytest
from loaded import loaded
from transactions_in_memory import Memory, always

from partita.checker import History
from partita.checker.checks import Judgement
from partita.workloads.bank import Bank
from partita.workloads.capabilities.transactions import Seen, Snapshot
from partita.workloads.client import Definite, Indefinite, Mismatch


class Torn(Memory):
    """Reads account by account, and others come in between."""

    def snapshot(self, keys: Any) -> Snapshot:
        seen = []
        for key in keys:
            seen += super().snapshot([key]).seen
            time.sleep(self.slow)
        return Snapshot(seen)


class Careless(Memory):
    """Writes though what it is based on has changed."""

    def commit(self, guards: Any, writes: Any) -> Any:
        return super().commit([], writes)


def run(workload: Bank, store: Memory, path: Path) -> tuple[History, Judgement]:
    history = loaded(workload, [lambda: store], path / "h.jsonl", seconds=0.7, workers=4)
    (check,) = workload.checks
    return history, check.judge(history, check.levels)


@pytest.mark.parametrize("settled", [True, False])
def test_money_is_kept(tmp_path: Path, settled: bool) -> None:
    history, found = run(Bank(accounts=4), Memory(settled=settled, slow=0.001), tmp_path)
    assert found.levels == {"total-kept": True}
    assert found.figures["total"] == 40
    assert found.figures["transfers"] > 20
    assert found.figures["refused"] > 0
    assert {op.f for op in history if op.version >= 0} == {"read", "transfer"}


def test_with_debts_nothing_is_refused(tmp_path: Path) -> None:
    _, found = run(Bank(accounts=3, balance=1, negative=True), Memory(), tmp_path)
    assert found.levels == {"total-kept": True}
    assert found.figures["refused"] == 0


@pytest.mark.parametrize("store", [Careless(slow=0.002), Torn(slow=0.001)])
def test_each_mistake_is_found(tmp_path: Path, store: Memory) -> None:
    _, found = run(Bank(accounts=6), store, tmp_path)
    assert found.levels == {"total-kept": False}


def test_what_is_refused_and_what_is_unknown() -> None:
    transfer = {"from": "account0", "to": "account1", "amount": 3}

    def asked(store: Any, f: str = "transfer", amount: int = 3) -> Any:
        return Bank().invoke(store, f, None, transfer | {"amount": amount}, 1e12)

    assert asked(Memory()).value == transfer
    store = Memory(*always(Mismatch, 2))
    assert asked(store).fields == {"retries": 2}
    assert store.values == {"account0": Seen("7", 1), "account1": Seen("13", 1)}
    assert asked(Memory(), amount=11).value is False
    store = Memory(None, Indefinite("lost"))
    with pytest.raises(Indefinite):
        asked(store)
    assert store.calls == ["snapshot", "commit"]
    with pytest.raises(Definite):
        asked(Memory(Indefinite("lost")))
    with pytest.raises(Definite, match=r"needs a client that has snapshot\(\) and commit\(\)"):
        asked(object())
