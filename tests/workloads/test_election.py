"""The workload election over elections in memory: what leaders do, and what is found out."""

import threading
from pathlib import Path
from typing import Any

import pytest
from locks_in_memory import Elections, Service
from workloads_run import judged, run

from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.workloads.election import Election
from partita.workloads.generator import Request

QUICK: dict[str, Any] = {"lead": 0.05, "wait": 1.0}


def test_one_leads_at_a_time_and_others_see_who_it_is(tmp_path: Path) -> None:
    service, names, workload = Service(ttl=60), {}, Election(**QUICK)
    history = run(workload, [lambda: Elections(service, names)] * 3, tmp_path)
    found = judged(workload, history)
    assert found.levels == {"exclusive": True}
    assert found.figures["kind"] == "elections"
    assert found.figures["grants"] > 3
    assert found.figures["contended"] > 0
    seen = [op for op in history if op.f == "observe" and op.output is not None]
    assert {(op.output, op.version) for op in seen} <= {
        (name, term) for term, name in names.items()
    }
    assert found.figures["leadership"]["several"] == 0
    assert 0 < found.figures["leadership"]["one"] <= 1
    leads = [op for op in history if op.f == "resign"]
    for resigned in leads:
        (won,) = [op for op in history
                  if op.f == "campaign" and op.process == resigned.process
                  and op.index < resigned.index][-1:]  # fmt: skip
        assert resigned.invoked - (won.completed or 0) > 0.05e9


@pytest.mark.parametrize(
    ("mistakes", "explanation"),
    [(("shares", ""), "must still have been held"), (("", "renames"), "that term is of")],
)
def test_two_leaders_are_found_out(
    tmp_path: Path, mistakes: tuple[str, str], explanation: str
) -> None:
    service, names, workload = Service(mistakes[0], ttl=60), {}, Election(**QUICK)
    connect = [lambda: Elections(service, names, mistakes[1])] * 3
    found = judged(workload, run(workload, connect, tmp_path))
    assert found.levels == {"exclusive": False}
    assert explanation in found.found["exclusive"].explanation


def test_an_election_in_which_nobody_else_stood_has_shown_nothing(tmp_path: Path) -> None:
    service, workload = Service(), Election(**QUICK, observes=0.1)
    history = run(workload, [lambda: Elections(service, {})], tmp_path, 0.3)
    assert judged(workload, history).levels["exclusive"] == "unknown"


def test_who_leads_holds_what_others_want(tmp_path: Path) -> None:
    """So a fault whose target is `holder` strikes the leader."""
    worker = Worker(
        process=0, concurrency=1, ways=[Way("n1", lambda: Elections(Service(), {}))],
        workload=Election(**QUICK), journal=Journal(tmp_path / "history.jsonl"),
        timeout=2.0, stop=threading.Event(), tally=Tally(),
    )  # fmt: skip
    held = []
    for f, name in [("observe", None), ("campaign", "candidate1"), ("resign", None)]:
        assert worker.do(Request(f, "election0", name, 0)) == "ok"
        held.append(worker.holds)
    assert held == [False, True, False]
