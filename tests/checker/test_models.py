"""Models: what each operation does to the state, and which are not possible."""

import sys
from pathlib import Path
from typing import Any

import pytest

from partita.checker.history import Op, Outcome
from partita.checker.models.model import ModelError, load_model
from partita.checker.plugins import names


def op(f: str, value: Any = None, output: Any = None, outcome: Outcome = "ok") -> Op:
    return Op(0, 0, f, None, value, output, outcome, 0, 1)


def after(name: str, *ops: Op, initial: Any = None) -> Any:
    """The state after the operations, None from the first one that is not possible."""
    model = load_model(name, initial)
    state = model.initial
    for each in ops:
        if state is not None:
            state = model.step(state, each)
    return state


def test_cas_register() -> None:
    assert after("cas-register", op("read", output=None), op("cas", [None, 3])) == (3,)
    assert after("cas-register", op("write", 3), op("cas", [3, None])) == (None,)
    assert after("cas-register", op("write", 3), op("read", output=4)) is None
    assert after("cas-register", op("write", 3), op("cas", [4, 5])) is None
    assert after("cas-register", op("write", [1]), op("read", output=[1])) == ((1,),)
    assert after("cas-register", op("read", outcome="info")) == (None,)


def test_a_mismatch_is_an_observation() -> None:
    mismatch = op("cas", [3, 4], outcome="fail")
    assert after("cas-register", op("write", 3), mismatch) is None
    assert after("cas-register", op("write", 5), mismatch) == (5,)
    saw_five = op("cas", [3, 4], output=5, outcome="fail")
    assert after("cas-register", op("write", 5), saw_five) == (5,)
    assert after("cas-register", op("write", 6), saw_five) is None


def test_null_is_unrecorded_where_registers_start_with_a_value() -> None:
    assert after("cas-register", op("read", output=None), initial=0) == (0,)
    assert after("register", op("write", 1), op("read", output=None), initial=0) == (1,)
    assert after("register", op("write", 1), op("read", output=None)) is None


def test_multi_register() -> None:
    write = op("txn", [[":write", "x", 1], [":write", "y", 2]], [[":write", "x", 1]])
    read = op("txn", [[":read", "x", None]], [[":read", "x", 1], [":read", "y", None]])
    assert after("multi-register", write, read) is not None
    assert after("multi-register", read) is None
    assert after("multi-register", read, initial={"x": 1}) is not None
    zeros = op("txn", [], [[":read", "x", 0], [":read", "y", 0]])
    assert after("multi-register", zeros, initial=0) is not None


def test_mutex_queue_set_counter_append_and_kv() -> None:
    assert after("mutex", op("acquire"), op("release")) == "free"
    assert after("mutex", op("release")) is None
    fill = (op("enqueue", 1), op("enqueue", 2))
    assert after("fifo-queue", *fill, op("dequeue", output=1)) == (2,)
    assert after("fifo-queue", *fill, op("dequeue", output=2)) is None
    assert after("fifo-queue", op("dequeue", output=None)) == ()
    null = op("enqueue")
    assert after("fifo-queue", null, fill[0], op("dequeue", output=None)) == (1,)
    assert after("fifo-queue", fill[0], null, op("dequeue", output=None)) is None
    assert after("set", op("add", 2), op("add", 1), op("read", output=[1, 2])) == {1, 2}
    assert after("set", op("add", 2), op("read", output=[])) is None
    assert after("counter", op("add", 2), op("add", -5), op("read", output=-3)) == -3
    assert after("append", op("append", 2), op("add", 1), op("read", output=[2, 1])) == (2, 1)
    assert after("kv", op("put", "a"), op("append", "b"), op("get", output="ab")) == "ab"
    assert after("kv", op("get", output="")) == ""
    assert after("kv", op("put", 0), op("get", output=0)) == 0


@pytest.mark.parametrize("name", names("models"))
def test_a_foreign_operation_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match=name):
        after(name, op("jump"))


@pytest.mark.parametrize(
    ("name", "ops"),
    [
        ("multi-register", [op("txn", 7, 7)]),
        ("multi-register", [op("txn", [[":write", "x"]])]),
        ("multi-register", [op("txn", [[":write", ["x"], 1]])]),
        ("multi-register", [op("txn")]),
        ("set", [op("read", output=7)]),
        ("counter", [op("add", "x")]),
        ("counter", [op("add")]),
        ("kv", [op("put")]),
        ("kv", [op("put", ["x"])]),
        ("kv", [op("put", 1), op("append", "x")]),
        ("kv", [op("append", 1)]),
    ],
)
def test_a_value_that_the_model_has_not_is_refused(name: str, ops: list[Op]) -> None:
    with pytest.raises(ModelError, match=f"model {name} does not fit the history"):
        after(name, *ops)


@pytest.mark.parametrize(
    ("name", "initial"),
    [("fifo-queue", 1), ("set", 1), ("counter", "x"), ("append", {}), ("kv", [1]), ("mutex", 1)],
)
def test_an_initial_value_that_the_model_has_not_is_refused(name: str, initial: Any) -> None:
    with pytest.raises(ModelError, match=name):
        load_model(name, initial)


def test_a_users_model_may_be_a_dataclass(tmp_path: Path) -> None:
    path = tmp_path / "light.py"
    path.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\n"
        "class Light:\n"
        "    name: str = 'light'\n"
        "    initial: str = 'off'\n"
        "    def step(self, state, op):\n"
        "        return 'on' if state == 'off' else None\n"
    )
    modules = set(sys.modules)
    assert after(f"{path}:Light", op("switch")) == "on"
    path.write_text("raise KeyError(1)\n")
    with pytest.raises(ModelError, match=r"light.py cannot be imported: KeyError: 1"):
        load_model(f"{path}:Light")
    assert set(sys.modules) <= modules | {"dataclasses"}


def test_a_users_own_model(tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    path.write_text(
        "class Light:\n"
        "    name, initial = 'light', 'off'\n"
        "    def step(self, state, op):\n"
        "        return 'on' if state == 'off' else None\n"
    )
    assert after(f"{path}:Light", op("switch")) == "on"
    with pytest.raises(ModelError, match="defines no Lamp"):
        load_model(f"{path}:Lamp")
    with pytest.raises(ModelError, match="no file"):
        load_model("nowhere.py:Light")
    with pytest.raises(ModelError, match="cas-register"):
        load_model("cas")
