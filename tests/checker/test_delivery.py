"""Delivery: every acknowledged element comes out once, against the definition tried out."""

import random
import time
from itertools import product
from typing import Any

import pytest
from seeds import how_many

from partita.checker import History
from partita.checker.delivery import Delivery

HISTORIES = how_many(20_000)
Line = tuple[str, int, str, Any]


def history(*lines: Line) -> History:
    return History.of_events(
        {"type": kind, "process": process, "f": f, "value": value}
        for kind, process, f, value in lines
    )


def op(process: int, f: str, value: Any, answer: Any = None, outcome: str = "ok") -> list[Line]:
    completed = value if f == "enqueue" else answer
    return [("invoke", process, f, value), (outcome, process, f, completed)]


def judged(found: History, level: str = "once") -> Any:
    return Delivery().judge(found, Delivery.levels).levels.get(level)


def by_definition(found: History, level: str = "once") -> Any:
    """True, False, or "unknown" where an element may still be inside; see checker/delivery.py."""
    ops = list(found)
    begin = [int(each) for each in found.invoked_rank]
    end = [int(each) for each in found.completed_rank]
    puts = {each.input: each for each in ops if each.f == "enqueue"}
    takes = [each for each in ops if each.f == "dequeue" and each.outcome == "ok"]
    seen: set[Any] = set()
    for take in takes:
        if take.output is None:
            continue
        put = puts.get(take.output)
        if put is None or put.outcome == "fail":
            return False
        if take.output in seen and level == "once":
            return False
        if end[take.index] < begin[put.index]:
            return False
        seen.add(take.output)
    inside = [each for value, each in puts.items() if each.outcome == "ok" and value not in seen]
    closings = {
        put.index: [t for t in takes if t.output is None and begin[t.index] > end[put.index]]
        for put in inside
    }
    due = [put for put in inside if closings[put.index]]
    if least_lost(found):
        return False
    return "unknown" if len(due) < len(inside) else True


def least_lost(found: History) -> int:
    """How many of what is due nobody took, if the dequeues that crashed took all they can have."""
    ops = list(found)
    begin = [int(each) for each in found.invoked_rank]
    end = [int(each) for each in found.completed_rank]
    takes = [each for each in ops if each.f == "dequeue" and each.outcome == "ok"]
    crashed = [each for each in ops if each.f == "dequeue" and each.outcome == "info"]
    out = {take.output for take in takes}
    acknowledged = [each for each in ops if each.f == "enqueue" and each.outcome == "ok"]
    closings = {
        put.index: [t for t in takes if t.output is None and begin[t.index] > end[put.index]]
        for put in acknowledged
        if put.input not in out
    }
    due = [index for index, found in closings.items() if found]
    least = len(due)
    for assigned in product([None, *crashed], repeat=len(due)):
        used = [each.index for each in assigned if each]
        if len(set(used)) == len(used) and all(
            begin[taker.index] < end[closing.index]
            for index, taker in zip(due, assigned, strict=True)
            if taker
            for closing in closings[index]
        ):
            least = min(least, assigned.count(None))
        if not least:
            break
    return least


def random_history(chance: random.Random) -> History:
    """A few processes put in and take out what they like: most of it contradicts itself."""
    lines: list[Line] = []
    open_ops: dict[int, tuple[str, Any]] = {}
    process_of = {slot: slot for slot in range(3)}
    value = 0
    for _ in range(chance.randrange(4, 16)):
        slot = chance.randrange(3)
        process = process_of[slot]
        if slot not in open_ops:
            f = chance.choice(["enqueue", "dequeue"])
            value += f == "enqueue"
            open_ops[slot] = f, value if f == "enqueue" else None
            lines.append(("invoke", process, *open_ops[slot]))
            continue
        f, given = open_ops.pop(slot)
        outcome = chance.choice(["ok", "ok", "ok", "info", "fail"])
        answer = given if f == "enqueue" else chance.choice([None, None, 1, 2, 3, value])
        lines.append((outcome, process, f, answer if outcome == "ok" else given))
        if outcome == "info":
            process_of[slot] += 3
    return history(*lines)


