"""Runs a workload whose clients go on between two operations, with a thread for each client."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from partita.checker import History
from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.workloads.generator import Generator
from partita.workloads.workload import Workload


def run(
    workload: Workload, connects: list[Callable[[], Any]], path: Path, seconds: float = 1.0
) -> History:
    """Let a worker for each of these connections go on for a while; return what happened."""
    journal = Journal(path / "history.jsonl")
    stop, tally = threading.Event(), Tally()
    threads = []
    for process, connect in enumerate(connects):
        worker = Worker(
            process=process, concurrency=len(connects), ways=[Way("n1", connect)],
            workload=workload, journal=journal, timeout=2.0, stop=stop, tally=tally,
        )  # fmt: skip
        generator = Generator(
            workload.draw, place=process, places=len(connects), rate=0, time_limit=seconds, seed=3
        )
        threads.append(threading.Thread(target=worker.work, args=[generator]))
        threads[-1].start()
    for thread in threads:
        thread.join()
    assert tally.died is None
    journal.close()
    return History.read(path / "history.jsonl")


def judged(workload: Workload, history: History) -> Any:
    (check,) = workload.checks
    return check.judge(history, check.levels)
