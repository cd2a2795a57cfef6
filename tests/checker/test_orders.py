"""Orders in hand: each engine's is replayed, and how far an invalid history has one."""

import re
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from histories import Event, append_events, keyed, model_events, register_events, run_events
from oracle import rows_by_key
from seeds import how_many
from small_objects import KINDS, long_events, object_events, plant
from test_search import PLANS, OwnRegister

from partita.checker import History, Limits, Model, Verdict, check, load_model
from partita.checker.linearizability.check import counting
from partita.checker.linearizability.engine import engines
from partita.checker.linearizability.order import beginning, begun
from partita.checker.linearizability.reference import linearizable
from partita.checker.linearizability.replay import replay
from partita.checker.linearizability.search import order as searched
from partita.checker.verdict import Finding, Mismatch

# How many small histories of each kind are looked at; a longer run: PARTITA_HISTORIES=1000000.
HISTORIES = how_many(1_000)
BATCH = 1_000

MODEL_OF_KIND = {"kv-append": "kv", "kv-mixed": "kv", "members": "set"}


def of_objects(kind: str) -> Callable[[int], list[Event]]:
    def draw(seed: int) -> list[Event]:
        random = Random(seed)
        return object_events(random, kind, random.randrange(2, 9))

    return draw


def of_registers(seed: int) -> list[Event]:
    random = Random(seed)
    return register_events(random, random.randrange(2, 9), unique=random.random() < 0.6)


def of_lists(seed: int) -> list[Event]:
    random = Random(seed)
    return append_events(random, random.randrange(2, 9))


DRAWN: list[tuple[str, str, Callable[[int], list[Event]], Mismatch]] = [
    *((kind, MODEL_OF_KIND.get(kind, kind), of_objects(kind), "observe") for kind in KINDS),
    ("register", "cas-register", of_registers, "observe"),
    ("register, mismatches ignored", "cas-register", of_registers, "ignore"),
    ("list", "append", of_lists, "observe"),
]


@pytest.mark.parametrize(("_", "name", "draw", "mismatch"), DRAWN, ids=[each[0] for each in DRAWN])
def test_every_valid_of_every_engine_is_replayed(
    _: str, name: str, draw: Callable[[int], list[Event]], mismatch: Mismatch
) -> None:
    model = load_model(name)
    proven: Counter[str] = Counter()
    for first in range(0, HISTORIES, BATCH):
        history = History.of_events(keyed(map(draw, range(first, first + BATCH))))
        for rows in rows_by_key(history, counting(history, model, mismatch)):
            for engine in engines().values():
                if not engine.fits(model):
                    continue
                found = engine.decide(history, rows, model, Limits(), mismatch)
                if isinstance(found, Finding) and found.valid is True:
                    assert engine.order is not None
                    wrong = replay(
                        history, model, engine.order(history, rows, model, Limits()), rows
                    )
                    assert wrong is None, f"seed {first + history.key[rows[0]]}, {engine}: {wrong}"
                    proven[engine.name] += 1
    assert proven.pop("search") > HISTORIES / 2
    assert sum(proven.values()) > HISTORIES / 3


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_every_way_to_search_gives_an_order(plan: Any) -> None:
    names = ["cas-register", "multi-register", "mutex", "fifo-queue", "set", "counter", "kv"]
    models: list[Model] = [*map(load_model, names), OwnRegister()]
    proven = 0
    for model in models:
        for seed in range(60):
            random = Random(seed)
            of_registers = model.name in ("cas-register", "own")
            events = (
                register_events(random, random.randrange(2, 9), unique=False)
                if of_registers
                else model_events(random, model, random.randrange(2, 9))
            )
            history = History.of_events(events)
            rows = counting(history, model, "observe")
            if linearizable(history, rows, model):
                wrong = replay(history, model, searched(history, rows, model, Limits(), plan), rows)
                assert wrong is None, f"{model.name}, seed {seed}: {wrong}"
                proven += 1
    assert proven > 200


@pytest.mark.parametrize("beam", [1, 4])
def test_orders_of_long_searches_with_crashed_operations(beam: int) -> None:
    model = load_model("cas-register")
    proven = 0
    for seed in range(40):
        random = Random(seed)
        events = run_events(random, 600, random.randrange(3, 9), unique=False, crash=0.1)
        history = History.of_events(events)
        rows = counting(history, model, "observe")
        plan = type(PLANS["usual"])(beam, plenty=1, descents="none")
        if check(history, model, engine="search").valid is True:
            assert (
                replay(history, model, searched(history, rows, model, Limits(), plan), rows) is None
            )
            proven += 1
    assert proven > 10


@pytest.mark.parametrize("kind", KINDS)
def test_a_long_history_is_proven_and_a_violation_cuts_it_off(kind: str) -> None:
    model = load_model(MODEL_OF_KIND.get(kind, kind))
    events = long_events(Random(1), kind, 2_000, 10, 0.02)
    history = History.of_events(events)
    verdict = check(history, model)
    assert verdict.valid is True
    assert wrong_with(history, model, verdict) is None
    plant(kind, events)
    history = History.of_events(events)
    verdict = check(history, model)
    order = verdict.order
    assert verdict.valid is False
    assert order is not None and order.end is not None
    assert order.end > 3_000
    assert [history.completed_rank[row] for row in order.stuck] == [order.end]
    assert wrong_with(history, model, verdict) is None


