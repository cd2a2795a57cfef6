"""The reference against the histories that textbooks tell the models apart by."""

from random import Random

import pytest
from seeds import how_many
from transaction_histories import Kind, random_history
from transactions_told import Event, concurrent, history, sequential

from partita.checker import History
from partita.checker.transactions.reference import MODELS, Order, allowed

# Each model, and those that hold wherever it does.
IMPLIED = {
    "serializable": ("snapshot-isolation",),
    "snapshot-isolation": ("prefix", "parallel-snapshot-isolation"),
    "prefix": ("causal",),
    "parallel-snapshot-isolation": ("causal", "update-atomic"),
    "causal": ("read-atomic",),
    "update-atomic": ("read-atomic",),
    "read-atomic": ("read-committed",),
}
PAIRS = [(model, weaker) for model, others in IMPLIED.items() for weaker in others]
ORDERS: tuple[Order, ...] = ("strong", "strong-session", "")
HISTORIES = how_many(600)


def holding(*parts: list[Event]) -> set[str]:
    """Return the weakest set of names that tells all models that hold."""
    given = history(*parts)
    held = {model for model in MODELS if allowed(given, model)}
    return held - {weaker for model in held for weaker in IMPLIED.get(model, ())}


@pytest.mark.parametrize(
    ("texts", "strongest"),
    [
        pytest.param(("ax1 rx1", "rx1"), {"serializable"}, id="one after the other"),
        pytest.param(("rx_ ay1", "ry_ ax1"), {"snapshot-isolation"}, id="write skew"),
        pytest.param(("rx_ ax1", "rx_ ax2", "rx12"), {"prefix"}, id="lost update"),
        pytest.param(
            ("ax1", "ay1", "rx1 ry_", "rx_ ry1"), {"parallel-snapshot-isolation"}, id="long fork"
        ),
        pytest.param(
            ("ax1", "rx1 ay1", "ry1 rx_"), {"update-atomic"}, id="an effect without its cause"
        ),
        pytest.param(("ax1 ay1", "rx1 ry_"), {"read-committed"}, id="fractured read"),
        pytest.param(("ax1", "rx_ rx1"), {"read-committed"}, id="a read that does not repeat"),
        pytest.param(("ax1 ay1", "ax2 ay2", "rx12 ry21"), set(), id="writes interleaved"),
        pytest.param(("fail:ax1", "rx1"), set(), id="aborted read"),
        pytest.param(("ax1 ax2", "rx1"), set(), id="intermediate read"),
        pytest.param(("ax1 ry2", "ay2 rx1"), set(), id="circular information flow"),
        pytest.param(("info:ax1", "rx1"), {"serializable"}, id="an unknown outcome that came true"),
        pytest.param(("info:ax1 ay1", "rx1 ry_"), {"read-committed"}, id="half an unknown outcome"),
        pytest.param(("rx1 ax1",), set(), id="a read of the future"),
        pytest.param(("wx1", "rx1 wx2", "rx2"), {"serializable"}, id="registers"),
        pytest.param(("wx1", "wx2", "rx1", "rx2"), {"serializable"}, id="registers in some order"),
        pytest.param(("wx1", "rx_ wy1", "ry1 wx2"), {"serializable"}, id="blind writes"),
    ],
)
def test_the_models_are_told_apart(texts: tuple[str, ...], strongest: set[str]) -> None:
    assert holding(concurrent(*texts)) == strongest


def test_what_had_ended_must_be_seen_only_in_strong_forms() -> None:
    stale = history(concurrent("ax1"), concurrent("rx_", start=1))
    assert allowed(stale, "serializable")
    assert allowed(stale, "serializable", "strong-session")
    assert not allowed(stale, "serializable", "strong")
    assert allowed(stale, "read-committed", "strong")  # what is old was committed too


def test_a_process_must_see_what_it_did_itself_only_in_session_forms() -> None:
    forgetful = history(sequential("ax1", "rx_"))
    assert allowed(forgetful, "snapshot-isolation")
    assert not allowed(forgetful, "snapshot-isolation", "strong-session")


@pytest.mark.parametrize("kind", ["append", "register"])
def test_a_stronger_model_allows_less(kind: Kind) -> None:
    """And the drawn histories tell all of them apart, or they would prove little."""
    told_apart = set()
    for seed in range(HISTORIES):
        events = random_history(Random(seed), kind, final=seed % 2 == 0, most=4)
        given = History.of_events(events)
        held = {
            (model, order) for model in MODELS for order in ORDERS if allowed(given, model, order)
        }
        for model, order in held:
            assert order == "" or (model, "") in held, seed
            assert order != "strong" or (model, "strong-session") in held, seed
        for model, weaker in PAIRS:
            for order in ORDERS:
                assert (model, order) not in held or (weaker, order) in held, seed
            if (weaker, "") in held and (model, "") not in held:
                told_apart.add((model, weaker))
    assert told_apart >= {
        ("serializable", "snapshot-isolation"),
        ("snapshot-isolation", "prefix"),
        ("read-atomic", "read-committed"),
    }
