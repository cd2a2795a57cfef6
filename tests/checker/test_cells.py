"""Models in cells: what they do there is what `step` does, and the search finds the same."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from seeds import how_many

from partita.checker import History, Model, ModelError, check, load_model
from partita.checker.history import Op
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.search import _Transitions
from partita.checker.models.bank import Bank
from partita.checker.models.cells import (
    ADD,
    ASK,
    LEARN,
    NEVER,
    NOT_NEGATIVE,
    SET,
    UNKNOWN,
    InCells,
)
from partita.checker.models.counter import Counter
from partita.checker.models.multi_register import MultiRegister
from partita.checker.models.mutex import Mutex

HISTORIES = how_many(1_500)
Drawn = tuple[str, Any, Any]  # f, what was asked, what was answered


def of_bank(random: Random) -> Drawn:
    if random.random() < 0.4:
        told = {name: random.choice([0, 1, 2, 3, None, -1]) for name in random.sample("abc", 2)}
        return "read", None, told
    source, target = random.choices("abc", k=2)
    asked = {"from": source, "to": target, "amount": random.choice([0, 1, 2])}
    return "transfer", asked, random.choice([None, None, None, False])


def of_registers(random: Random) -> Drawn:
    micro_ops = []
    for _ in range(random.randrange(1, 3)):
        f, key = random.choice([":r", "w", "r"]), random.choice(["x", 1, True])
        micro_ops.append([f, key, random.choice([1, 1.0, 2, None])])
    return "txn", micro_ops, random.choice([None, micro_ops])


def of_mutex(random: Random) -> Drawn:
    return random.choice(["acquire", "release"]), None, random.choice([None, True, False])


def of_counter(random: Random) -> Drawn:
    if random.random() < 0.5:
        return "add", random.choice([1, 2, -1]), None
    return "read", None, random.choice([0, 1, 2, 3])


MODELS: list[tuple[Model, Callable[[Random], Drawn]]] = [
    (Bank(), of_bank),
    (Bank({"a": 1, "b": 2}), of_bank),
    (Bank({"a": 1, "b": 2}, negative=True), of_bank),
    (MultiRegister(), of_registers),
    (MultiRegister(1), of_registers),
    (MultiRegister({"x": 2}), of_registers),
    (Mutex(), of_mutex),
    (Mutex("held"), of_mutex),
    (Counter(), of_counter),
    (Counter(2), of_counter),
]


def events(random: Random, draw: Callable[[Random], Drawn]) -> list[dict[str, Any]]:
    """A few processes whose answers are drawn: most histories are not linearizable."""
    found, running = [], {}
    for _ in range(random.randrange(4, 16)):
        process = random.randrange(3)
        if process not in running:
            f, asked, answer = draw(random)
            running[process] = f, asked, answer
            found.append({"process": process, "type": "invoke", "f": f, "value": asked})
            continue
        f, asked, answer = running.pop(process)
        type_ = random.choice(["ok", "ok", "ok", "ok", "fail"])
        value = asked if answer is None or type_ == "fail" else answer
        found.append({"process": process, "type": type_, "f": f, "value": value})
    return found


@pytest.mark.parametrize(("model", "draw"), MODELS)
def test_the_search_in_cells_agrees_with_all_orders(
    model: Model, draw: Callable[[Random], Drawn]
) -> None:
    seen = {True: 0, False: 0}
    for seed in range(HISTORIES // 10):
        history = History.of_events(events(Random(seed), draw))
        rows = counting(history, model, "observe")
        if not len(rows):
            continue
        expected = linearizable(history, rows, model)
        assert check(history, model, engine="search").valid is expected, seed
        seen[expected] += 1
    assert min(seen.values()) > HISTORIES / 100, seen


@pytest.mark.parametrize(("model", "draw"), MODELS)
def test_each_walk_is_the_same(model: Model, draw: Callable[[Random], Drawn]) -> None:
    """Wherever operations lead, cells and states are possible and equal at the same time."""
    random = Random(1)
    for _ in range(60):
        drawn = [draw(random) for _ in range(8)]
        ops = [op_of(each, random.choice(["ok", "ok", "info"])) for each in drawn]
        assert isinstance(model, InCells)
        cells = model.in_cells(ops)
        assert cells is not None
        by_step = _Transitions(model, ops)
        state, held = 0, list(cells.first)
        for _ in range(12):
            kind = random.randrange(len(ops))
            after, then = by_step(state, kind), walked(held, cells.steps[kind])
            assert (after < 0) is (then is None), (ops[kind], by_step.states[state])
            if then is not None:
                state, held = after, then


def op_of(drawn: Drawn, outcome: str) -> Op:
    f, asked, answer = drawn
    known = answer if outcome == "ok" else None
    return Op(0, 0, f, None, asked, known, outcome, 0, 1)  # type: ignore[arg-type]


def walked(held: list[int], steps: Any) -> list[int] | None:
    """What the steps say, as `checker/models/cells.py` tells it."""
    held = list(held)
    for act, cell, value in steps:
        was = held[cell]
        is_possible = {
            ASK: was == value,
            LEARN: was in (value, UNKNOWN),
            NOT_NEGATIVE: was == UNKNOWN or was >= 0,
            NEVER: False,
        }
        if not is_possible.get(act, True):
            return None
        if act in (SET, LEARN):
            held[cell] = value
        elif act == ADD and was != UNKNOWN:
            held[cell] += value
    return held


def test_what_does_not_fit_is_refused_and_fractions_are_left_to_steps() -> None:
    halves = [op_of(("add", 0.5, None), "ok"), op_of(("read", None, 0.5), "ok")]
    assert Counter().in_cells(halves) is None
    assert Counter().in_cells([op_of(("add", 2**70, None), "ok")]) is None
    assert Bank({"a": 1.5}).in_cells([op_of(("read", None, {"a": 1}), "ok")]) is None
    for name in ("mutex", "counter", "bank", "multi-register"):
        model = load_model(name)
        assert isinstance(model, InCells)
        with pytest.raises(ModelError, match="does not fit the history"):
            model.in_cells([op_of(("sing", "la", None), "ok")])
