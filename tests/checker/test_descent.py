"""The descent: what it finds is an order, what it refutes has none, and it is quick."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from histories import Event, keyed, model_events, register_events
from oracle import rows_by_key
from seeds import how_many
from small_objects import KINDS, long_events, object_events
from test_search import OwnRegister

from partita.checker.history import History, IntColumn, Op
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.replay import replay
from partita.checker.linearizability.search import Plan, order, search
from partita.checker.models.model import Model, ModelError, load_model
from partita.checker.verdict import Finding, Limits

# How many small histories of each kind are compared; a longer run: PARTITA_HISTORIES=1000000.
HISTORIES = how_many(600)
BATCH = 1_000
ALONE = Plan(descents="alone")
NONE = Plan(descents="none")
# Breadth first, with nothing left out.
WHOLE = Plan(beam=0, descents="none", explains=False)
FIVE = {str(account): 100 for account in range(5)}


def searched(history: History, rows: IntColumn, model: Model, plan: Plan) -> Finding:
    finding = search(history, rows, model, Limits(), "observe", plan)
    assert finding is not None
    return finding


def found(history: History, model: Model, plan: Plan, seconds: float | None = None) -> Finding:
    limits = Limits(None if seconds is None else time.monotonic() + seconds)
    finding = search(history, counting(history, model, "observe"), model, limits, "observe", plan)
    assert finding is not None
    return finding


def of_objects(kind: str) -> Callable[[Random], list[Event]]:
    return lambda random: object_events(random, kind, random.randrange(2, 9))


def of_model(name: str) -> Callable[[Random], list[Event]]:
    model = load_model(name)
    return lambda random: model_events(random, model, random.randrange(2, 8))


def of_registers(random: Random) -> list[Event]:
    return register_events(random, random.randrange(2, 8), unique=random.random() < 0.5)


MODEL_OF_KIND = {"kv-append": "kv", "kv-mixed": "kv", "members": "set"}
DRAWN: list[tuple[str, Model, Callable[[Random], list[Event]]]] = [
    *((kind, load_model(MODEL_OF_KIND.get(kind, kind)), of_objects(kind)) for kind in KINDS),
    *((name, load_model(name), of_model(name)) for name in ("multi-register", "mutex")),
    ("register", load_model("cas-register"), of_registers),
    ("own register", OwnRegister(), of_registers),
]


@pytest.mark.timeout(300 + HISTORIES // 10)
@pytest.mark.parametrize(("_", "model", "draw"), DRAWN, ids=[each[0] for each in DRAWN])
def test_it_agrees_with_the_oracle(
    _: str, model: Model, draw: Callable[[Random], list[Event]]
) -> None:
    answers = Counter[tuple[bool, Any]]()
    whole = replace(ALONE, explains=False)
    for first in range(0, HISTORIES, BATCH):
        seeds = range(first, min(first + BATCH, HISTORIES))
        history = History.of_events(keyed(draw(Random(seed)) for seed in seeds))
        for rows in rows_by_key(history, counting(history, model, "observe")):
            seed = first + history.key[rows[0]]
            expected = linearizable(history, rows, model)
            plan = replace(whole, few=32 if seed % 2 else 0)
            answer = searched(history, rows, model, plan)
            answers[expected, answer.valid] += 1
            if expected:
                found_order = order(history, rows, model, Limits(), plan)
                wrong = replay(history, model, found_order, rows)
                assert wrong is None, f"seed {seed}: {wrong}"
            else:
                dead = searched(history, rows, model, WHOLE)
                assert answer.operations == dead.operations, f"seed {seed}"
    assert set(answers) == {(True, True), (False, False)}
    assert min(answers.values()) > HISTORIES / 60


def simulated(
    model: Model, draw: Callable[[Random], Event], operations: int, crash: float
) -> History:
    """Return a history of ten processes, linearizable: each operation has an effect between.

    What is drawn without a value is a read. Of those that crash, half had no effect.
    """
    random = Random(1)
    state, events, begun = model.initial, [], 0
    running: dict[int, Event | None] = dict.fromkeys(range(10))
    while begun < operations or any(running.values()):
        process, op = random.choice(list(running.items()))
        if op is None:
            if begun < operations:
                op = running[process] = draw(random) | {"process": process}
                events.append(op | {"type": "invoke"})
            begun += 1
        elif "type" not in op:
            crashes = op["value"] is not None and random.random() < crash
            if op["value"] is None:
                op["value"] = dict(state) if isinstance(state, frozenset) else state
            elif not crashes or random.random() < 0.5:
                after = model.step(state, asked(op))
                op["type"] = "fail" if after is None else "ok"
                state = state if after is None else after
            op["type"] = "info" if crashes else op.get("type", "ok")
        else:
            events.append(op)
            del running[process]
            running[process + 10 * (op["type"] == "info")] = None
    return History.of_events(events)


def asked(op: Event) -> Op:
    return Op(0, 0, op["f"], None, op["value"], None, "ok", 0, 1)


def transfer(random: Random) -> Event:
    if random.random() < 0.5:
        return {"f": "read", "value": None}
    source, target = random.sample(range(5), 2)
    moved = {"from": source, "to": target, "amount": random.randrange(1, 6)}
    return {"f": "transfer", "value": moved}


def addition(random: Random) -> Event:
    is_read = random.random() < 0.5
    return {"f": "read" if is_read else "add", "value": None if is_read else random.randrange(1, 6)}


def text(random: Random) -> Event:
    f = random.choice(["get", "get", "append", "put"])
    return {"f": f, "value": None if f == "get" else f"{random.random():.6f} "}


@pytest.mark.parametrize("crash", [0, 0.05])
def test_a_bank_with_five_accounts(crash: float) -> None:
    """As in Porcupine's issue 6, where 400 operations are not decided."""
    model = load_model("bank", FIVE)
    history = simulated(model, transfer, 400, crash)
    finding = found(history, model, Plan(), seconds=5)
    assert finding.valid is True
    rows = counting(history, model, "observe")
    assert replay(history, model, order(history, rows, model, Limits())) is None


