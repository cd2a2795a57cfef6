"""How many operations a second pass through generator, worker, journal and history.

    python benchmarks/harness.py [--seconds 5] [--workers 10]

The client is in memory and does nothing, so that what is measured is Partita alone, in one
process. Beside it stands what the machine does at best on the same day: the same number of
bare journal writes from one thread, because absolute times differ from machine to machine.
"""

import argparse
import tempfile
import threading
import time
from pathlib import Path

from partita.checker import History
from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.workloads.generator import Generator
from partita.workloads.register import Register


class Nothing:
    """A client that answers at once."""

    def read(self, key: str) -> str | None:
        return None

    def write(self, key: str, value: str) -> None:
        return None

    def cas(self, key: str, old: str | None, new: str) -> None:
        return None

    def close(self) -> None:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        elapsed = drive(path, options.workers, options.seconds)
        history = History.read(path)
        count = len(history)
        print(f"{options.workers} workers: {count / elapsed:,.0f} operations a second")
        alone = drive(Path(folder) / "one.jsonl", 1, options.seconds)
        count = len(History.read(Path(folder) / "one.jsonl"))
        print(f"1 worker: {count / alone:,.0f} operations a second")
        pairs = bare(Path(folder) / "bare.jsonl", count)
        print(f"bare journal: {pairs:,.0f} pairs of events a second")


def drive(path: Path, count: int, seconds: float) -> float:
    """Run so many workers for so long; return the seconds that it took."""
    journal, stop, workload = Journal(path), threading.Event(), Register(5)
    generator = Generator(workload.draw, place=0, places=1, rate=0, time_limit=seconds, seed=1)
    threads = []
    journal.begin()
    for process in range(count):
        worker = Worker(
            process=process,
            concurrency=count,
            ways=[Way("n1", Nothing)],
            workload=workload,
            journal=journal,
            timeout=5.0,
            stop=stop,
            tally=Tally(),
        )
        threads.append(threading.Thread(target=worker.work, args=(generator,)))
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    return time.monotonic() - begin


def bare(path: Path, count: int) -> float:
    """Write so many pairs of events from one thread; return pairs a second."""
    journal = Journal(path)
    event = {"time": 123456789, "type": "invoke", "process": 1, "f": "write", "key": "r1"}
    event |= {"value": 12345, "node": "n1"}
    begin = time.monotonic()
    for _ in range(count):
        journal.record(event)
        journal.record(event)
    journal.close()
    return count / (time.monotonic() - begin)


main()
