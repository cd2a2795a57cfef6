"""Where a limit is hit, what was found until then stands, and nothing else is said."""

from random import Random
from typing import Any

import pytest

from partita.checker import History
from partita.checker.transactions.analysis import Analysis
from partita.checker.transactions.engine import analyse
from partita.checker.transactions.transactions import Transactions

COUNT = 30_000
KEYS = 20
LONGEST = 50


def _events() -> list[dict[str, Any]]:
    """Ten processes, of which a quarter of the reads is a little old: one huge component."""
    random = Random(3)
    lists: dict[int, list[int]] = {key: [] for key in range(KEYS)}
    events = []
    for at in range(COUNT):
        key, other = random.sample(sorted(lists), 2)
        seen = lists[other][: len(lists[other]) - (random.random() < 0.25)]
        lists[key].append(at)
        given = [["r", other, None], ["append", key, at]]
        events += [
            {"process": at % 10, "type": "invoke", "f": "txn", "value": given},
            {"process": at % 10, "type": "ok", "f": "txn", "value": [["r", other, seen], given[1]]},
        ]
        if len(lists[key]) == LONGEST:
            del lists[key]
            lists[max(lists) + at] = []
    return events


@pytest.fixture(scope="module")
def given() -> History:
    return History.of_events(_events())


@pytest.fixture(scope="module")
def whole(given: History) -> Analysis:
    return analyse(given)


def test_what_was_found_until_then_stands(given: History, whole: Analysis) -> None:
    seconds = whole.figures["seconds"]
    assert whole.decided
    assert not any(each.at_least and not each.count for each in whole.anomalies.values())
    told = 0
    for part in range(20):
        found = analyse(given, time_limit=seconds * part / 20)
        if found.decided:
            continue
        assert found.reason == "time limit reached"
        assert found.violated <= whole.violated
        for name, anomaly in found.anomalies.items():
            assert anomaly.at_least
            assert 0 < anomaly.count <= whole.anomalies[name].count
        told += bool(found.anomalies)
    assert told


def test_models_that_it_rules_out_do_not_hold_and_none_does(
    given: History, whole: Analysis
) -> None:
    for part in range(19, 0, -1):
        check = Transactions(time_limit=whole.figures["seconds"] * part / 20)
        found = check.judge(given, check.levels)
        if found.reason == "time limit reached" and found.figures["anomalies"]:
            assert set(found.levels.values()) == {False, "unknown"}
            return
    pytest.fail("no limit fell between the first anomaly and the last")