@pytest.mark.parametrize(
    ("name", "draw", "operations", "crash"),
    [("counter", addition, 4_000, 0.02), ("kv", text, 2_000, 0.02), ("kv", text, 4_000, 0)],
)
def test_long_histories(
    name: str, draw: Callable[[Random], Event], operations: int, crash: float
) -> None:
    model = load_model(name)
    history = simulated(model, draw, operations, crash)
    finding = found(history, model, ALONE, seconds=60)
    assert finding.valid is True, finding
    assert finding.details["configurations"] < 300 * operations
    rows = counting(history, model, "observe")
    assert replay(history, model, order(history, rows, model, Limits(), ALONE), rows) is None


def test_what_no_crashed_operation_is_needed_for_is_not_tried_with_any() -> None:
    history = simulated(load_model("counter"), addition, 2_000, 0)
    assert found(history, load_model("counter"), ALONE).details["configurations"] < 40_000


def done(process: int, f: str, value: Any, type_: str = "ok") -> list[Event]:
    op = {"process": process, "f": f, "value": value}
    asked = None if f in ("get", "read", "dequeue") else value
    return [op | {"type": "invoke", "value": asked}, op | {"type": type_}]


def test_a_crashed_operation_may_be_due_before_one_that_does_not_need_it() -> None:
    events = [*done(0, "append", "a", "info"), *done(1, "append", "b"), *done(2, "get", "ab")]
    history = History.of_events(events)
    assert found(history, load_model("kv"), ALONE).valid is True


def test_several_crashed_operations_in_a_row() -> None:
    crashed = [each for number in range(3) for each in done(number, "append", f"{number}", "info")]
    events = [*crashed, *done(3, "append", "x"), *done(4, "get", "x"), *done(5, "append", "y")]
    events += [*done(6, "append", "z"), *done(7, "get", "x1y0z")]
    assert found(History.of_events(events), load_model("kv"), ALONE).valid is True


def test_a_crashed_operation_is_used_once_and_not_before_it_began() -> None:
    read = [*done(1, "read", 2), *done(2, "read", 4)]
    once = History.of_events([*done(0, "add", 2, "info"), *read])
    assert found(once, load_model("counter"), ALONE).valid is False
    late = History.of_events([*read[:2], *done(0, "add", 2, "info")])
    assert found(late, load_model("counter"), ALONE).valid is False
    twice = History.of_events([*done(0, "add", 2, "info"), *done(5, "add", 2, "info"), *read])
    assert found(twice, load_model("counter"), ALONE).valid is True


def test_an_invalid_history_is_explained_the_same_beside_a_descent() -> None:
    events = long_events(Random(1), "kv-append", 200, 5, 0)
    answers = [each for each in events if each["f"] == "get" and each["type"] == "ok"]
    answers[-1]["value"] += "nobody wrote this"
    history = History.of_events(events)
    alone = found(history, load_model("kv"), NONE)
    beside = found(history, load_model("kv"), Plan())
    assert alone.valid is beside.valid is False
    assert alone.operations == beside.operations
    assert alone.explanation == beside.explanation


class Overwritten:
    """A register that says what overwrites it; `put 3` does not always."""

    name = "overwritten"
    initial = 0
    overwrites = ("put",)

    def step(self, state: Any, op: Any) -> Any:
        if op.f == "put":
            return None if op.input == 3 and state == 1 else op.input
        return state if state == op.output else None


def test_what_is_declared_to_overwrite_is_held_to_it() -> None:
    right = [*done(0, "put", 1), *done(1, "put", 2), *done(2, "get", 2)]
    assert found(History.of_events(right), Overwritten(), Plan()).valid is True
    wrong = [*done(0, "put", 1), *done(1, "put", 3), *done(2, "get", 3)]
    with pytest.raises(ModelError, match="declares 'put' among its overwrites, but"):
        found(History.of_events(wrong), Overwritten(), Plan())
