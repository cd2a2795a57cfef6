"""The workload lock over locks in memory: what holders do, and what is found out."""

import time
from pathlib import Path

import pytest
from locks_in_memory import Locks, Service
from workloads_run import judged, run

from partita.workloads.generator import Generator, Request
from partita.workloads.lock import Lock

QUICK = {"locks": 1, "hold": 0.06, "additions": 2, "wait": 1.0}


def test_a_lock_is_held_by_one_at_a_time_and_nothing_is_lost(tmp_path: Path) -> None:
    service, workload = Service(ttl=60), Lock(**QUICK)
    history = run(workload, [lambda: Locks(service)] * 3, tmp_path)
    found = judged(workload, history)
    assert found.levels == {"exclusive": True}
    assert found.figures["grants"] > 5
    assert found.figures["contended"] > 0
    effect = found.figures["effect"]
    assert effect["additions"] > 10
    assert effect["lost"] == effect["stale"] == 0
    accesses = [event for event in history.others if event.f == "resource"]
    # A holder reads before it writes, and does not write what was written before.
    assert [event.value is None for event in accesses[:4]] == [True, False, True, False]
    written = [event.value for event in accesses if event.value is not None]
    assert len(set(written)) == len(written)


def test_a_store_that_grants_to_everybody_is_found_out(tmp_path: Path) -> None:
    service, workload = Service("shares", ttl=60), Lock(**QUICK)
    found = judged(workload, run(workload, [lambda: Locks(service)] * 3, tmp_path))
    assert found.levels == {"exclusive": False}
    assert "must still have been held" in found.found["exclusive"].explanation
    assert found.figures["effect"]["lost"] > 0
    assert found.figures["longest_overlap_s"] > 0


def test_a_lock_that_nobody_else_wanted_has_shown_nothing(tmp_path: Path) -> None:
    service, workload = Service(), Lock(**QUICK)
    found = judged(workload, run(workload, [lambda: Locks(service)], tmp_path, 0.3))
    assert found.levels == {"exclusive": "unknown"}
    assert "no lock was ever contended" in found.reason


def test_who_is_frozen_does_nothing_and_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    service, workload = Service(ttl=0.2), Lock(**QUICK, ttl=0.5)
    calls: list[float] = []

    def frozen() -> bool:
        """Whether it is: for a while since it was about to write for the first time."""
        calls.append(time.monotonic())
        return len(calls) > 1 and time.monotonic() < calls[1] + 0.7

    sleeper = Locks(service, frozen)
    history = run(workload, [lambda: sleeper, lambda: Locks(service)], tmp_path, 1.4)
    found = judged(workload, history)
    assert found.levels == {"exclusive": True}
    assert found.figures["rules"]["told"]["seconds"] > 0.3
    effect = found.figures["effect"]
    assert effect["lost"] > 0 == effect["lost_fenced"]
    assert sleeper.asked_ttl == 0.5
    read, write, *others = [
        event for event in history.others if event.f == "resource" and event.process == 0
    ]
    assert write.version == read.version
    assert write.time - read.time > 0.7e9
    assert others[0].version == write.version  # and its second addition


def test_the_belief_is_that_of_the_check() -> None:
    assert Lock(belief="deadline").checks[0].belief == "deadline"
    assert Lock().checks[0].belief == "told"


@pytest.mark.parametrize("lost", [False, True])
def test_a_process_whose_program_is_gone_is_never_used_again(tmp_path: Path, lost: bool) -> None:
    service, workload = Service(), Lock(**QUICK)
    made: list[Locks] = []

    def connect() -> Locks:
        made.append(Locks(service, lost=lost))
        return made[-1]

    history = run(workload, [connect], tmp_path, 0.3)
    processes = [op.process for op in history]
    if lost:
        assert len(made) == len(processes) > 2
        assert processes == list(range(len(processes)))
        assert all(client.closed for client in made)
    else:
        assert set(processes) == {0}
        assert len(made) == 1


def test_a_lock_that_is_not_granted_costs_nobody_the_session(tmp_path: Path) -> None:
    service = Service()
    service.acquire("lock0", 0)
    made: list[Locks] = []
    workload = Lock(**{**QUICK, "wait": 0.05})

    def connect() -> Locks:
        made.append(Locks(service))
        return made[-1]

    history = run(workload, [connect], tmp_path, 0.4)
    assert {op.outcome for op in history} == {"fail"}
    assert "not granted" in str(history[0].error)
    assert len(history) > 2
    assert len(made) == 1


def test_the_workload_draws_no_more_than_one_can_do(tmp_path: Path) -> None:
    workload = Lock(locks=1)
    generator = Generator(workload.draw, place=0, places=1, rate=0, time_limit=60, seed=3)
    drawn = [generator.next(now) for now in (0, 10)]
    # Nothing is held: to take it is all that there is to do, and at once.
    assert drawn == [Request("acquire", "lock0", None, 0), Request("acquire", "lock0", None, 10)]
