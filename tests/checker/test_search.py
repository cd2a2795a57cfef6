"""The search engine against the oracle, with every reduction switched on and off."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from histories import Event, model_events, register_events, run_events

from partita.checker.history import History, IntColumn
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.search import Plan, search
from partita.checker.models.model import load_model
from partita.checker.verdict import Finding, Limits, Mismatch

PLANS = {
    "usual": Plan(),
    "no descent": Plan(descents="none"),
    "all configurations": Plan(beam=0, descents="none"),
    "narrowest beam": Plan(beam=1, descents="none"),
    "narrowest beam and window": Plan(beam=1, window=2, descents="none"),
    "beam without refutation": Plan(beam=2, window=0, descents="none"),
    "not pure at once": Plan(beam=0, without="p", descents="none"),
    "not hidden": Plan(beam=0, without="h", descents="none"),
    "not earliest": Plan(beam=0, without="e", descents="none"),
    "not only useful": Plan(beam=0, without="u", descents="none"),
    "not commuting": Plan(beam=0, without="c", descents="none"),
    "not dominated": Plan(beam=0, without="d", descents="none"),
    "not unseen": Plan(beam=0, without="n", descents="none"),
    "nothing left out": Plan(beam=0, without="pheucdn", descents="none"),
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


def of_few_values(random: Random) -> list[Event]:
    """Return events of a register with two or three values, at whose end narrow beams die.

    There 7 is read, which only a crashed cas can have written, before a write that was over.
    """
    values = random.choice([2, 3])
    crash = random.choice([0, 0.1, 0.3])
    operations, processes = random.randrange(6, 30), random.randrange(3, 9)
    events = run_events(random, operations, processes, unique=False, crash=crash)
    for event in events:
        if event["f"] == "cas":
            event["value"] = [None if each is None else each % values for each in event["value"]]
        elif event.get("value") is not None:
            event["value"] %= values
    cas: Event = {"process": -1, "f": "cas", "value": [random.randrange(values), 7]}
    write: Event = {"process": -2, "f": "write", "value": 0}
    read: Event = {"process": -3, "f": "read", "value": None}
    events += [{**cas, "type": "invoke"}, {**cas, "type": "info"}]
    events += [{**write, "type": "invoke"}, {**read, "type": "invoke"}]
    return [*events, {**write, "type": "ok"}, {**read, "type": "ok", "value": 7}]


def test_refutations_that_demote_nearly_everything_are_right() -> None:
    model = load_model("cas-register")
    answers = Counter[object]()
    for seed in range(2_000):
        history = History.of_events(of_few_values(Random(seed)))
        expected = found(history, model, "ignore", Plan(beam=0, descents="none")).valid
        for tracked, window in [(1, 4), (1, 16), (2, 64), (6, 64)]:
            plan = Plan(1, window, tracked=tracked, descents="none")
            finding = found(history, model, "ignore", plan)
            assert finding.valid == expected, f"seed {seed}, {tracked}, {window}: {finding}"
        answers[expected] += 1
    assert min(answers[True], answers[False]) > 200


class OwnRegister:
    """The same as cas-register, by the table of its steps."""

    name = "own"
    initial = 1

    def step(self, state: Any, op: Any) -> Any:
        if op.f == "cas":
            return op.input[1] if state == op.input[0] else None
        return op.input if op.f == "write" else state if state == op.output else None


@pytest.mark.parametrize("model", [load_model("cas-register", 1), OwnRegister()])
def test_a_refutation_does_again_what_may_be_done_again(model: Any) -> None:
    """Between the two cas from 1 to 2, which are demoted, comes the one from 2 to 1, which counts.

    What comes last makes the narrow beam die.
    """
    events: list[Event] = []

    def event(process: int, type_: str, f: str, value: Any = None) -> None:
        events.append({"process": process, "type": type_, "f": f, "value": value})

    def at_once(process: int, f: str, value: Any, answer: str = "ok") -> None:
        event(process, "invoke", f, None if f == "read" else value)
        event(process, answer, f, value)

    for process in (0, 1):
        event(process, "invoke", "cas", [1, 2])
    for process in range(2, 8):
        event(process, "invoke", "read")
    for process in range(2, 8):
        event(process, "ok", "read", 1)
    event(8, "invoke", "cas", [2, 1])
    for process in (0, 1):
        event(process, "ok", "cas", [1, 2])
    at_once(9, "read", 2)
    event(8, "ok", "cas", [2, 1])
    at_once(10, "read", 2)
    at_once(11, "cas", [2, 7], "info")
    event(12, "invoke", "write", 3)
    event(13, "invoke", "read")
    event(12, "ok", "write", 3)
    event(13, "ok", "read", 7)
    history = History.of_events(events)
    assert linearizable(history, counting(history, model, "ignore"), model)
    for plan in PLANS.values():
        assert found(history, model, "ignore", plan).valid is True


@pytest.mark.parametrize("unique", [True, False], ids=["unique", "small"])
def test_narrow_beams_agree_with_all_configurations(unique: bool) -> None:
    model = load_model("cas-register")
    invalid = 0
    for seed in range(400):
        random = Random(seed)
        history = History.of_events(run_events(random, 60, random.randrange(3, 12), unique=unique))
        expected = found(history, model, "observe", Plan(beam=0, descents="none")).valid
        invalid += not expected
        for beam, window in [(1, 4), (1, 16), (2, 8)]:
            finding = found(history, model, "observe", Plan(beam, window, descents="none"))
            assert finding.valid == expected, f"seed {seed}, {beam}, {window}: {finding}"
    assert invalid > 50


def test_beams_that_do_not_count_what_is_plentiful_agree_too() -> None:
    model = load_model("cas-register")
    answers = Counter[object]()
    for seed in range(100):
        random = Random(seed)
        events = run_events(random, 500, random.randrange(3, 6), unique=False, crash=0.1)
        history = History.of_events(events)
        plan = Plan(plenty=10**6, descents="none")
        expected = found(history, model, "observe", plan).valid
        for beam in (1, 4):
            plan = Plan(beam, plenty=1, descents="none")
            finding = found(history, model, "observe", plan)
            assert finding.valid == expected, f"seed {seed}, {beam}: {finding}"
        answers[expected] += 1
    assert min(answers[True], answers[False]) > 10


def test_what_is_named_contradicts_itself_whatever_the_others_did() -> None:
    model = load_model("cas-register")
    explained = 0
    for seed in range(3_000):
        random = Random(seed)
        history = History.of_events(register_events(random, random.randrange(2, 8), unique=False))
        finding = found(history, model, "observe", Plan(window=random.choice([4, 64])))
        if finding.valid is False and len(finding.operations) < len(history):
            explained += 1
            rows = counting(history, model, "observe")
            named = {row for row in finding.operations if history[row].outcome != "info"}
            assert not possible_if_only(history, rows, model, named), f"seed {seed}: {finding}"
    assert explained > 100


def possible_if_only(history: History, rows: IntColumn, model: Any, needed: set[int]) -> bool:
    """Say whether an order exists if only these must happen, and all others may, once each."""

    def order(left: frozenset[int], state: Any, latest: int) -> bool:
        """`latest` is the latest invocation among those that are in the order already."""
        if not left & needed:
            return True
        limit = min(int(history.completed_rank[row]) for row in left & needed)
        for row in left:
            begin, end = int(history.invoked_rank[row]), int(history.completed_rank[row])
            after = model.step(state, history[row]) if latest < end and begin < limit else None
            if after is not None and order(left - {row}, after, max(latest, begin)):
                return True
        return False

    return order(frozenset(map(int, rows)), model.initial, -1)


@pytest.mark.parametrize("violation", ["stale", "phantom"])
@pytest.mark.parametrize("processes", [5, 30])
def test_a_violation_in_a_long_history_is_explained(processes: int, violation: str) -> None:
    model = load_model("cas-register")
    for seed in range(5):
        unique = violation == "stale"
        events = run_events(Random(seed), 3_000, processes, unique=unique, violation=violation)
        finding = found(History.of_events(events), model, "observe", Plan())
        assert finding.valid is False
        assert 1 <= len(finding.operations) <= 5, finding


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
