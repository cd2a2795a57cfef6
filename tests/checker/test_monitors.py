"""The monitors of queues, sets, counters and text, against the oracle and in the large."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import oracle
import pytest
from histories import keyed
from oracle import rows_by_key
from seeds import how_many
from small_objects import Event, long_events, object_events, plant

from partita.checker import History, Limits, Model, ModelError, check, load_model
from partita.checker.history import IntColumn
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.engine import Engine, engines
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.replay import replay
from partita.checker.verdict import Finding

# How many small histories of each kind are compared; a longer run: PARTITA_HISTORIES=1000000.
HISTORIES = how_many(3_000)
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Monitored:
    """A kind of histories (see small_objects.py), and the engine that decides it for a model."""

    kind: str
    model: str
    engine: str
    initial: Any = None

    def __str__(self) -> str:
        return self.kind if self.initial is None else f"{self.kind} from {self.initial}"

    @property
    def pieces(self) -> list[Any]:
        if self.initial is None:
            return []
        return self.initial if isinstance(self.initial, list) else [self.initial]


MONITORED = [
    Monitored("fifo-queue", "fifo-queue", "queue"),
    Monitored("unordered-queue", "unordered-queue", "queue"),
    Monitored("set", "set", "growing-set"),
    Monitored("members", "set", "members"),
    Monitored("counter", "counter", "counter"),
    Monitored("kv", "kv", "chain"),
    Monitored("kv-append", "kv", "text"),
    Monitored("kv-mixed", "kv", "replaced-text"),
]
BEGUN = [
    Monitored("fifo-queue", "fifo-queue", "queue", [71, 72]),
    Monitored("unordered-queue", "unordered-queue", "queue", [71, 1]),
    Monitored("set", "set", "growing-set", [71, True]),
    Monitored("members", "set", "members", [1]),
    Monitored("counter", "counter", "counter", 4),
    Monitored("kv", "kv", "chain", "begun"),
    Monitored("kv-append", "kv", "text", "begun"),
    Monitored("kv-mixed", "kv", "replaced-text", "begun"),
]


@pytest.mark.parametrize("monitored", MONITORED, ids=str)
def test_agrees_with_the_oracle(monitored: Monitored) -> None:
    answers = compared(monitored, 0, HISTORIES)
    print(f"\n{monitored}: {HISTORIES} histories, by (monitor, oracle): {dict(answers)}")
    assert answers[True, True] > HISTORIES / 8
    assert answers[False, False] > HISTORIES / 20
    assert answers[None, True] + answers[None, False] < HISTORIES / 2


@pytest.mark.parametrize("monitored", BEGUN, ids=str)
def test_agrees_where_something_was_there_at_first(monitored: Monitored) -> None:
    answers = compared(monitored, 0, HISTORIES // 3)
    assert answers[True, True] > HISTORIES / 50
    assert answers[False, False] > HISTORIES / 100


def compared(monitored: Monitored, first: int, count: int) -> Counter[tuple[object, bool]]:
    """Compare a monitor with the oracle; return how often each said what (None: declined).

    Also: what is valid has an order that proves it, and what is named is enough to be invalid.
    """
    model, engine = load_model(monitored.model, monitored.initial), engines()[monitored.engine]
    answers: Counter[tuple[object, bool]] = Counter()

    def draw(seed: int) -> list[Event]:
        random = Random(seed)
        return object_events(random, monitored.kind, random.randrange(2, 9), monitored.pieces)

    for begin in range(first, first + count, BATCH):
        history = History.of_events(keyed(map(draw, range(begin, begin + BATCH))))
        for rows in rows_by_key(history, counting(history, model, "observe")):
            found = engine.decide(history, rows, model, Limits(), "observe")
            expected = linearizable(history, rows, model)
            seed = begin + history.key[rows[0]]
            if not isinstance(found, Finding):
                answers[None, expected] += 1
                continue
            assert found.valid is expected, f"{monitored}, seed {seed}: {found}"
            answers[found.valid, expected] += 1
            if expected:
                assert proves(history, rows, model, engine), f"{monitored}, seed {seed}"
            elif seed % 5 == 0:
                assert set(found.operations) <= set(rows.tolist()) and found.explanation
                assert contradicts(history, rows, model, found), f"{monitored}, {seed}: {found}"
    return answers


@pytest.mark.parametrize("crash", [0, 0.05])
@pytest.mark.parametrize("monitored", MONITORED, ids=str)
def test_a_long_history_is_decided_and_a_violation_in_it_found(
    monitored: Monitored, crash: float
) -> None:
    model, engine = load_model(monitored.model), engines()[monitored.engine]
    for seed in range(3):
        events = long_events(Random(seed), monitored.kind, 2_000, 10, crash)
        history = History.of_events(events)
        verdict = check(history, model, time_limit=60)
        assert (verdict.valid, verdict.engine) == (True, monitored.engine), verdict.notes
        rows = counting(history, model, "observe")
        assert proves(history, rows, model, engine)
        plant(monitored.kind, events)
        planted = check(History.of_events(events), model, time_limit=60)
        assert (planted.valid, planted.engine) == (False, monitored.engine)
        assert planted.counterexample is not None
        assert len(planted.counterexample.operations) <= 45
        assert planted.counterexample.explanation.count(". ") <= 2


def proves(history: History, rows: IntColumn, model: Model, engine: Engine) -> bool:
    """Replay an engine's order: every step possible, none before what was over before it."""
    assert engine.order is not None
    return replay(history, model, engine.order(history, rows, model, Limits()), rows) is None


