"""A load on any store's clients: real workers in threads, without hosts and without faults."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from partita.checker import History
from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.workloads.generator import Generator, Request
from partita.workloads.workload import stays


def loaded(
    workload: Any,
    connects: Sequence[Callable[[], Any]],
    path: Path,
    *,
    seconds: float = 2.0,
    rate: float = 0.0,
    workers: int = 2,
    timeout: float = 5.0,
    seed: int = 1,
) -> History:
    """Run the workload with so many workers for each way to connect, then its final reads.

    `path` is the history file. `rate` is in operations a second, 0: as fast as they go.
    """
    journal, stop = Journal(path), threading.Event()

    def worker(process: int, place: int) -> Worker:
        return Worker(
            process=process, concurrency=10_000, ways=[Way(f"n{place + 1}", connects[place])],
            workload=workload, journal=journal, timeout=timeout, stop=stop, tally=Tally(),
        )  # fmt: skip

    places = range(len(connects))
    generators = [
        Generator(
            workload.draw,
            place=place,
            places=len(connects),
            rate=rate,
            time_limit=seconds,
            seed=seed,
        )
        for place in places
    ]
    begun = [(worker(each * 100 + place, place), place) for place in places
             for each in range(workers)]  # fmt: skip
    threads = [threading.Thread(target=each.work, args=(generators[place],))
               for each, place in begun]  # fmt: skip
    journal.begin()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.note("info", "nemesis", "phase", "final reads")
    readers = [worker(5_000 + place, place) for place in places]
    for reader in readers:
        for f, key in workload.final():
            assert reader.do(Request(f, key, None, journal.now())) == "ok"
        if not stays(workload):
            reader.close()
    journal.close()
    for each in (*(each for each, _ in begun), *readers):
        each.close()
    return History.read(path)
