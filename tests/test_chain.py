"""The chain engine against the oracle."""

from random import Random

import pytest
from histories import register_events

from checker import History, check, load_model
from checker.check import counting
from checker.reference import linearizable
from checker.verdict import Mismatch


@pytest.mark.parametrize("mismatch", ["observe", "ignore"])
def test_agrees_with_the_oracle(mismatch: Mismatch) -> None:
    model = load_model("cas-register")
    decided = 0
    for seed in range(5_000):
        random = Random(seed)
        history = History.of_events(register_events(random, random.randrange(2, 8), unique=True))
        verdict = check(history, engine="chain", mismatch=mismatch)
        if verdict.valid != "unknown":
            decided += 1
            expected = linearizable(history, counting(history, model, mismatch), model)
            assert verdict.valid == expected, f"seed {seed}: {verdict}"
    assert decided > 3_000


@pytest.mark.parametrize("f", ["write", "cas"])
def test_a_value_that_only_a_failed_operation_wrote_names_that_operation(f: str) -> None:
    value = 1 if f == "write" else [0, 1]
    events = [
        {"process": 0, "type": "invoke", "f": f, "key": 0, "value": value},
        {"process": 0, "type": "fail", "f": f, "key": 0, "value": value},
        {"process": 1, "type": "invoke", "f": "read", "key": 0, "value": None},
        {"process": 1, "type": "ok", "f": "read", "key": 0, "value": 1},
    ]
    verdict = check(History.of_events(events), load_model("cas-register"))
    assert verdict.valid is False
    assert verdict.counterexample is not None
    assert "would have, but failed" in verdict.counterexample.explanation
