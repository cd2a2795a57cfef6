"""Convergence agrees with its definition, and finds what is planted in valid histories."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from seeds import how_many

from partita.checker import History
from partita.checker.convergence.convergence import Convergence
from partita.checker.convergence.reference import converges

HISTORIES = how_many(2_000)
SETTLE = 2.0
SECOND = 10**9
NODES = ("n1", "n2", "n3")
Event = dict[str, Any]


class Written:
    """A history as it is written, event by event, a tenth of a second apart."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.now = 0
        self.processes = 0

    def tell(self, type_: str, process: int | str, f: str, value: Any, **more: Any) -> None:
        self.now += SECOND // 10
        told = {"time": self.now, "type": type_, "process": process, "f": f, "value": value}
        self.events.append(told | more)

    def operation(self, f: str, asked: Any, outcome: str, answer: Any, node: str) -> None:
        self.processes += 1
        self.tell("invoke", self.processes, f, asked, node=node)
        told = answer if outcome == "ok" else asked
        self.tell(outcome, self.processes, f, told, node=node)

    def history(self) -> History:
        return History.of_events(self.events)


def judged(history: History) -> Any:
    found = Convergence(SETTLE).judge(history, Convergence.levels)
    assert found.applies
    return found.levels["eventual"]


def random_set(chance: random.Random) -> History:
    """Nodes that know some of what was added, learn some more, and are read as it comes."""
    written, known = Written(), {node: set[int]() for node in NODES}
    for number in range(chance.randrange(1, 5)):
        node, outcome = chance.choice(NODES), chance.choice(["ok", "ok", "ok", "info", "fail"])
        if outcome != "fail" or chance.random() < 0.05:
            for each in NODES if outcome == "ok" and chance.random() < 0.7 else [node]:
                known[each].add(number)
        if chance.random() < 0.3:
            written.operation("read", None, "ok", sorted(known[node]), node)
        written.operation("add", number, outcome, number, node)
    there = sorted(set().union(*known.values()))
    written.tell("info", "nemesis", "phase", "final reads")
    for _ in range(chance.randrange(1, 4)):
        for node in NODES:
            if there and chance.random() < 0.6:
                known[node] |= set(there if chance.random() < 0.8 else [chance.choice(there)])
            shown = sorted(known[node])
            if chance.random() < 0.03:
                shown.append(chance.choice([0, 77]))
            outcome = chance.choice(["ok"] * 12 + ["fail"])
            written.operation("read", None, outcome, shown, node)
        written.now += chance.randrange(4) * SECOND
    return written.history()


def random_counter(chance: random.Random) -> History:
    """Nodes that show sums of which some are right, and are read as it comes."""
    written, certain, unknown = Written(), 0, list[int]()
    for _ in range(chance.randrange(1, 5)):
        delta, outcome = chance.randint(-3, 5), chance.choice(["ok", "ok", "info", "fail"])
        certain += delta if outcome == "ok" else 0
        unknown += [delta] if outcome == "info" else []
        written.operation("add", delta, outcome, delta, chance.choice(NODES))
    written.tell("info", "nemesis", "phase", "final reads")
    maybe = certain + sum(each for each in unknown if chance.random() < 0.5)
    shown = dict.fromkeys(NODES, maybe + chance.choice([0, 0, 0, 1]))
    for _ in range(chance.randrange(1, 4)):
        for node in NODES:
            shown[node] += chance.choice([0] * 12 + [1, -1])
            outcome = chance.choice(["ok"] * 12 + ["fail"])
            written.operation("read", None, outcome, shown[node], node)
        written.now += chance.randrange(4) * SECOND
    return written.history()


@pytest.mark.parametrize("draw", [random_set, random_counter])
def test_it_agrees_with_the_definition(draw: Callable[[random.Random], History]) -> None:
    chance = random.Random(7)
    seen: dict[Any, int] = {True: 0, False: 0, "unknown": 0}
    for number in range(HISTORIES):
        history = draw(chance)
        expected = converges(history, round(SETTLE * SECOND))
        assert judged(history) == expected, (number, list(history))
        seen[expected] += 1
    assert min(seen.values()) > HISTORIES / 30, seen


def ended(values: dict[str, Any], adds: list[tuple[Any, str]], *, wait: float = 9) -> History:
    """A history of some adds, each with its outcome, and one last look at each node."""
    written = Written()
    for value, outcome in adds:
        written.operation("add", value, outcome, value, "n1")
    written.tell("info", "nemesis", "phase", "final reads")
    written.now += round(wait * SECOND)
    for node, shown in values.items():
        written.operation("read", None, "ok", shown, node)
    return written.history()


