"""The workloads queue and set, over a store in memory: what they ask, and what is found out."""

import threading
from collections import deque
from pathlib import Path
from typing import Any

import pytest
from registers_in_memory import Registers

from partita.checker import History
from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.harness.systems.over_registers import ListClient
from partita.workloads.client import Definite, Indefinite, Mismatch
from partita.workloads.generator import Generator, Request
from partita.workloads.queue import Queue
from partita.workloads.set import SetWorkload


class Memory:
    """A queue and a set in memory. It may make one of the mistakes that the checks are for."""

    def __init__(self, mistake: str = "") -> None:
        self.mistake = mistake
        self.queue: deque[str] = deque()
        self.set: set[str] = set()
        self.calls = 0

    def enqueue(self, key: str, value: str) -> None:
        self.calls += 1
        if self.mistake == "loses" and self.calls % 20 == 0:
            return
        self.queue.append(value)

    def dequeue(self, key: str) -> str | None:
        self.calls += 1
        if not self.queue:
            return None
        if self.mistake == "repeats" and self.calls % 20 == 0:
            return self.queue[0]
        if self.mistake == "reorders" and self.calls % 20 == 0:
            return self.queue.pop()
        return self.queue.popleft()

    def add(self, key: str, element: str) -> None:
        self.set.add(element)

    def members(self, key: str) -> set[str]:
        self.calls += 1
        if self.mistake == "forgets" and self.calls % 5 == 0 and len(self.set) > 3:
            return set(sorted(self.set)[:-1])
        return self.set

    def close(self) -> None: ...


def run(workload: Any, store: Any, path: Path, count: int = 400) -> History:
    journal = Journal(path / "history.jsonl")
    worker = Worker(
        process=0, concurrency=1, ways=[Way("n1", lambda: store)], workload=workload,
        journal=journal, timeout=5.0, stop=threading.Event(), tally=Tally(),
    )  # fmt: skip
    generator = Generator(workload.draw, place=0, places=1, rate=0, time_limit=60, seed=3)
    for _ in range(count):
        request = generator.next(journal.now())
        assert request is not None
        worker.do(request)
    for f, key in workload.final():
        worker.do(Request(f, key, None, journal.now()))
    return History.read(path / "history.jsonl")


def verdicts(workload: Any, history: History) -> dict[str, Any]:
    return {check.name: check.judge(history, check.levels) for check in workload.checks}


@pytest.mark.parametrize("store", ["memory", "over registers"])
def test_a_good_queue_is_valid_and_emptied(tmp_path: Path, store: str) -> None:
    workload = Queue(enqueues=0.6)
    client = Memory() if store == "memory" else ListClient(Registers(), 5.0)
    found = verdicts(workload, run(workload, client, tmp_path))
    assert found["linearizability"].levels == {"linearizable": True}
    assert found["delivery"].levels == {"once": True, "at-least-once": True}
    figures = found["delivery"].figures
    assert figures["acknowledged"] == figures["dequeued"] > 200
    assert figures["lost"] == figures["duplicated"] == figures["reordered"] == 0


@pytest.mark.parametrize(
    ("mistake", "once", "figure"),
    [("loses", False, "lost"), ("repeats", False, "duplicated"), ("reorders", True, "reordered")],
)
def test_each_mistake_is_found(tmp_path: Path, mistake: str, once: bool, figure: str) -> None:
    workload = Queue(enqueues=0.6)
    found = verdicts(workload, run(workload, Memory(mistake), tmp_path))
    assert found["linearizability"].levels == {"linearizable": False}
    assert found["delivery"].levels == {"once": once, "at-least-once": mistake != "loses"}
    assert found["delivery"].figures[figure] > 0


def test_a_set_and_one_that_forgets(tmp_path: Path) -> None:
    workload = SetWorkload(reads=0.3)
    good = tmp_path / "good"
    good.mkdir()
    for client in (Memory(), ListClient(Registers(), 5.0)):
        history = run(workload, client, good, 60)
        assert verdicts(workload, history)["linearizability"].levels == {"linearizable": True}
        (good / "history.jsonl").unlink()
    history = run(workload, Memory("forgets"), tmp_path, 60)
    assert verdicts(workload, history)["linearizability"].levels == {"linearizable": False}


def test_what_was_not_written_is_certain_and_what_may_have_been_is_not() -> None:
    with pytest.raises(Definite, match="could not read it first: lost"):
        ListClient(Registers(Indefinite("lost")), 5.0).enqueue("q", "1")
    with pytest.raises(Indefinite):
        ListClient(Registers(None, Indefinite("lost")), 5.0).enqueue("q", "1")
    assert ListClient(Registers(None, Mismatch()), 5.0).enqueue("q", "1") is None
    with pytest.raises(Definite, match="mismatch 1 times"):
        ListClient(Registers(None, Mismatch()), 0.0).enqueue("q", "1")


def test_why_the_search_decided_is_noted() -> None:
    events = [
        {"process": 0, "type": type_, "f": "enqueue", "value": 1}
        for _ in range(2)
        for type_ in ("invoke", "ok")
    ]
    taken = {"process": 0, "f": "dequeue"}
    events += [{**taken, "type": "invoke", "value": None}, {**taken, "type": "ok", "value": 1}]
    found = verdicts(Queue(), History.of_events(events))["linearizability"]
    (note,) = found.notes
    assert "put in more than once" in note and "the search decided" in note
