"""The append engine against the oracle, and what it says of elements."""

from random import Random

from histories import append_events

from checker import History, check, load_model
from checker.check import counting
from checker.reference import linearizable


def test_agrees_with_the_oracle() -> None:
    model = load_model("append")
    verdicts = []
    for seed in range(5_000):
        random = Random(seed)
        history = History.of_events(append_events(random, random.randrange(2, 8)))
        verdict = check(history, model, engine="append")
        expected = linearizable(history, counting(history, model, "observe"), model)
        verdicts.append(verdict.valid)
        if verdict.valid != "unknown":
            assert verdict.valid == expected, f"seed {seed}: {verdict}"
    assert verdicts.count(True) > 500 and verdicts.count(False) > 500


def test_what_became_of_the_elements() -> None:
    history = History.of_events(
        [
            *_add(0, 1, "ok"),
            *_add(1, 2, "info"),
            *_add(2, 3, "ok"),
            *_add(3, 4, "info"),
            *_add(4, 5, "fail"),
            {"process": 5, "type": "invoke", "f": "read", "value": None},
            {"process": 5, "type": "ok", "f": "read", "value": [1, 2, 5, 9]},
        ]
    )
    verdict = check(history, "append")
    assert verdict.valid is False
    assert verdict.details == {
        "attempted": 4,
        "acknowledged": 2,
        "ok": 2,
        "lost": 1,
        "recovered": 1,
        "unexpected": 2,
        "duplicated": 0,
        "elements": {
            "acknowledged": "1 3",
            "ok": "1..2",
            "lost": "3",
            "recovered": "2",
            "unexpected": "5 9",
            "duplicated": "",
        },
    }


def test_nothing_read_is_unknown() -> None:
    verdict = check(History.of_events(_add(0, 1, "ok")), "append")
    assert verdict.valid == "unknown"
    assert verdict.reason == "nothing was read: no read ever succeeded"


def _add(process: int, value: int, outcome: str) -> list[dict[str, object]]:
    return [
        {"process": process, "type": type_, "f": "add", "value": value}
        for type_ in ("invoke", outcome)
    ]