@pytest.mark.parametrize("level", Delivery.levels)
def test_it_agrees_with_the_definition(level: str) -> None:
    chance = random.Random(level)
    seen = {True: 0, False: 0, "unknown": 0}
    for number in range(HISTORIES // 2):
        found = random_history(chance)
        expected = by_definition(found, level)
        judgement = Delivery().judge(found, Delivery.levels)
        assert judgement.levels.get(level) == expected, (number, list(found))
        if number % 8 == 0:
            assert judgement.figures["lost"] == least_lost(found), (number, list(found))
        seen[expected] += 1
    assert min(seen.values()) > HISTORIES / 200, seen


PUT = op(0, "enqueue", 1)
EMPTY = op(1, "dequeue", None)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (PUT + EMPTY, "and 1 never came out, though process 1's dequeue"),
        (PUT + op(1, "dequeue", None, 1) * 2, "1 was put in once, and came out twice"),
        (op(1, "dequeue", None, 2), "which nobody ever put in"),
        (op(0, "enqueue", 1, outcome="fail") + op(1, "dequeue", None, 1), "certainly failed"),
        (op(1, "dequeue", None, 1) + PUT, "before process 0's enqueue 1"),
        (
            op(0, "enqueue", 1)
            + op(0, "enqueue", 2)
            + op(3, "dequeue", None, outcome="info")
            + EMPTY,
            "2 elements are missing so, and only 1 dequeues without an answer",
        ),
        (
            [line for n in range(4) for line in op(0, "enqueue", n)]
            + op(3, "dequeue", None, outcome="info")
            + EMPTY,
            "could have taken one each. In all, at least 3 were lost.",
        ),
    ],
)
def test_what_is_wrong_is_said(lines: list[Line], said: str) -> None:
    judgement = Delivery().judge(history(*lines), ("once",))
    assert judgement.levels == {"once": False}
    assert said in judgement.found["once"].explanation


def test_what_comes_out_again_came_out_at_least_once() -> None:
    again = history(*PUT, *op(1, "dequeue", None, 1) * 2, *EMPTY)
    judgement = Delivery().judge(again, Delivery.levels)
    assert judgement.levels == {"once": False, "at-least-once": True}
    lost = history(*PUT, *op(2, "enqueue", 2), *op(1, "dequeue", None, 1) * 2, *EMPTY)
    judgement = Delivery().judge(lost, Delivery.levels)
    assert judgement.levels == {"once": False, "at-least-once": False}
    assert "came out twice" in judgement.found["once"].explanation
    assert "2 never came out" in judgement.found["at-least-once"].explanation


def test_what_crashed_is_never_blamed() -> None:
    assert judged(history(*op(0, "enqueue", 1, outcome="info"), *EMPTY)) is True
    assert judged(history(*PUT, *op(2, "dequeue", None, outcome="info"), *EMPTY)) is True
    recovered = [*op(0, "enqueue", 1, outcome="info"), *op(1, "dequeue", None, 1)]
    assert judged(history(*recovered)) is True


def test_what_was_never_emptied_is_not_known() -> None:
    judgement = Delivery().judge(history(*PUT), Delivery.levels)
    assert judgement.levels == {"once": "unknown", "at-least-once": "unknown"}
    assert "1 acknowledged elements may still be inside" in (judgement.reason or "")


def test_what_is_put_in_twice_is_left_alone() -> None:
    judgement = Delivery().judge(history(*PUT, *PUT), Delivery.levels)
    assert not judgement.applies


def test_figures_count_what_the_words_say() -> None:
    lines = op(0, "enqueue", 1) + op(0, "enqueue", 2) + op(0, "enqueue", 3, outcome="info")
    lines += op(1, "dequeue", None, 2) + op(1, "dequeue", None, 1) + op(1, "dequeue", None, 3)
    figures = Delivery().judge(history(*lines, *EMPTY), Delivery.levels).figures
    assert figures == {
        "acknowledged": 2, "dequeued": 3, "lost": 0, "duplicated": 0, "recovered": 1,
        "unexpected": 0, "reordered": 1, "unaccounted": 0,
    }  # fmt: skip


def test_a_long_history_takes_no_longer_for_each_operation() -> None:
    lines = [
        line for n in range(50_000) for line in op(0, "enqueue", n) + op(1, "dequeue", None, n)
    ]
    found = history(*lines, *EMPTY)
    begin = time.process_time()
    assert judged(found) is True
    assert time.process_time() - begin < 10  # quadratic work would take minutes
