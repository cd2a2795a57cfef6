"""Streams agrees with its definition, and finds what is planted in valid histories."""

import copy
import random
from collections.abc import Callable
from typing import Any

import pytest
from seeds import how_many

from partita.checker import History
from partita.checker.streams.reference import keeps
from partita.checker.streams.streams import Streams

HISTORIES = how_many(3_000)
Event = dict[str, Any]
KEYS = ("a", "b")


def judged(history: History) -> Any:
    found = Streams().judge(history, Streams.levels)
    return found.levels["log"]


def told(process: int, f: str, asked: Any, outcome: str = "ok", **more: Any) -> list[Event]:
    """One operation, with its answer (`answer`) or what it was told (`version`)."""
    key = more.pop("key", None)
    answer = more.pop("answer", asked)
    about = {"process": process, "f": f, "key": key, "node": "n1"}
    completed = {**about, "type": outcome, "value": answer if outcome == "ok" else asked}
    return [{**about, "type": "invoke", "value": asked}, {**completed, **more}]


def simulated(chance: random.Random, *, wrong: float = 0.0) -> list[Event]:
    """A store with logs whose offsets have gaps; with a chance of `wrong`, an answer is none."""
    logs: dict[str, list[list[int]]] = {key: [] for key in KEYS}
    committed: dict[str, int] = {}
    events: list[Event] = []
    process = 0
    for number in range(chance.randrange(2, 12)):
        process, key = process % 3, chance.choice(KEYS)
        f = chance.choice(["send", "send", "poll", "poll", "commit", "committed"])
        outcome = chance.choice(["ok"] * 6 + ["info", "fail"])
        log, errs = logs[key], chance.random() < wrong
        if f == "send":
            offset = (log[-1][0] if log else -1) + chance.choice([1, 1, 2])
            if outcome == "ok" or (outcome == "info" and chance.random() < 0.5) or errs:
                log.append([offset, number])
            version = max(0, offset + (errs and chance.randint(-1, 1)))
            more = {"version": version} if outcome == "ok" else {}
            events += told(process, f, number, outcome, key=key, **more)
        elif f == "poll":
            asked = {each: chance.choice([0, 0, 1, 2]) for each in KEYS}
            answer = {
                each: [pair for pair in logs[each] if pair[0] >= asked[each]][
                    : chance.choice([0, 1, 2, 9])
                ]
                for each in KEYS
            }
            if errs and answer[key]:
                spoil(chance, answer[key])
            events += told(process, f, asked, "fail" if outcome == "info" else outcome,
                           answer=answer)  # fmt: skip
        elif f == "commit":
            offset = chance.randrange(3)
            if outcome != "fail":
                committed[key] = max(offset, committed.get(key, 0))
            events += told(process, f, {key: offset}, outcome)
        else:
            answer = {each: at + errs for each, at in committed.items()}
            events += told(process, f, list(KEYS), answer=answer)
        process += 1
    return events


def spoil(chance: random.Random, pairs: list[list[int]]) -> None:
    """Change what a poll showed: leave one out, turn two around, or make one up."""
    place = chance.randrange(len(pairs))
    chance.choice([
        lambda: pairs.pop(place),
        lambda: pairs.reverse(),
        lambda: pairs.__setitem__(place, [pairs[place][0] + 1, pairs[place][1]]),
        lambda: pairs.__setitem__(place, [pairs[place][0], 99]),
    ])()  # fmt: skip


def test_it_agrees_with_the_definition() -> None:
    chance = random.Random(9)
    seen = {True: 0, False: 0}
    for number in range(HISTORIES):
        history = History.of_events(simulated(chance, wrong=0.3 if number % 2 else 0.0))
        expected, found = keeps(history), judged(history)
        assert (found is False) == (not expected), (number, list(history))
        assert expected or number % 2, number  # without an error, none is found
        seen[expected] += 1
    assert min(seen.values()) > HISTORIES / 20, seen


SENT = told(0, "send", 1, key="a", version=0) + told(0, "send", 2, key="a", version=1)
POLLED = told(1, "poll", {"a": 0}, answer={"a": [[0, 1], [1, 2]]})


def changed(change: Callable[[list[Event]], object]) -> History:
    """The same history, whose poll showed something else."""
    events = copy.deepcopy(SENT + POLLED)
    change(events)
    return History.of_events(events)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda events: events[-1]["value"]["a"].pop(0), "begins at 1, and leaves out 1"),
        (lambda events: events[-1]["value"]["a"].reverse(), "begins at 1, and leaves out 1"),
        (lambda events: events[-1]["value"]["a"].append([2, 7]), "which nobody sent there"),
        (lambda events: events[-1]["value"]["a"].append([2, 1]), "1 is in log a at offset 0 (told"),
        (lambda events: events[-1]["value"].update(a=[[0, 2]]), "Offset 0 of log a holds 1 (told"),
        (lambda events: events[-2]["value"].update(a=1), "shows offset 0 after being asked from 1"),
        (lambda events: events[3].update(version=0), "Offset 0 of log a holds 1"),
        (
            lambda events: events.extend(told(2, "committed", ["a"], answer={"a": 5})),
            "is committed up to 5 (event 7 to 8), and until then clients had committed nowhere",
        ),
        (
            lambda events: events.extend(
                told(0, "send", 3, key="a", version=9)
                + told(0, "send", 4, key="a", version=5)
            ),
            "was told offset 9, and then",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(change: Callable[[list[Event]], object], said: str) -> None:
    history = changed(change)
    found = Streams().judge(history, Streams.levels)
    assert (found.levels, keeps(history)) == ({"log": False}, False)
    assert said in found.found["log"].explanation


def test_what_nobody_saw_is_no_pass() -> None:
    assert judged(History.of_events(SENT + POLLED)) is True
    unseen = Streams().judge(History.of_events(SENT), Streams.levels)
    assert (unseen.levels, unseen.reason) == ({"log": "unknown"}, "no poll showed any message")
    assert unseen.notes == ("2 acknowledged messages are in no poll",)
    nothing = History.of_events(told(0, "send", 1, "info", key="a"))
    assert Streams().judge(nothing, Streams.levels).reason == "no send was acknowledged"
