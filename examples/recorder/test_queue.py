"""The queue of the standard library is used from several threads, and what they saw is checked."""

import queue
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


def test_the_standard_librarys_queue(history):
    history.model = "fifo-queue"
    jobs = queue.Queue(maxsize=3)

    def produce(numbers):
        for number in numbers:
            # A full queue says so by queue.Full: then nothing was put in, which is certain.
            with suppress(queue.Full), history.operation("enqueue", number, definite=queue.Full):
                jobs.put_nowait(number)

    def consume(times):
        for _ in range(times):
            with history.operation("dequeue") as op:
                try:
                    op.output = jobs.get_nowait()
                except queue.Empty:
                    op.output = None  # an answer, not an error: the queue was empty

    with ThreadPoolExecutor() as pool:
        tasks = [pool.submit(produce, range(first, first + 50)) for first in (0, 100)]
        tasks += [pool.submit(consume, 60) for _ in range(2)]
    for task in tasks:
        task.result()
