"""The monitors of queues, sets, counters and text, against the oracle and in the large."""

import os
from collections import Counter
from random import Random

import numpy as np
import oracle
import pytest
from histories import keyed
from objects import Event, object_events
from oracle import rows_by_key

from partita.checker import History, Limits, Model, check, load_model
from partita.checker.history import OUTCOMES, IntColumn
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.engine import Engine, engines
from partita.checker.linearizability.reference import linearizable
from partita.checker.verdict import Finding

# How many small histories of each kind are compared; a longer run: PARTITA_HISTORIES=1000000.
HISTORIES = int(os.environ.get("PARTITA_HISTORIES", 12_000))
BATCH = 1_000

# Kinds of histories, the model, the engine that decides them.
MONITORED = {
    "fifo-queue": ("fifo-queue", "queue"),
    "unordered-queue": ("unordered-queue", "queue"),
    "set": ("set", "growing-set"),
    "members": ("set", "members"),
    "counter": ("counter", "counter"),
    "kv": ("kv", "chain"),
    "kv-append": ("kv", "text"),
}


@pytest.mark.parametrize("kind", MONITORED)
def test_agrees_with_the_oracle(kind: str) -> None:
    """Also: what is valid has an order that proves it; what is named is enough to be invalid."""
    model_name, engine_name = MONITORED[kind]
    model, engine = load_model(model_name), engines()[engine_name]
    answers: Counter[tuple[object, bool]] = Counter()

    def draw(seed: int) -> list[Event]:
        random = Random(seed)
        return object_events(random, kind, random.randrange(2, 9))

    for first in range(0, HISTORIES, BATCH):
        history = History.of_events(keyed(map(draw, range(first, first + BATCH))))
        for rows in rows_by_key(history, counting(history, model, "observe")):
            found = engine.decide(history, rows, model, Limits(), "observe")
            expected = linearizable(history, rows, model)
            seed = first + history.key[rows[0]]
            if not isinstance(found, Finding):
                answers[None, expected] += 1
                continue
            assert found.valid is expected, f"{kind}, seed {seed}: {found}"
            answers[found.valid, expected] += 1
            if expected:
                proven = engine.order is None or proves(history, rows, model, engine)
                assert proven, f"{kind}, seed {seed}"
            elif seed % 5 == 0:
                named = [int(row) for row in rows if int(row) in found.operations]
                assert set(named) == set(found.operations) and found.explanation
                assert contradicts(history, rows, model, found), f"{kind}, seed {seed}: {found}"
    print(f"\n{kind}: {HISTORIES} histories, by (monitor, oracle): {dict(answers)}")
    assert answers[True, True] > HISTORIES / 8
    assert answers[False, False] > HISTORIES / 20
    assert answers[None, True] + answers[None, False] < HISTORIES / 2


def proves(history: History, rows: IntColumn, model: Model, engine: Engine) -> bool:
    """Replay an engine's order: every step possible, none before what was over before it."""
    assert engine.order is not None
    order = engine.order(history, rows, model).tolist()
    needed = rows[history.outcome[rows] != OUTCOMES.index("info")]
    if len(set(order)) < len(order) or not set(needed.tolist()) <= set(order) <= set(rows.tolist()):
        return False
    state, latest = model.initial, -1
    for row in order:
        state = model.step(state, history[row])
        if state is None or history.completed_rank[row] < latest:
            return False
        latest = max(latest, int(history.invoked_rank[row]))
    return True


def contradicts(history: History, rows: IntColumn, model: Model, found: Finding) -> bool:
    """Say whether the named operations contradict each other whatever the others did.

    Of queues they must do so alone: unless a take is known to have taken another value, or not
    to have been, it may have taken anything.
    """
    if model.name in ("fifo-queue", "unordered-queue"):
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
