"""The check `transactions`: what it asks, what it answers, and what it does not know."""

from random import Random

import pytest
from seeds import how_many
from transaction_histories import Kind, random_history
from transactions_told import concurrent, history, sequential

from partita.checker import History, HistoryError
from partita.checker.checks import HasNames, Judgement, Recognises
from partita.checker.transactions.isolation import MODELS, in_form, weaker
from partita.checker.transactions.reference import Order, allowed
from partita.checker.transactions.transactions import Transactions

HISTORIES = how_many(400)
ORDERS: tuple[Order, ...] = ("strong", "strong-session", "")
SKEW = history(concurrent("rx_ ay1", "ry_ ax1"), concurrent("rx1 ry1", start=5))


def judged(given: History) -> Judgement:
    check = Transactions()
    return check.judge(given, check.levels)


@pytest.mark.parametrize("kind", ["append", "register"])
def test_no_model_that_holds_is_called_broken(kind: Kind) -> None:
    for seed in range(HISTORIES):
        given = History.of_events(random_history(Random(seed), kind, final=seed % 2 == 0))
        found = judged(given)
        for model in ("serializable", "snapshot-isolation", "read-committed", "read-atomic"):
            for order in ORDERS if model in ("serializable", "snapshot-isolation") else ("",):
                name = in_form(f"{order}-", model) if order else model
                if found.levels[str(name)] is False:
                    assert not allowed(given, model, order), (seed, name)


@pytest.mark.parametrize("kind", ["append", "register"])
def test_its_answers_agree_with_each_other(kind: Kind) -> None:
    """What is implied by a model that holds holds; what implies a broken one is broken."""
    for seed in range(HISTORIES // 4):
        levels = judged(History.of_events(random_history(Random(seed), kind, final=True))).levels
        for model in MODELS:
            if levels[model] is True:
                assert all(levels[each] is True for each in weaker(model)), (seed, model)
            if False in [levels[each] for each in weaker(model)]:
                assert levels[model] is False, (seed, model)


def test_write_skew_breaks_serializability_and_not_snapshot_isolation() -> None:
    found = judged(SKEW)
    assert found.levels["serializable"] is False
    assert found.levels["repeatable-read"] is False
    assert found.levels["snapshot-isolation"] is True
    assert found.holds() == "strong-snapshot-isolation"
    assert found.found["serializable"].operations == (0, 1)
    assert found.found["strict-serializable"].explanation.startswith("G2-item (write skew).")
    assert "snapshot-isolation" not in found.found
    assert found.keys == 2 and found.engine == "dependencies"


def test_the_figures_tell_each_anomaly_with_an_example() -> None:
    figures = judged(SKEW).figures
    (skew,) = figures["anomalies"]
    assert (skew["name"], skew["count"], skew["at_least"]) == ("G2-item", 1, False)
    assert skew["called"] == "write skew" and skew["rules_out"] == ["repeatable-read"]
    assert skew["rows"] == [0, 1]
    assert [(edge["from"], edge["to"], edge["relation"]) for edge in skew["edges"]] == [
        (0, 1, "rw"),
        (1, 0, "rw"),
    ]
    assert figures["violated"] == ["repeatable-read"]
    assert figures["possible"] == ["strong-snapshot-isolation", "update-serializable"]
    assert figures["undecided"] == ["update-serializable"]
    assert figures["decided_by"] == "values"


def test_null_comes_before_whatever_was_written_to_a_register() -> None:
    skew = concurrent("rx_ wy1", "ry_ wx1")
    found = judged(history(skew))
    assert [each["name"] for each in found.figures["anomalies"]] == ["G2-item"]


def test_some_told_revisions_order_the_values_of_a_register() -> None:
    """The reader saw y of the second one, and x as the first one had left it."""
    events = concurrent("wx1", "wx2 wy1", "rx1 ry1", "wz1")
    assert judged(history(events)).levels["serializable"] is True
    events[4] |= {"version": 5}
    events[5] |= {"version": 7}
    found = judged(history(events))
    assert [each["name"] for each in found.figures["anomalies"]] == ["G-single"]
    assert found.engine == "dependencies" and "some commits only" in found.notes[0]


def test_revisions_that_explain_all_are_said_to_have_decided() -> None:
    events = sequential("ax1", "rx1")
    events[1] |= {"version": 5}
    events[3] |= {"version": 5}
    assert judged(history(events)).engine == "revisions"


def test_a_history_of_completions_alone_is_asked_for_serializability() -> None:
    given = History.of_events(
        [{"type": "ok", "f": "txn", "value": value}
         for value in ([["append", "x", 1]], [["r", "x", [1]]])]
    )  # fmt: skip
    found = judged(given)
    assert found.default == "serializable"
    assert found.levels["serializable"] is True
    # Whether it is strict nobody knows, for nobody knows when anything ended.
    assert found.levels["strict-serializable"] == "unknown"
    assert found.levels["strong-session-snapshot-isolation"] == "unknown"
    assert found.reason and "does not tell which transaction had ended" in found.reason
    assert judged(SKEW).default is None and Transactions.default == "strict-serializable"


def test_what_was_never_read_is_unknown() -> None:
    found = judged(history(concurrent("ax1", "ay1")))
    assert set(found.levels.values()) == {"unknown"}
    assert found.reason == "nothing was read, so that nothing is known of any order"
    assert found.figures["possible"] == []


def test_a_history_of_something_else_is_not_for_it() -> None:
    given = History.of_events([{"type": "invoke", "process": 0, "f": "write", "value": 1}])
    found = judged(given)
    assert not found.applies and not found.levels
    assert not Transactions.recognises(given)


def test_it_knows_lists_and_registers_that_are_written_once() -> None:
    assert isinstance(Transactions, Recognises) and isinstance(Transactions(), HasNames)
    assert Transactions.recognises(SKEW)
    assert Transactions.recognises(history(concurrent("wx1"), concurrent("wx2 ry_")))
    # What comes back needs a search: the model multi-register makes it.
    assert not Transactions.recognises(history(concurrent("wx1"), concurrent("wx1")))
    assert not Transactions.recognises(History.of_events([]))


def test_usual_names_mean_its_levels() -> None:
    check = Transactions()
    assert check.named("PL-3") == "serializable"
    assert check.named("si") == "snapshot-isolation"
    assert check.named("strong-session-SI") == "strong-session-snapshot-isolation"
    assert check.named("sequential") is None


def test_a_broken_history_is_refused_and_not_judged() -> None:
    with pytest.raises(HistoryError, match=r"events 2 and 4: 1 is written twice to \"x\""):
        judged(history(sequential("ax1"), sequential("ax1")))


def test_a_limit_makes_all_unknown() -> None:
    check = Transactions().within(0.0, None)
    found = check.judge(SKEW, check.levels)
    assert set(found.levels.values()) == {"unknown"}
    assert found.reason == "time limit reached"