def contradicts(history: History, rows: IntColumn, model: Model, found: Finding) -> bool:
    """Say whether the named operations contradict each other whatever the others did.

    Of queues they must do so alone: unless a take is known to have taken another value, or not
    to have been, it may have taken anything.
    """
    if model.name in ("fifo-queue", "unordered-queue"):
        if model != load_model(model.name):
            return True  # what was there at first counts, and is no operation
        return not linearizable(history, np.array(found.operations, dtype=np.int64), model)
    return oracle.contradicts(history, rows, model, found)


@pytest.mark.parametrize("name", ["fifo-queue", "unordered-queue"])
def test_null_that_was_put_in_may_be_taken_out(name: str) -> None:
    put, take = {"f": "enqueue", "process": 0, "value": None}, {"f": "dequeue", "process": 1}
    events = [put | {"type": "invoke"}, put | {"type": "ok"}]
    for _ in range(2):
        events += [take | {"type": "invoke"}, take | {"type": "ok", "value": None}]
    verdict = check(History.of_events(events), name)
    assert verdict.valid is True
    assert "null was put in" in verdict.notes[0]
    assert check(History.of_events(events[2:]), load_model(name, [None])).valid is True


@pytest.mark.parametrize(
    ("model", "f"),
    [
        ("fifo-queue", "dequeue"),
        ("set", "read"),
        ("set", "contains"),
        ("counter", "read"),
        ("kv", "get"),
    ],
)
def test_operations_without_any_value_are_valid(model: str, f: str) -> None:
    asked = {"process": 0, "f": f, "value": None}
    events = [{**asked, "type": "invoke"}, {**asked, "type": "info"}]
    assert check(History.of_events(events), model).valid is True


def pair(process: int, f: str, asked: Any, answer: Any = None) -> list[Event]:
    event = {"process": process, "f": f}
    answer = asked if answer is None else answer
    return [event | {"type": "invoke", "value": asked}, event | {"type": "ok", "value": answer}]


