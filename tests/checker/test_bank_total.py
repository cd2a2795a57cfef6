"""The check bank: what every state between two transfers has, and what each mistake is told as."""

from itertools import permutations
from random import Random
from typing import Any

import pytest

from partita.checker import History
from partita.checker.bank import BankTotal
from partita.checker.checks import Judgement


def history(*operations: tuple[str, Any, str, Any]) -> History:
    """One process's operations: f, input, outcome, output."""
    events: list[dict[str, Any]] = []
    for f, given, outcome, answer in operations:
        for kind, value in (("invoke", given), (outcome, answer)):
            time = 10**9 * (len(events) + 1)
            events.append(
                {"time": time, "type": kind, "process": 0, "f": f, "key": None, "value": value}
            )
    return History.of_events(events)


def judged(*reads: Any, **settings: Any) -> Judgement:
    check = BankTotal(**settings)
    return check.judge(history(*(("read", None, "ok", each) for each in reads)), check.levels)


def moved(source: str, target: str, amount: int, outcome: str = "ok", answer: Any = None) -> Any:
    given = {"from": source, "to": target, "amount": amount}
    return "transfer", given, outcome, given if answer is None else answer


def test_a_total_that_is_kept_holds() -> None:
    found = judged({"a": 10, "b": 10}, {"a": 3, "b": 17}, total=20)
    assert found.levels == {"total-kept": True}
    assert found.figures["reads"] == 2
    assert judged({"a": 10, "b": 10}, {"a": 3, "b": 17}).levels == {"total-kept": True}


@pytest.mark.parametrize(
    ("balances", "text"),
    [
        ({"a": 3, "b": 12}, "found 15 in all accounts together, and there are 20: 5 are gone."),
        ({"a": 13, "b": 12}, "found 25 in all accounts together, and there are 20: 5 too much."),
        ({"a": -1, "b": 21}, "found -1 in account a, and nobody may be in debt."),
        ({"a": 20}, "read other accounts than the first read did: b."),
    ],
)
def test_each_mistake_is_told(balances: dict[str, int], text: str) -> None:
    found = judged({"a": 10, "b": 10}, balances)
    assert found.levels == {"total-kept": False}
    counterexample = found.found["total-kept"]
    assert counterexample.operations == (1,)
    assert counterexample.explanation.startswith("Process 0's read of {")
    assert counterexample.explanation.endswith(text)
    assert found.figures["wrong_reads"] == 1


def test_all_that_went_wrong_is_counted() -> None:
    found = judged({"a": 10}, {"a": 9}, {"a": 10}, {"a": 8})
    assert found.found["total-kept"].explanation.endswith("1 are gone. 2 reads went wrong.")
    assert found.figures["wrong_reads"] == 2


def test_debts_may_be_allowed() -> None:
    assert judged({"a": -5, "b": 25}, total=20, negative=True).levels == {"total-kept": True}


def test_what_nobody_knows_is_no_evidence() -> None:
    check = BankTotal(total=20)
    unread = history(moved("a", "b", 5), ("read", None, "info", None), ("read", None, "fail", None))
    found = check.judge(unread, check.levels)
    assert found.levels == {"total-kept": "unknown"}
    assert found.reason == "no account was ever read"
    assert check.judge(history(), check.levels).levels == {"total-kept": "unknown"}


def test_what_is_no_ledger_is_not_judged() -> None:
    for answer in ([1, 2], {"a": "ten"}, {"a": True}, 3):
        found = judged({"a": 10}, answer)
        assert not found.applies
        assert found.levels == {}
        assert found.reason is not None
        assert "no balances" in found.reason


def test_transfers_are_counted_by_what_came_of_them() -> None:
    check = BankTotal()
    some = history(
        moved("a", "b", 5), moved("a", "b", 50, answer=False), moved("a", "b", 1, "info"),
        ("read", None, "ok", {"a": 10, "b": 0}),
    )  # fmt: skip
    figures = check.judge(some, check.levels).figures
    assert (figures["transfers"], figures["refused"], figures["unknown_transfers"]) == (1, 1, 1)


@pytest.mark.parametrize("seed", range(30))
def test_no_order_of_transfers_is_called_wrong_and_half_a_transfer_always_is(seed: int) -> None:
    """By brute force: every state that some order of some of the transfers leads to."""
    random = Random(seed)
    opened = {"a": 5, "b": 5, "c": 5}
    transfers = [(*random.sample(sorted(opened), 2), random.randint(1, 6)) for _ in range(3)]
    for order in permutations(transfers):
        balances, states, torn = dict(opened), [], []
        for source, target, amount in order:
            if balances[source] < amount:
                continue
            balances[source] -= amount
            torn.append(dict(balances))
            balances[target] += amount
            states.append(dict(balances))
        assert judged(opened, *states).levels == {"total-kept": True}
        for half in torn:
            assert judged(opened, half).levels == {"total-kept": False}