ADDS = [(1, "ok"), (2, "ok"), (3, "info")]


@pytest.mark.parametrize(
    ("n1", "n2", "said"),
    [
        ([1, 2], [2], "add 1 (0.100 s to 0.200 s) was acknowledged. All was healed at 0.700 s, "
         "and at 10.000 s n2 still lacks it"),
        ([2], [2], "every node still lacks it"),
        ([1, 2, 3], [1, 2], "n1 shows 3 at 9.800 s"),
        ([1, 2, 9], [1, 2, 9], "which nobody ever added"),
        ([1, 2, 2], [1, 2], "showed 2 twice"),
        (5, 3, "n1 shows 5 at 9.800 s, and what was added comes to 3, and with adds of which "
         "nobody knows to something between 3 and 6: no choice of them comes to that"),
        (3, 6, "n1 shows 3 at 9.800 s, and n2 6 at 10.000 s"),
        (7, 7, "that is outside"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(n1: Any, n2: Any, said: str) -> None:
    judgement = Convergence(SETTLE).judge(ended({"n1": n1, "n2": n2}, ADDS), ("eventual",))
    assert judgement.levels == {"eventual": False}
    assert said in judgement.found["eventual"].explanation


def test_what_became_of_elements_is_counted() -> None:
    found = Convergence(SETTLE).judge(ended({"n1": [1, 3], "n2": [2, 3]}, ADDS), ("eventual",))
    assert found.figures == {
        "acknowledged": 2, "lost": 2, "recovered": 1, "unexpected": 0,
        "lacked_by_node": {"n1": 1, "n2": 1},
    }  # fmt: skip


def test_an_element_that_certainly_failed_must_not_appear() -> None:
    judgement = Convergence(SETTLE).judge(
        ended({"n1": [1, 2]}, [(1, "ok"), (2, "fail")]), ("eventual",)
    )
    assert "certainly failed" in judgement.found["eventual"].explanation


@pytest.mark.parametrize(
    ("shown", "adds", "wait", "said"),
    [
        ({"n1": [1], "n2": []}, [(1, "ok")], 1, "came too soon after a change"),
        ({"n1": []}, [(1, "info")], 9, "nothing that was added was acknowledged"),
        ({"n1": 0}, [(1, "fail")], 9, "no add was acknowledged"),
        ({"n2": [1]}, [(1, "ok")], 9, "n1 answered no final read"),
        ({}, [(1, "ok")], 9, "no node answered a final read"),
    ],
)
def test_what_nobody_knows_is_no_pass(
    shown: dict[str, Any], adds: list[tuple[Any, str]], wait: float, said: str
) -> None:
    judgement = Convergence(SETTLE).judge(ended(shown, adds, wait=wait), ("eventual",))
    assert judgement.levels == {"eventual": "unknown"}
    assert said in str(judgement.reason)


def test_unknown_adds_may_be_there_or_not() -> None:
    assert judged(ended({"n1": [1, 2, 3], "n2": [3, 2, 1]}, ADDS)) is True
    assert judged(ended({"n1": [1, 2], "n2": [1, 2]}, ADDS)) is True
    assert judged(ended({"n1": 6, "n2": 6}, ADDS)) is True
    assert judged(ended({"n1": 3, "n2": 3}, ADDS)) is True


def test_very_large_sums_are_judged_by_their_interval() -> None:
    adds = [(10**12, "ok"), (10**12, "info"), (-(10**12), "info")]
    assert judged(ended({"n1": 10**12 + 5}, adds)) is True
    assert judged(ended({"n1": 3 * 10**12}, adds)) is False


def test_elements_of_any_kind_are_told_apart() -> None:
    adds = [({"a": 1, "b": 2}, "ok"), (1, "ok"), ("1", "ok"), (True, "ok")]
    assert judged(ended({"n1": [True, 1, "1", {"b": 2, "a": 1}]}, adds)) is True
    assert judged(ended({"n1": [1, "1", {"b": 2, "a": 1}]}, adds)) is False


def test_histories_of_others_end_where_the_last_add_ends() -> None:
    events = [
        {"time": 1 * SECOND, "type": "invoke", "process": 0, "f": "add", "value": 1},
        {"time": 2 * SECOND, "type": "ok", "process": 0, "f": "add", "value": 1},
        {"time": 9 * SECOND, "type": "invoke", "process": 0, "f": "read", "value": None},
        {"time": 9 * SECOND, "type": "ok", "process": 0, "f": "read", "value": []},
    ]
    assert judged(History.of_events(events)) is False
    untimed = [{name: value for name, value in each.items() if name != "time"} for each in events]
    assert judged(History.of_events(untimed)) == "unknown"
