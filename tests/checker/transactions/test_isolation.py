"""The lattice of models, walked; and the anomalies that rule them out."""

import pytest

from partita.checker.transactions.anomalies import KINDS, PROCESS, REALTIME, in_order, kind
from partita.checker.transactions.isolation import (
    MODELS,
    closure,
    named,
    stronger,
    strongest_possible,
    weaker,
    weakest,
)

ANOMALIES = [
    *KINDS,
    *(name + form for name in KINDS if name[0] == "G" for form in (PROCESS, REALTIME)),
]


def test_what_a_model_implies_stands_below_it() -> None:
    order = list(MODELS)
    for name, model in MODELS.items():
        assert all(order.index(each) > order.index(name) for each in model.implies), name


def test_one_model_implies_all_others_and_one_is_implied_by_all() -> None:
    assert weaker("strict-serializable") == MODELS.keys() - {"strict-serializable"}
    assert stronger("read-uncommitted") == MODELS.keys() - {"read-uncommitted"}


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_an_anomaly_that_rules_a_model_out_rules_out_all_stronger_ones(anomaly: str) -> None:
    gone = closure(kind(anomaly).rules_out)
    for model in gone:
        assert stronger(model) <= gone
    for model in MODELS.keys() - gone:
        assert not weaker(model) & gone


@pytest.mark.parametrize("anomaly", ANOMALIES)
def test_strict_serializability_has_no_anomaly_at_all(anomaly: str) -> None:
    if anomaly.startswith("revision-mismatch"):
        assert kind(anomaly).rules_out == ()  # it says nothing of the transactions
    else:
        assert "strict-serializable" in closure(kind(anomaly).rules_out)


# (anomaly, what it leaves possible, what it does not), as Adya, Elle and Jepsen tell it.
BORDERS = [
    ("G0", (), "read-uncommitted"),
    ("G1a", "read-uncommitted", "read-committed"),
    ("G1c", "strong-read-uncommitted", "read-committed"),
    ("internal", "read-committed", "read-atomic"),
    ("lost-update", "read-committed", "cursor-stability"),
    ("lost-update", "prefix", "snapshot-isolation"),
    ("lost-update", "prefix", "repeatable-read"),
    ("G-single", "read-committed", "consistent-view"),
    ("G-single", "cursor-stability", "snapshot-isolation"),
    ("G-nonadjacent", "parallel-snapshot-isolation", "snapshot-isolation"),
    ("G2-item", "strong-snapshot-isolation", "repeatable-read"),
    ("G2-item-process", "serializable", "strong-session-serializable"),
    ("G2-item-realtime", "strong-session-serializable", "strict-serializable"),
    ("G-single-realtime", "strong-session-serializable", "strong-snapshot-isolation"),
    ("G-single-process", "serializable", "strong-session-snapshot-isolation"),
    ("G1c-realtime", "strong-session-serializable", "strong-read-committed"),
    ("G0-process", "serializable", "strong-session-read-uncommitted"),
    ("lost-append", "strong-session-serializable", "strong-snapshot-isolation"),
]


@pytest.mark.parametrize(("anomaly", "possible", "not_possible"), BORDERS)
def test_what_an_anomaly_rules_out(anomaly: str, possible: str, not_possible: str) -> None:
    gone = closure(kind(anomaly).rules_out)
    assert not_possible in gone
    assert not possible or possible not in gone


def test_the_border_of_what_can_still_hold() -> None:
    assert strongest_possible([]) == ("strict-serializable",)
    assert strongest_possible(["repeatable-read"]) == (
        "strong-snapshot-isolation",
        "update-serializable",
    )
    assert strongest_possible(["strong-read-uncommitted"]) == ("strong-session-serializable",)
    assert strongest_possible(["read-uncommitted"]) == ()
    assert weakest({"serializable", "strict-serializable"}) == ("serializable",)
    assert weakest(closure(["cursor-stability", "update-atomic"])) == (
        "update-atomic",
        "cursor-stability",
    )


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("PL-SS", "strict-serializable"),
        ("strict-1SR", "strict-serializable"),
        ("strong serializable", "strict-serializable"),
        (":strong-session-serializable", "strong-session-serializable"),
        ("PL-3", "serializable"),
        ("serializability", "serializable"),
        ("SI", "snapshot-isolation"),
        ("strong-si", "strong-snapshot-isolation"),
        ("strong-session-PL-2", "strong-session-read-committed"),
        ("Repeatable Read", "repeatable-read"),
        ("PL-2.99", "repeatable-read"),
        ("PL-2+", "consistent-view"),
        ("RC", "read-committed"),
        ("read_uncommitted", "read-uncommitted"),
        ("PL-1", "read-uncommitted"),
        ("strong-PL-3", "strict-serializable"),
        ("serialisable", None),
        ("strong-session-mav", None),
        ("linearizable", None),
    ],
)
def test_usual_names(name: str, model: str | None) -> None:
    assert named(name) == model


def test_no_name_means_two_models() -> None:
    names = [*MODELS, *(alias for model in MODELS.values() for alias in model.aliases)]
    assert len(names) == len(set(names))
    assert all(name == name.lower() for name in names)


def test_anomalies_are_told_the_worst_first_and_those_of_an_order_last() -> None:
    given = ["G2-item-realtime", "G-single", "G0-process", "G0", "strange"]
    assert in_order(given) == ["G0", "G-single", "strange", "G0-process", "G2-item-realtime"]
    assert kind("strange").rules_out == ()
