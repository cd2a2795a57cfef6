"""The load of a run: the workers, their generators, and the reads that end it."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial

from partita.checker.plugins import in_a_line
from partita.harness.clients.client_node import ClientNode
from partita.harness.nodes.cluster import Node
from partita.harness.run.journal import Journal
from partita.harness.run.worker import Tally, Way, Worker
from partita.harness.systems.system import System
from partita.workloads.generator import NS, Generator, Request
from partita.workloads.workload import Workload, stays

log = logging.getLogger(__name__)

FINAL_READ_TRIES_S = 30.0
# A call that is out so much longer than its time-out will not return: nobody waits for it.
HANG_S = 10.0


class Load:
    """Workers spread evenly over the nodes: process p talks to node p modulo their number.

    `rate` is in operations a second over all nodes (0: as fast as they go), `timeout` and
    `time_limit` in seconds. `reconnect` says where a client goes that has lost its connection: to
    the "same" node again, or to "any" other.
    """

    def __init__(
        self,
        system: System,
        workload: Workload,
        nodes: Sequence[Node],
        journal: Journal,
        *,
        concurrency: int,
        rate: float,
        timeout: float,
        time_limit: float,
        seed: int,
        reconnect: str = "same",
        client_nodes: Sequence[ClientNode] = (),
    ) -> None:
        self.tally = Tally()
        self.stop = threading.Event()
        self._workload, self._nodes = workload, nodes
        self._connect = system.offers[workload.capability]
        self._client_nodes = client_nodes
        self._time_limit_ns = round(time_limit * NS)
        self._journal = journal
        self._concurrency, self._timeout = concurrency, timeout
        self._moves = reconnect == "any"
        self._workers: list[tuple[Worker, threading.Thread]] = []
        count = len(nodes)
        self._generators = [
            Generator(
                workload.draw,
                place=place,
                places=count,
                rate=rate,
                time_limit=time_limit,
                seed=seed,
            )
            for place in range(count)
        ]

    def start(self) -> None:
        """Let every worker begin, in a thread of its own."""
        for process in range(self._concurrency):
            first = process % len(nodes := self._nodes)
            ways = [*nodes[first:], *nodes[:first]] if self._moves else [nodes[first]]
            worker = self._worker(process, ways)
            generator = self._generators[process % len(self._nodes)]
            self._begin(worker, partial(worker.work, generator))

    def running(self) -> bool:
        """Say whether any worker still has something to do, and is not given up.

        Clients that are frozen are waited for while there is time: they are healed after it.
        """
        late = self._journal.now() > self._time_limit_ns
        return any(not (late and each.frozen()) for each in self._busy())

    def holders(self) -> list[str] | None:
        """Name the client nodes whose clients hold something, who holds most first.

        None: in this workload nobody ever does.
        """
        if not any(each.takes for each in self._workload.operations.values()):
            return None
        holding = Counter(each.client for each, _ in self._workers if each.holds)
        return [name for name, _ in holding.most_common()]

    def finish(self) -> None:
        """Stop and wait for the operations in flight, which their time-out ends.

        By now nobody is frozen, and who was has yet to find out what became of its call.
        """
        self.stop.set()
        deadline = time.monotonic() + self._timeout + HANG_S
        while self._busy() and time.monotonic() < deadline:
            time.sleep(0.05)

    def hung(self) -> int:
        """Count the clients that never came back from a call."""
        alive = [each for each, thread in self._workers if thread.is_alive()]
        return sum(self._hangs(each) or each.frozen() for each in alive)

    def read_finally(self, nodes: Sequence[Node]) -> None:
        """Read every register on these nodes, trying again for a while where a read fails."""
        # Beyond every process of the load, and those that one that hangs may still become.
        last = max((worker.process for worker, _ in self._workers), default=0)
        first = (last // self._concurrency + 3) * self._concurrency
        for place, node in enumerate(nodes):
            reader = self._worker(first + place, [node])
            self._begin(reader, partial(self._read_all, reader))
        while self.running():
            time.sleep(0.02)

    def let_go(self) -> None:
        """Close the clients that stayed, once nothing more is to be recorded of them."""
        if stays(self._workload):
            for worker in [worker for worker, thread in self._workers if not thread.is_alive()]:
                self._begin(worker, worker.close)
            while self.running():
                time.sleep(0.02)

    def _begin(self, worker: Worker, action: Callable[[], None]) -> None:
        thread = threading.Thread(target=action, daemon=True)
        self._workers.append((worker, thread))
        thread.start()

    def _busy(self) -> list[Worker]:
        """Return those that have something to do and are not given up."""
        alive = [each for each, thread in self._workers if thread.is_alive()]
        return [each for each in alive if not self._hangs(each)]

    def _hangs(self, worker: Worker) -> bool:
        return worker.hangs(self._journal.now(), HANG_S)

    def _read_all(self, reader: Worker) -> None:
        try:
            self._read_each(reader)
        except BaseException as error:  # it is anybody's: what was not read must not look read
            log.exception("the final reads died")
            self.tally.died = self.tally.died or in_a_line(error)
        finally:
            if not stays(self._workload):
                reader.close()

    def _read_each(self, reader: Worker) -> None:
        # A store that never answered at all is asked once more, and not for long.
        deadline = time.monotonic() + (FINAL_READ_TRIES_S if self.tally.ok else 0)
        for f, key in self._workload.final():
            while reader.do(Request(f, key, None, self._journal.now())) != "ok":
                if time.monotonic() > deadline or self._journal.failure:
                    return
                time.sleep(0.2)

    def _worker(self, process: int, nodes: Sequence[Node]) -> Worker:
        return Worker(
            process=process,
            concurrency=self._concurrency,
            ways=[self._way(node, process) for node in nodes],
            workload=self._workload,
            journal=self._journal,
            timeout=self._timeout,
            stop=self.stop,
            tally=self.tally,
        )

    def _way(self, node: Node, process: int) -> Way:
        if not self._client_nodes:
            return Way(node.name, partial(self._connect, node, self._timeout), node.address)
        place = self._client_nodes[self._place(process)]
        connect = partial(place.client, self._workload.capability, node, self._timeout)
        return Way(node.name, connect, node.address, place.name, place.back_since)

    def _place(self, process: int) -> int:
        """Return which client node a process lives on: several of one node on different ones."""
        nodes, places = len(self._nodes), len(self._client_nodes)
        return (process // nodes if self._concurrency >= nodes * places else process) % places
