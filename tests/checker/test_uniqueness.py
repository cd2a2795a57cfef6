"""Uniqueness and echo: what two simple questions find, against all pairs and all answers."""

import json
import random
from itertools import combinations
from typing import Any

import pytest
from seeds import how_many

from partita.checker import History
from partita.checker.echoes import Echoed
from partita.checker.uniqueness import Uniqueness

HISTORIES = how_many(2_000)
IDS = [None, 1, 2, "1", 1.5, True, [1, 2], [2, 1], {"a": 1, "b": 2}, {"b": 2, "a": 1}, "é"]
Line = tuple[str, Any, Any]  # outcome, what was asked, what was answered


def history(f: str, lines: list[Line]) -> History:
    events = []
    for process, (outcome, asked, answered) in enumerate(lines):
        told = {"process": process, "f": f, "node": f"n{process % 3 + 1}"}
        events.append({**told, "type": "invoke", "value": asked})
        events.append({**told, "type": outcome, "value": answered})
    return History.of_events(events)


def text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def drawn(chance: random.Random) -> list[Line]:
    outcomes = ["ok", "ok", "ok", "info", "fail"]
    return [
        (chance.choice(outcomes), asked := chance.choice(IDS), chance.choice([asked, *IDS]))
        for _ in range(chance.randrange(4))
    ]


def test_no_two_answers_are_the_same() -> None:
    chance, seen = random.Random(3), set()
    for _ in range(HISTORIES):
        lines = drawn(chance)
        ids = [text(answered) for outcome, _, answered in lines if outcome == "ok"]
        expected = all(one != other for one, other in combinations(ids, 2)) if ids else "unknown"
        found = Uniqueness().judge(history("generate", lines), Uniqueness.levels)
        assert found.levels == {"unique": expected}, lines
        assert ("unique" in found.found) == (expected is False)
        seen.add(expected)
    assert seen == {True, False, "unknown"}


def test_each_answer_is_what_was_asked() -> None:
    chance, seen = random.Random(4), set()
    for _ in range(HISTORIES):
        lines = drawn(chance)
        answers = [(text(asked), text(came)) for outcome, asked, came in lines if outcome == "ok"]
        expected = all(asked == came for asked, came in answers) if answers else "unknown"
        found = Echoed().judge(history("echo", lines), Echoed.levels)
        assert found.levels == {"echoed": expected}, lines
        assert ("echoed" in found.found) == (expected is False)
        seen.add(expected)
    assert seen == {True, False, "unknown"}


def test_what_is_wrong_is_said() -> None:
    twice = Uniqueness().judge(history("generate", [("ok", None, 7)] * 3), ("unique",))
    said = twice.found["unique"].explanation
    assert said.startswith("The id 7 was given twice: n1 gave it to process 0 (event 1")
    assert said.endswith("and n2 gave it to process 1 (event 3 to 4). So were 1 more.")
    wrong = Echoed().judge(history("echo", [("ok", "a", "b")]), ("echoed",))
    assert 'sent "a" to be echoed, and n1 answered "b"' in wrong.found["echoed"].explanation


@pytest.mark.parametrize("check", [Uniqueness(), Echoed()])
def test_other_histories_are_left_alone(check: Any) -> None:
    assert not check.judge(history("read", [("ok", None, 1)]), check.levels).applies
