"""What recording costs: microseconds of CPU an event, of which an operation has two.

    python benchmarks/recorder.py [OPERATIONS]

The object does nothing, so that what is measured is the recorder. Beside it stands how long it
takes to make a history of what was recorded.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import process_time

from partita import Recorder

ROUNDS = 5


def one(recorder: Recorder, operations: int) -> None:
    """Read and write in the calling thread or task."""
    for number in range(operations // 2):
        with recorder.operation("write", number) as op:
            pass
        with recorder.operation("read", key="x") as op:
            op.output = number


def one_thread(recorder: Recorder, operations: int) -> None:
    one(recorder, operations)


def four_threads(recorder: Recorder, operations: int) -> None:
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(one, recorder, operations // 4) for _ in range(4)]:
            done.result()


def one_task(recorder: Recorder, operations: int) -> None:
    async def task() -> None:
        one(recorder, operations)

    asyncio.run(task())


def microseconds(work: Callable[[Recorder, int], None], operations: int) -> tuple[float, float]:
    """Return the best of some rounds: an event recorded, and an event of the history made."""
    recording, making = [], []
    for _ in range(ROUNDS):
        recorder = Recorder()
        begin = process_time()
        work(recorder, operations)
        recorded = process_time()
        events = recorder.history().events
        recording.append((recorded - begin) / events)
        making.append((process_time() - recorded) / events)
    return min(recording) * 1e6, min(making) * 1e6


def main() -> None:
    operations = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    for work in (one_thread, four_threads, one_task):
        recording, making = microseconds(work, operations)
        name = work.__name__.replace("_", " ")
        print(f"{name:<14} {recording:5.2f} µs an event, {making:5.2f} µs to make the history")


if __name__ == "__main__":
    main()