def wrong_with(history: History, model: Model, verdict: Verdict) -> str | None:
    """Replay a verdict's order, key by key."""
    order = verdict.order
    assert order is not None
    rows = counting(history, model, "observe")
    rows = rows if order.end is None else begun(history, rows, order.end)
    for own in rows_by_key(order.history, rows) if len(rows) else []:
        key = order.history.key[own[0]]
        part = order.rows[order.history.key[order.rows] == key]
        if wrong := replay(order.history, model, part, own):
            return f"key {key}: {wrong}"
    latest = np.maximum.accumulate(order.history.invoked_rank[order.rows])
    late = order.history.completed_rank[order.rows] < latest
    return "keys are put together out of time" if late.any() else None


@pytest.mark.parametrize(("_", "name", "draw", "mismatch"), DRAWN, ids=[each[0] for each in DRAWN])
def test_the_longest_beginning_is_the_oracles(
    _: str, name: str, draw: Callable[[int], list[Event]], mismatch: Mismatch
) -> None:
    model = load_model(name)
    invalid = 0
    for seed in range(HISTORIES // 8):
        history = History.of_events(draw(seed))
        verdict = check(history, model, mismatch=mismatch)
        if verdict.valid is not False:
            continue
        invalid += 1
        order, rows = verdict.order, counting(history, model, mismatch)
        assert order is not None and order.end is not None
        counted = begun(history, rows, order.end)
        assert replay(order.history, model, order.rows, counted) is None, f"seed {seed}"
        longer = order.end + 1
        over = linearizable(beginning(history, longer), begun(history, rows, longer), model)
        assert not over, f"seed {seed}"
    assert invalid > HISTORIES / 100


def test_orders_of_several_keys_are_put_together() -> None:
    events = [*keyed([of_registers(seed) for seed in range(50)])]
    Random(1).shuffle(keys := [event["key"] for event in events])
    queues = {key: [each for each in events if each["key"] == key] for key in set(keys)}
    mixed = [queues[key].pop(0) for key in keys]
    model = load_model("cas-register")
    for own in (mixed, [each for each in mixed if is_valid(each["key"])]):
        history = History.of_events(own)
        verdict = check(history, model)
        assert verdict.valid is (own is not mixed)
        assert verdict.order is not None
        assert (verdict.order.end is None) is (verdict.valid is True)
        assert wrong_with(history, model, verdict) is None


def is_valid(seed: int) -> bool:
    return check(History.of_events(of_registers(seed)), "cas-register").valid is True


def test_it_is_looked_for_once_and_only_when_asked() -> None:
    verdict = check(History.of_events(long_events(Random(1), "fifo-queue", 20, 3, 0)), "fifo-queue")
    assert verdict.find_order is not None
    assert verdict.order is verdict.order
    assert "find_order" not in repr(verdict)


def test_what_is_unknown_has_no_order() -> None:
    events = long_events(Random(1), "unordered-queue", 50, 3, 0)
    verdict = check(History.of_events(events), "unordered-queue", time_limit=0)
    assert (verdict.valid, verdict.order) == ("unknown", None)


def read_and_write() -> History:
    write = {"process": 0, "f": "write", "value": 1}
    read = {"process": 1, "f": "read", "value": None}
    late = {"process": 2, "f": "write", "value": 2}
    return History.of_events(
        [
            *[{**write, "type": type_} for type_ in ("invoke", "ok")],
            *[{**late, "type": type_} for type_ in ("invoke", "info")],
            {**read, "type": "invoke"},
            {**read, "type": "ok", "value": 1},
        ]
    )


@pytest.mark.parametrize(
    ("order", "wrong"),
    [
        ([0, 2], None),
        ([0, 2, 1], None),
        ([2, 0], r"^process 0's write 1 .* was over before process 1's read of 1 .* stands before"),
        ([0, 1, 2], r"^process 1's read of 1 .* is not possible where it stands$"),
        ([0], r"^process 1's read of 1 .* is not there$"),
        ([0, 2, 2], r"^process 1's read of 1 .* is there more than once$"),
        ([0, 2, 7], r"^operation 7 is none of those that count$"),
    ],
)
def test_a_replay_says_what_is_wrong(order: list[int], wrong: str | None) -> None:
    found = replay(read_and_write(), load_model("cas-register"), order)
    assert found is wrong if found is None or wrong is None else re.search(wrong, found)


class Tiring(Model):
    """A register whose steps take longer once it is `tired`: the limit is then reached."""

    name = "tiring"
    initial = None
    tired = False

    def step(self, state: Any, op: Any) -> Any:
        if self.tired:
            time.sleep(0.02)
        if op.f == "write":
            return op.input
        return state if op.outcome == "info" or op.output == state else None


def many_writes() -> list[Event]:
    events = []
    for number in range(1, 400):
        for f, asked, answer in (("write", number, number), ("read", None, number)):
            event = {"process": 0, "f": f}
            events += [{**event, "type": "invoke", "value": asked},
                       {**event, "type": "ok", "value": answer}]  # fmt: skip
    return events


def test_an_order_takes_no_longer_than_the_check_might() -> None:
    model = Tiring()
    verdict = check(History.of_events(many_writes()), model, time_limit=0.5)
    assert verdict.valid is True
    model.tired = True
    begin = time.monotonic()
    assert verdict.order is None
    assert verdict.why_no_order == "time limit reached before the order was found"
    assert time.monotonic() - begin < 5  # and not 16 s


def test_a_beginning_that_was_cut_short_is_not_called_the_longest() -> None:
    model = Tiring()
    events = many_writes()
    events[-1]["value"] = 7
    verdict = check(History.of_events(events), model, time_limit=0.5)
    assert verdict.valid is False
    whole = verdict.order
    assert whole is not None and whole.longest and whole.beginning(3) is not None
    again = check(History.of_events(events), model, time_limit=0.5)
    model.tired = True
    order = again.order
    assert order is not None and not order.longest and order.beginning(3) is None
    assert order.end is not None and whole.end is not None and order.end < whole.end
