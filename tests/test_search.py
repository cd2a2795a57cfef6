"""The search engine against the oracle, with every reduction switched on and off."""

from random import Random
from typing import Any

import pytest
from histories import model_events, register_events

from checker.check import counting
from checker.history import History
from checker.models import load_model
from checker.reference import linearizable
from checker.search import Plan, search
from checker.verdict import Finding, Limits, Mismatch

PLANS = {
    "usual": Plan(),
    "all configurations": Plan(beam=0),
    "narrowest beam": Plan(beam=1),
    "beam without refutation": Plan(beam=2, refute=False),
    "not pure at once": Plan(beam=0, without="p"),
    "not hidden": Plan(beam=0, without="h"),
    "not earliest": Plan(beam=0, without="e"),
    "not only useful": Plan(beam=0, without="u"),
    "not dominated": Plan(beam=0, without="d"),
    "not unseen": Plan(beam=0, without="n"),
    "nothing left out": Plan(beam=0, without="pheudn"),
}


def found(history: History, model: Any, mismatch: Mismatch, plan: Plan) -> Finding:
    rows = counting(history, model, mismatch)
    finding = search(history, rows, model, Limits(), mismatch, plan)
    assert finding is not None
    return finding


@pytest.mark.parametrize("unique", [True, False], ids=["unique", "small"])
@pytest.mark.parametrize("mismatch", ["observe", "ignore"])
def test_agrees_with_the_oracle(mismatch: Mismatch, unique: bool) -> None:
    model = load_model("cas-register")
    invalid = 0
    for seed in range(1_500):
        random = Random(seed)
        history = History.of_events(register_events(random, random.randrange(2, 8), unique=unique))
        expected = linearizable(history, counting(history, model, mismatch), model)
        invalid += not expected
        for name, plan in PLANS.items():
            finding = found(history, model, mismatch, plan)
            assert finding.valid == expected, f"seed {seed}, {name}: {finding}"
    assert invalid > 100


@pytest.mark.parametrize("name", ["multi-register", "mutex", "fifo-queue", "set", "counter", "kv"])
def test_any_model_agrees_with_the_oracle(name: str) -> None:
    model = load_model(name)
    answers = {True: 0, False: 0}
    for seed in range(700):
        random = Random(seed)
        history = History.of_events(model_events(random, model, random.randrange(2, 8)))
        expected = linearizable(history, counting(history, model, "observe"), model)
        answers[expected] += 1
        for plan_name, plan in PLANS.items():
            finding = found(history, model, "observe", plan)
            assert finding.valid == expected, f"seed {seed}, {plan_name}: {finding}"
    assert min(answers.values()) > 20


def test_reads_that_were_not_recorded_fit_anywhere() -> None:
    read = {"process": 0, "f": "read", "value": None}
    history = History.of_events([{**read, "type": "invoke"}, {**read, "type": "ok"}])
    assert found(history, load_model("cas-register", 0), "observe", Plan()).valid is True
    write = {"process": 1, "f": "write", "value": 1}
    written = [{**write, "type": "invoke"}, {**write, "type": "ok"}]
    history = History.of_events([*written, {**read, "type": "invoke"}, {**read, "type": "ok"}])
    assert found(history, load_model("cas-register", 0), "observe", Plan()).valid is True
    assert found(history, load_model("cas-register"), "observe", Plan()).valid is False
