"""One logical client: invokes an operation, waits for its completion, invokes the next.

The one place where what a client raises becomes an outcome. A process whose operation ended
`info` is never used again: its worker goes on as process p + concurrency, over a new connection,
which is one to the next node if it may choose (`--reconnect any`).
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from partita.harness.run.journal import Journal, JournalError
from partita.workloads.client import (
    UNKNOWN_VERSION,
    Answer,
    Client,
    Definite,
    HasListen,
    HasMove,
    HasPresence,
    HasRecover,
    Indefinite,
    Mismatch,
    Refused,
)
from partita.workloads.generator import NS, Generator, Request
from partita.workloads.workload import HasBetween, Operation, Workload, stays

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """How many operations completed how, for the progress line; races lose a count at worst."""

    ok: int = 0
    fail: int = 0
    info: int = 0
    died: str | None = None  # why a worker ended before its time

    def add(self, outcome: str) -> None:
        setattr(self, outcome, getattr(self, outcome) + 1)


@dataclass(frozen=True, slots=True)
class Way:
    """How a client gets to a node: its name, its address, and what opens a client of it.

    `client` is the node that the client lives on, if it is not the controller. `back_since` says
    since when, on time.monotonic's clock, clients have got to run that a fault may freeze.
    """

    node: str
    connect: Callable[[], Client]
    address: str = ""
    client: str = ""
    back_since: Callable[[], float] = float


class Worker:
    """Runs one process after another against one node, until its generator is done.

    `ways` lead to the nodes that it may use: it begins with the first, and whenever it has lost
    its connection it takes the next one, or the same again if there is only one.
    """

    def __init__(
        self,
        *,
        process: int,
        concurrency: int,
        ways: Sequence[Way],
        workload: Workload,
        journal: Journal,
        timeout: float,
        stop: threading.Event,
        tally: Tally,
    ) -> None:
        self.process = process
        self._concurrency = concurrency
        self._ways = deque(ways)
        self.node = ways[0].node  # that the next operation is for
        self.client = ways[0].client  # the node that its clients live on
        self._workload = workload
        self._journal = journal
        self._timeout_ns = int(timeout * NS)
        self._stop = stop
        self._tally = tally
        self._between = workload if isinstance(workload, HasBetween) else None
        self.holds = False  # what others want, as far as it knows
        self._client: Client | None = None
        self._moving = False  # the client's session is to be taken to another node
        self._since: int | None = None  # when it last called into the client, ns; None: idle
        self._recording = threading.Lock()
        self._latest: dict[int, int] = {}  # time of the last line, by process

    def hangs(self, now: int, grace_s: float) -> bool:
        """Say whether a call into the client is out longer than its time-out and `grace_s`.

        For as long as the client was frozen it owed nothing.
        """
        if (since := self._since) is None:
            return False
        back = self._run_time(self._ways[0].back_since())
        return now - max(since, back) > self._timeout_ns + grace_s * NS

    def frozen(self) -> bool:
        """Say whether a fault keeps the client from running now."""
        now = time.monotonic()
        return self._ways[0].back_since() >= now

    def work(self, generator: Generator) -> None:
        """Do what the generator says until it is done or the run is stopped."""
        try:
            while (request := generator.next(self._journal.now())) is not None:
                self._stop.wait(max(0, request.due - self._journal.now()) / NS)
                if self._stop.is_set():
                    break
                self.do(request)
                if self._between:
                    self._go_on(self._between)
        except BaseException as error:  # whatever it is: a load that died must not look like one
            log.exception("a worker died")
            self._tally.died = self._tally.died or f"{type(error).__name__}: {error}"
            self._stop.set()
        finally:
            if not stays(self._workload):
                self.close()

    def do(self, request: Request) -> str:
        """Carry out one operation, journal it, and return its outcome."""
        f, key, planned, due = request
        operation = self._workload.operations.get(f)
        if operation is None:
            raise ValueError(f"workload {self._workload.name} has no operation {f!r}")
        self._await_presence()
        value = self._workload.prepare(f, key, planned)
        process, node = self.process, self.node
        about = {"f": f, "key": key, "value": value, "node": node}
        if self.client:
            about["client"] = self.client
        sent = self._since = self._record(process, {"type": "invoke", **about, "due": due})
        self.holds &= not operation.gives
        outcome, rest = self._attempt(operation, f, key, value, sent, due)
        self.holds |= operation.takes and outcome == "ok"
        self._since = None
        self._record(process, {"type": outcome, **about, **rest})
        self._tally.add(outcome)
        if outcome == "info":
            self.process += self._concurrency
        return outcome

    def close(self) -> None:
        """Let the connection go."""
        client, self._client, self._moving, self.holds = self._client, None, False, False
        if client is not None:
            self._since = self._journal.now()
            client.close()
            self._since = None

    def _go_on(self, workload: HasBetween) -> None:
        """Let the workload do what its clients do between two operations."""
        tell = partial(self._tell, self.process)
        try:
            workload.between(self._client, tell, self._stop.wait)
        except (Definite, Indefinite):
            # What the process holds it will not give back: it is never used again.
            self._lose()
            self.process += self._concurrency

    def _await_presence(self) -> None:
        """Wait as long as the client is frozen: what it begins it begins when it runs."""
        if isinstance(self._client, HasPresence):
            with suppress(Indefinite):  # it is gone, as the operation will find out
                self._client.present()

    def _record(self, process: int, event: dict[str, Any], at: int | None = None) -> int:
        """Journal an event of a process, and return its time: now, or `at` if that was before.

        The client's own threads tell of events while the worker works. Of one process no time may
        fall from one line to the next, so that nobody takes it for two clocks.
        """
        with self._recording:
            now = self._journal.now()
            moment = now if at is None else max(min(at, now), self._latest.get(process, 0))
            self._latest[process] = moment
            ours = {"time": moment, "type": event["type"], "process": process}
            self._journal.record({**ours, **event, **ours})  # what a client tells replaces nothing
        return moment

    def _attempt(
        self, operation: Operation, f: str, key: str | None, value: Any, sent: int, due: int
    ) -> tuple[str, dict[str, Any]]:
        """Carry out one operation; return its outcome and what else its completion says."""
        if sent - due > self._timeout_ns:
            return "fail", {"error": "not sent: no client was free in time"}
        until = (self._journal.origin + sent + self._timeout_ns) / NS
        try:
            client = self._client
            if client is None or self._moving:
                client = self._opened()
            answer = self._workload.invoke(client, f, key, value, until)
        except Mismatch as mismatch:
            actual = {"actual": mismatch.actual} if mismatch.known else {}
            version = _version(mismatch.version)
            return "fail", {**mismatch.fields, "error": "mismatch", **actual, **version}
        except Refused as refused:
            return "fail", {**refused.fields, "error": str(refused)}
        except BaseException as error:  # that of a library, such as a cancelled task, is no less
            return self._failed(operation, error)
        if isinstance(answer, Answer):
            return self._told(operation, answer)
        return "ok", {"value": answer} if operation.reads or operation.answers else {}

    def _told(self, operation: Operation, answer: Answer) -> tuple[str, dict[str, Any]]:
        """Return what a completion says of an answer with more than a value."""
        version = answer.version
        if type(version) is not int or not UNKNOWN_VERSION <= version < 2**63:
            # The client is the user's: what else it told is as little to be believed.
            text = f"the client told version {version!r}, which is no whole number from 0"
            return self._failed(operation, Indefinite(text))
        output = {"value": answer.value} if operation.reads or operation.answers else {}
        return "ok", {**answer.fields, **output, **_version(version)}

    def _failed(self, operation: Operation, error: BaseException) -> tuple[str, dict[str, Any]]:
        self._lose()
        # A read that failed had no effect, whatever became of it.
        definite = isinstance(error, Definite) or operation.reads
        fields = error.fields if isinstance(error, Definite | Indefinite) else {}
        text = str(error) or type(error).__name__
        return "fail" if definite else "info", {**fields, "error": text}

    def _lose(self) -> None:
        """What went wrong may have broken the connection: the next operation gets a new one."""
        self._ways.rotate(-1)
        self.node = self._ways[0].node
        if len(self._ways) > 1 and isinstance(self._client, HasMove):
            self._moving = True
        elif len(self._ways) == 1 and isinstance(self._client, HasRecover):
            self._client.recover()
        else:
            self.close()

    def _opened(self) -> Client:
        """Connect, if need be. Whatever goes wrong here, the operation was not sent."""
        way = self._ways[0]
        try:
            if self._client is None:
                self._client = way.connect()
                if isinstance(self._client, HasListen):
                    self._client.listen(partial(self._tell, self.process))
            elif self._moving:
                assert isinstance(self._client, HasMove)
                self._client.move(way.address)
                self._moving = False
        except BaseException as error:
            raise Definite(f"no connection: {error}") from error
        return self._client

    def _tell(
        self,
        process: int,
        f: str,
        /,
        value: Any = None,
        *,
        key: str | None = None,
        version: int = UNKNOWN_VERSION,
        sent: float | None = None,
        at: float | None = None,
        **fields: Any,
    ) -> None:
        """Record what a client was told beside its answers, see `Tell`; it may come at any time."""
        times = {} if sent is None else {"sent": self._run_time(sent)}
        event = {"type": "event", "f": f, "value": value}
        named = {} if key is None else {"key": key}
        told = {**fields, **event, **named, **times, **_version(version)}
        with suppress(JournalError):  # the run ends with it, and not the client's thread
            self._record(process, told, None if at is None else self._run_time(at))

    def _run_time(self, moment: float) -> int:
        return round(moment * NS) - self._journal.origin


def _version(version: int) -> dict[str, int]:
    return {"version": version} if version >= 0 else {}