@pytest.mark.parametrize(
    ("model", "events", "message"),
    [
        ("counter", pair(0, "read", None, "x"), r"0 \(event 1\) is .read. .* no number"),
        ("counter", pair(0, "add", "x"), r'0 \(event 1\) is .add. with value "x", .* no number'),
        ("set", pair(0, "read", None, 7), r"is .read. .* answer 7, which is no list"),
        ("set", pair(0, "contains", 1, 7), r"answer 7, which is neither true nor false"),
        ("fifo-queue", pair(0, "push", 1), r"0 \(event 1\) is .push."),
        ("kv", pair(0, "append", "x") + pair(0, "append", 1), r"1 \(event 3\) .* is no text"),
    ],
)
def test_what_the_model_has_not_is_refused(model: str, events: list[Event], message: str) -> None:
    with pytest.raises(ModelError, match=f"model {model} does not fit the history: .*{message}"):
        check(History.of_events(events), model)


def test_a_note_says_why_the_search_decided() -> None:
    puts = pair(0, "enqueue", 1) + pair(0, "enqueue", 1)
    verdict = check(History.of_events(puts + pair(1, "dequeue", None, 1)), "fifo-queue")
    assert (verdict.valid, verdict.engine) == (True, "search")
    assert verdict.notes[0].startswith("1 was put in more than once, as by process 0's enqueue 1")
    adds = pair(0, "add", 1) + pair(0, "add", 2) + pair(1, "read", None, 3)
    verdict = check(History.of_events(adds), "counter")
    assert (verdict.valid, verdict.engine) == (True, "search")
    assert "add different amounts" in verdict.notes[0]
    gets = pair(0, "put", "a") + pair(0, "put", "a") + pair(1, "get", None, "a")
    verdict = check(History.of_events(gets), "kv")
    assert (verdict.valid, verdict.engine) == (True, "search")
    assert "put more than once" in verdict.notes[0]


def test_a_key_is_told_in_its_own_words() -> None:
    events = pair(0, "put", "a") + pair(0, "put", "b") + pair(1, "get", None, "a")
    verdict = check(History.of_events(events), "kv")
    assert (verdict.valid, verdict.engine) == (False, "chain")
    assert verdict.counterexample is not None
    assert 'process 1\'s get of "a"' in verdict.counterexample.explanation.lower()
    assert 'process 0\'s put "b"' in verdict.counterexample.explanation
    empty = pair(0, "put", "") + pair(0, "get", None, "") + pair(1, "put", "a")
    assert check(History.of_events(empty), "kv").valid is True


def test_text_is_taken_apart_by_letters_not_bytes() -> None:
    pieces = ["ä.", "€uro.", "\U0001f600.", "b."]
    events = [event for piece in pieces for event in pair(0, "append", piece)]
    whole = History.of_events(events + pair(1, "get", None, "".join(pieces)))
    assert (check(whole, "kv").valid, check(whole, "kv").engine) == (True, "text")
    verdict = check(History.of_events(events + pair(1, "get", None, "ä.€uro.x")), "kv")
    assert verdict.counterexample is not None
    assert '"x" at place 8' in verdict.counterexample.explanation


def test_text_that_edn_tells_from_keywords_can_be_extended(tmp_path: Path) -> None:
    lines = [
        '{:process 0 :type :invoke :f :append :value ":a"}',
        '{:process 0 :type :ok :f :append :value ":a"}',
        '{:process 0 :type :invoke :f :append :value "b"}',
        '{:process 0 :type :ok :f :append :value "b"}',
        "{:process 1 :type :invoke :f :get :value nil}",
        '{:process 1 :type :ok :f :get :value ":ab"}',
    ]
    file = tmp_path / "history.edn"
    for got, valid in ('":ab"', True), (":ab", False):
        file.write_text("\n".join([*lines[:-1], lines[-1].replace('":ab"', got)]))
        history = History.read(file)
        for engine in "auto", "search":
            verdict = check(history, "kv", engine=engine)
            assert verdict.valid is valid, (got, engine)
            order = verdict.order
            if valid:
                assert replay(order.history, load_model("kv"), order.rows) is None
