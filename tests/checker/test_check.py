"""check as a whole: keys, engines, limits, executors."""

import subprocess
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from histories import append_events, register_events

from partita.checker import History, ModelError, Op, check
from partita.checker.values import NULL

Event = dict[str, Any]


def write(process: int, value: Any, key: Any = None) -> list[Event]:
    event = {"process": process, "f": "write", "key": key, "value": value}
    return [{**event, "type": "invoke"}, {**event, "type": "ok"}]


def read(process: int, value: Any, key: Any = None) -> list[Event]:
    event = {"process": process, "f": "read", "key": key}
    return [{**event, "type": "invoke", "value": None}, {**event, "type": "ok", "value": value}]


STALE = [*write(0, 1, "stale"), *write(0, 2, "stale"), *read(1, 1, "stale")]


def endless(key: Any, width: int = 24) -> list[Event]:
    """A queue in which so many were put in together that no search comes to an end soon.

    Each value is put in twice, so that no monitor decides it: the last that is taken comes later.
    """
    events = []
    for number in range(width):
        event = {"process": (key, number).__hash__() % 10**9, "f": "enqueue", "key": key}
        events.append({**event, "type": "invoke", "value": number // 2})
    events += [{**event, "type": "ok"} for event in events]
    last = {"process": -1 - key, "f": "dequeue", "key": key}
    for number in range(width):
        events.append({**last, "type": "invoke", "value": None})
        value = width + 1 if number == width - 1 else number // 2
        events.append({**last, "type": "ok", "value": value})
    later = {**last, "f": "enqueue", "value": width + 1}
    return [*events, *2 * [{**later, "type": "invoke"}, {**later, "type": "ok"}]]


def test_a_register_and_what_is_said_of_it() -> None:
    verdict = check(History.of_events(STALE))
    assert (verdict.valid, verdict.engine, verdict.model) == (False, "chain", "cas-register")
    assert (verdict.operations, verdict.keys) == (3, 1)
    assert verdict.counterexample is not None
    assert verdict.counterexample.key == "stale"
    assert verdict.counterexample.operations == (0, 1, 2)


def test_what_was_said_to_have_failed_is_shown_beside_who_met_it() -> None:
    refused = [
        {"process": 0, "type": each, "f": "write", "value": 2} for each in ("invoke", "fail")
    ]
    history = History.of_events([*write(1, 1, None), *refused, *read(2, 2, None)])
    verdict = check(history)
    assert verdict.valid is False and verdict.counterexample is not None
    assert "would have, but failed." in verdict.counterexample.explanation
    assert verdict.counterexample.operations == (1, 2)


def test_a_crashed_cas_that_nobody_saw_proves_nothing() -> None:
    asked = [(1, "read", None), (2, "cas", [0, 1]), (3, "cas", [0, 3]), (0, "write", 0)]
    read, *others, late = [
        {"process": process, "f": f, "value": value, "type": "invoke"}
        for process, f, value in asked
    ]
    history = History.of_events([read, *others, {**read, "type": "ok", "value": 3}, late])
    verdict = check(history)
    assert verdict.valid is False and verdict.counterexample is not None
    assert "process 3's cas from 0 to 3 shows it" in verdict.counterexample.explanation
    assert verdict.counterexample.operations == (0, 2, 3)


def test_keys_are_independent() -> None:
    events = [*write(0, 1, "a"), *read(0, None, "b"), *write(1, 2, "b"), *read(0, 1, "a")]
    verdict = check(History.of_events(events))
    assert (verdict.valid, verdict.keys) == (True, 2)


def test_nothing_to_check_is_unknown() -> None:
    verdict = check(History.of_events([]))
    assert (verdict.valid, verdict.reason) == ("unknown", "nothing to check: no operations")


def test_a_read_of_null_was_not_recorded_where_null_never_was() -> None:
    events = [*write(0, 1), *read(1, None)]
    assert check(History.of_events(events)).valid is False
    assert check(History.of_events(events), initial=0).valid is True


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [
        ("mutex", "chain", "engine chain is for registers only, not for model mutex"),
        ("cas-register", "append", "engine append is for the model append only"),
        ("cas-register", "quick", "no engine is called 'quick'"),
        ("register", "auto", "does not fit the history"),
        ("nothing", "auto", "no model is called 'nothing'"),
        ("nowhere.py:Model", "auto", "there is no file nowhere.py"),
    ],
)
def test_what_does_not_fit_is_refused(model: str, engine: str, message: str) -> None:
    cas = {"process": 0, "f": "cas", "value": [1, 2]}
    events = [*write(0, 1), {**cas, "type": "invoke"}, {**cas, "type": "ok"}]
    with pytest.raises(ModelError, match=message):
        check(History.of_events(events), model, engine=engine)


def test_one_engine_alone_says_that_it_does_not_apply() -> None:
    verdict = check(History.of_events([*write(0, 1), *write(0, 1), *read(0, 1)]), engine="chain")
    assert verdict.valid == "unknown"
    assert verdict.reason == "engine chain does not apply to these operations"


@pytest.mark.parametrize("limit", [0.3, 1.0])
def test_the_time_limit_is_obeyed(limit: float) -> None:
    took = []
    for _ in range(5):  # a busy machine may keep it from ending in time, but not always
        begin = time.monotonic()
        verdict = check(History.of_events(endless(0)), "fifo-queue", time_limit=limit)
        took.append(time.monotonic() - begin)
        assert verdict.valid == "unknown"
        assert verdict.reason is not None and verdict.reason.startswith("time limit reached")
        assert limit <= took[-1]
        if took[-1] < 1.1 * limit + 0.1:
            break
    assert min(took) < 1.1 * limit + 0.1


def test_keys_that_take_for_ever_do_not_hide_an_invalid_one() -> None:
    bad = {"process": 77, "f": "dequeue", "key": 9, "value": None}
    events = [*endless(0), *endless(1), *endless(2), {**bad, "type": "invoke"}]
    events.append({**bad, "type": "ok", "value": 5})
    verdict = check(History.of_events(events), "fifo-queue", time_limit=20)
    assert verdict.valid is False
    assert verdict.seconds < 10
    assert verdict.counterexample is not None and verdict.counterexample.key == 9


def test_ctrl_c_stops_at_once(tmp_path: Path) -> None:
    """Also inside of the native search, and although threads are at work."""
    path = tmp_path / "h.jsonl"
    History.of_events([*endless(0), *endless(1)]).write(path)
    program = f"""
import os, signal, threading, time
from partita.checker import History, check
history = History.read({str(path)!r})
threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT]).start()
begin = time.monotonic()
try:
    check(history, "fifo-queue")
except KeyboardInterrupt:
    print(time.monotonic() - begin)
"""
    # Its threads must not keep it from ending, either.
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert 0.9 < float(done.stdout) < 1.5, done.stderr


@dataclass(frozen=True)
class Slow:
    """A model whose steps no limit can interrupt."""

    name: str = "slow"
    initial: int = 0

    def step(self, state: int, op: Op) -> int:
        time.sleep(1.5)
        return state


def test_a_slow_model_is_left_behind_at_the_time_limit() -> None:
    begin = time.monotonic()
    events = [event for number in range(3) for event in write(number, 1)]
    verdict = check(History.of_events(events), Slow(), time_limit=0.2)
    assert verdict.valid == "unknown"
    assert time.monotonic() - begin < 2


def keyed(random: Random, make: Any, keys: int) -> list[Event]:
    events = []
    for key in range(keys):
        for event in make(random, key):
            process = event["process"] + 100 * key
            events.append((random.random(), {**event, "key": f"k{key}", "process": process}))
    return [event for _, event in events]


@pytest.fixture(scope="module", params=["threads", "processes", "dask"])
def executor(request: pytest.FixtureRequest) -> Any:
    if request.param == "threads":
        with ThreadPoolExecutor(2) as threads:
            yield threads
    elif request.param == "processes":
        with ProcessPoolExecutor(2) as processes:
            yield processes
    else:
        distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        )
        with cluster, distributed.Client(cluster) as client:
            yield client.get_executor()


