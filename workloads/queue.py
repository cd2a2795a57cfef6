"""Numbers put into a queue and taken out again; every one comes out once, in its order.

In the end the queue is emptied through every node, so that what was acknowledged and never came
out is known to be lost.
"""

import threading
from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.delivery import Delivery
from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.settings import Setting
from partita.workloads.capabilities.queues import Queues
from partita.workloads.client import Answer, answer_of
from partita.workloads.workload import Operation


class Queue:
    """Numbers put into queues and taken out; each one comes out once, the oldest first."""

    name = "queue"
    capability = "queues"
    operations: Mapping[str, Operation] = {
        "enqueue": Operation(),
        "dequeue": Operation(answers=True),
    }
    checks = (Linearizability("fifo-queue"), Delivery())

    def __init__(
        self,
        keys: Annotated[int, Setting("Queues.", least=1, most=10_000)] = 1,
        enqueues: Annotated[
            float, Setting("Share of operations that put something in.", least=0.01, most=0.99)
        ] = 0.5,
    ) -> None:
        self.keys = [f"queue{number}" for number in range(keys)]
        self.enqueues = enqueues
        self._last = threading.local()  # what this worker's last dequeue told

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        if random.random() < self.enqueues:
            return "enqueue", key, number
        return "dequeue", key, None

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Queues, f: str, key: str, value: Any, until: float) -> Answer:
        if f == "enqueue":
            return answer_of(client.enqueue(key, str(value)))
        answer = answer_of(client.dequeue(key))
        self._last.empty = answer.value is None
        return answer._replace(value=None if answer.value is None else int(answer.value))

    def final(self) -> Iterator[tuple[str, str]]:
        """Empty every queue: each worker goes on until it was told that nothing is left."""
        for key in self.keys:
            self._last.empty = False
            while not self._last.empty:
                yield "dequeue", key
