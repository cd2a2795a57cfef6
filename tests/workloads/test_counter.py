"""The workload counter: additions by compare-and-set, and what is found if one is lost."""

import json
from typing import Any

import pytest
from conftest import Partita
from registers_in_memory import Registers

from partita.checker import History
from partita.workloads.client import Definite, Indefinite, Mismatch
from partita.workloads.counter import Counter


def asked(workload: Counter, client: Any, *fs: str) -> list[Any]:
    """Carry operations out and return their answers."""
    return [workload.invoke(client, f, "c", workload.step, 1e12) for f in fs]


def test_adds_add_up() -> None:
    workload, store = Counter(step=3), Registers()
    assert asked(workload, store, "read")[0].value == 0
    asked(workload, store, "add", "add")
    assert asked(workload, store, "read")[0].value == 6
    asked(workload, Registers(None, Mismatch()), "add")  # a loop goes on after a mismatch


def test_what_was_not_written_is_certain_and_what_may_have_been_is_not() -> None:
    with pytest.raises(Definite, match="could not read it first: lost"):
        asked(Counter(), Registers(Indefinite("lost")), "add")
    with pytest.raises(Indefinite):
        asked(Counter(), Registers(None, Indefinite("lost")), "add")
    with pytest.raises(Definite, match="mismatch 1 times"):
        Counter().invoke(Registers(None, Mismatch()), "add", "c", 1, 0.0)


@pytest.mark.parametrize(("read", "valid"), [(2, True), (1, False), (3, False)])
def test_a_lost_addition_is_found(read: int, valid: bool) -> None:
    events = [
        {"type": kind, "process": 0, "f": f, "value": value}
        for f, given, answer in (("add", 1, 1), ("add", 1, 1), ("read", None, read))
        for kind, value in (("invoke", given), ("ok", answer))
    ]
    (check,) = Counter.checks
    assert check.judge(History.of_events(events), check.levels).levels == {"linearizable": valid}


@pytest.mark.cluster
@pytest.mark.parametrize("system", ["etcd", "consul"])
def test_it_runs_on_real_stores(partita: Partita, system: str) -> None:
    done = partita(
        "test", system, "-w", "counter", "--local", "3", "--time-limit", "6", "--rate", "40",
        "--schedule", "2s kill one; 4s heal", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["load_ok"]["add"] > 30