def test_executors_find_what_threads_find(executor: Executor) -> None:
    for seed in range(6):
        random = Random(seed)
        events = keyed(random, lambda r, _: register_events(r, 6, unique=r.random() < 0.5), 12)
        history = History.of_events(events)
        here, there = check(history), check(history, executor=executor)
        assert there.valid == here.valid
        if there.counterexample is not None:
            # Several keys may be invalid, and any of them may be found first.
            rows = [
                row for row in range(len(history)) if history[row].key == there.counterexample.key
            ]
            alone = check(history.select(np.array(rows))).counterexample
            assert alone is not None
            assert [rows[each] for each in alone.operations] == list(
                there.counterexample.operations
            )
            assert alone.explanation == there.counterexample.explanation
        lists = History.of_events(keyed(random, lambda r, _: append_events(r, 6), 5))
        assert check(lists, "append", executor=executor).details == check(lists, "append").details


def test_a_selection_keeps_everything_of_its_operations() -> None:
    random = Random(3)
    events = keyed(random, lambda r, _: register_events(r, 8, unique=False), 4)
    history = History.of_events(events)
    rows = (history.key == 2).nonzero()[0]
    part = history.select(rows)
    for at, row in enumerate(rows):
        whole, own = history[int(row)], part[at]
        assert (own.key, own.input, own.output) == (whole.key, whole.input, whole.output)
        assert part.invoked_rank[at] == history.invoked_rank[row]
    assert len(part.values) < len(history.values)
    assert (part.input[part.input != NULL] >= 0).all()


@pytest.mark.parametrize("megabytes", [100, 200, 300])  # Tables grow at different moments.
def test_the_memory_limit_is_obeyed(megabytes: int) -> None:
    program = """
import sys
sys.path[:0] = ["tests", "tests/checker"]
from test_check import endless
from partita.checker import History, check
from partita.harness.commands.verdict_output import peak_memory
history = History.of_events(endless(0))
limit = peak_memory() + int(sys.argv[1])
verdict = check(history, "fifo-queue", memory_limit=limit, time_limit=60)
peak = peak_memory()
print(verdict.valid, verdict.reason, peak / limit, sep="|")
"""
    command = [sys.executable, "-c", program, str(megabytes * 10**6)]
    done = subprocess.run(command, capture_output=True, text=True)
    valid, reason, ratio = done.stdout.split("|")
    assert valid == "unknown", done.stderr
    assert reason.startswith("memory limit reached")
    assert float(ratio) < 1.1
