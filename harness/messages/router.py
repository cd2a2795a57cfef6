"""The network of nodes that speak in messages: one thread through which each message passes.

Nodes are programs (`process.py`), clients and services are functions of this process. What a node
writes is passed on as it stands. `links.py` decides what becomes of it.
"""

import heapq
import itertools
import os
import selectors
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from partita.harness.messages.journal import DELIVERED, Line, Messages
from partita.harness.messages.links import AT_ONCE, Fate, Link, Links
from partita.harness.messages.process import STUCK_MAX, Process, TooLong

T = TypeVar("T")
# What takes a message that arrived, in the router's thread: the sender, and the message's body.
Taker = Callable[[str, msgspec.Raw], None]
FLUSH_S = 0.5
# Messages that wait for their time, and their bytes. A node that sends more than fit is not read
# meanwhile.
HELD_MAX = 200_000
HELD_BYTES_MAX = 256 << 20
TROUBLES_MAX = 20
SHOWN_MAX = 200  # bytes of a line that are shown
OVER, ENDED, STUCK = "no such process", "ended", "not read"


class Meaningless(Exception):
    """What a taker was sent means nothing; the node that sent it is told of, and the text."""


class Envelope(msgspec.Struct):
    """A message: from whom, to whom, and what it says."""

    src: str
    dest: str
    body: msgspec.Raw


class Head(msgspec.Struct):
    """What every body may have."""

    type: str = ""
    msg_id: int | None = None
    in_reply_to: int | None = None


class Router:
    """Passes messages on until `close`. Every method may be called from any thread.

    `troubles` says what nodes sent that means nothing, the first of `troubled` times. `dropped` is
    how many messages were lost because a node does not read, `cpu_s` how much processor time
    passing on took.
    """

    def __init__(self, links: Links, journal: Messages) -> None:
        self.links = links
        self.journal = journal
        self.troubles: list[str] = []
        self.troubled = 0
        self.dropped: Counter[str] = Counter()
        self.cpu_s = 0.0
        self._nodes: dict[str, Process] = {}
        self._takers: dict[str, Taker] = {}
        self._clients: set[str] = set()
        self._parse = msgspec.json.Decoder(Envelope).decode
        self._head = msgspec.json.Decoder(Head).decode
        self._encode = msgspec.json.Encoder().encode
        self._ids = itertools.count(1)
        self._copies = itertools.count()
        self._held: list[tuple[float, int, Line, bytes]] = []
        self._latest: dict[Link, float] = {}  # when what a link was sent last arrives
        self._held_bytes = 0
        self._unread: set[str] = set()  # nodes that are not read, because too much is held
        self._slowed: Counter[str] = Counter()  # how often that was so
        self._jobs: deque[Callable[[], None]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wakes, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._since = time.monotonic()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="router")
        self._thread.start()

    def begin(self, origin: int) -> None:
        """Let the times of messages count from here, ns on time.monotonic's clock."""
        self._ask(lambda: self.journal.begin(origin))

    def attach(self, name: str, taker: Taker, *, client: bool = False) -> None:
        """Let messages to a name arrive at a function."""

        def add() -> None:
            self._takers[name] = taker
            if client:
                self._clients.add(name)

        self._ask(add)

    def send(self, src: str, dest: str, body: Any) -> None:
        """Send a message from a client or a service."""
        raw = msgspec.Raw(self._encode(body))
        line = self._encode(Envelope(src, dest, raw))
        self._later(lambda: self._route(src, dest, raw, line))

    def spawn(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        said: Path,
        first: tuple[str, Any] | None = None,
    ) -> Process:
        """Start a node's program, and tell it this first (from whom, and what). Raises `OSError`.

        Nodes may count on it: what others ask meanwhile comes when they have answered. Answers do
        not wait, for a node may use services before it says that it is there.
        """

        def start() -> Process:
            self._drop(name)
            process = self._nodes[name] = Process(command, folder, said)
            self._selector.register(process.output, selectors.EVENT_READ, name)
            if first is not None:
                raw = msgspec.Raw(self._encode(first[1]))
                self._route(first[0], name, raw, self._encode(Envelope(first[0], name, raw)))
                process.early = bytearray()
            return process

        return self._ask(start)

    def node(self, name: str) -> Process | None:
        """Return the program of a node, None if it was never started."""
        return self._nodes.get(name)

    def flush(self) -> None:
        """See to it that all messages until now stand in the journal's file."""
        self._ask(self.journal.settle)
        self._ask(self._flush)

    def figures(self) -> dict[str, Any]:
        """Return what became of all messages until now, and what passing them on cost."""
        self.flush()
        lost = dict(self.journal.counts)
        return {
            "delivered": lost.pop(DELIVERED, 0),
            "lost": lost,
            "left_out": self.journal.left_out,
            "slowed": dict(self._slowed),
            "router_cpu_s": round(self.cpu_s, 3),
            "router_share": round(self.cpu_s / (time.monotonic() - self._since), 3),
        }

    def close(self) -> None:
        """End every node at once, and pass nothing on any more."""
        self._over.set()
        self._later(lambda: None)
        self._thread.join()
        for process in self._nodes.values():
            process.kill()
            process.let_go()
        self.journal.close()
        self._selector.close()
        os.close(self._wakes)
        os.close(self._wake)

    # --- the thread ------------------------------------------------------------------------

    def _ask(self, action: Callable[[], T]) -> T:
        """Have something done in the router's thread, and wait for it."""
        future: Future[T] = Future()

        def do() -> None:
            try:
                future.set_result(action())
            except BaseException as error:
                future.set_exception(error)

        self._later(do)
        return future.result()

    def _later(self, action: Callable[[], None]) -> None:
        self._jobs.append(action)
        with suppress(OSError):  # the pipe is full, so that it wakes already; or all is over
            os.write(self._wake, b"x")

    def _run(self) -> None:
        flushed = time.monotonic()
        while not self._over.is_set():
            for key, events in self._selector.select(self._patience()):
                if key.data is None:
                    os.read(self._wakes, 1 << 16)
                elif events & selectors.EVENT_READ:
                    self._read(key.data)
                else:
                    self._write(key.data, self._nodes[key.data])
            while self._jobs:
                self._jobs.popleft()()
            self._deliver_due()
            if time.monotonic() > flushed + FLUSH_S:
                self._flush()
                flushed = time.monotonic()

    def _flush(self) -> None:
        self.journal.flush()
        self.cpu_s = time.thread_time()

    def _patience(self) -> float:
        if not self._held:
            return FLUSH_S
        return max(0.0, min(FLUSH_S, self._held[0][0] - time.monotonic()))

    def _read(self, name: str) -> None:
        process = self._nodes[name]
        try:
            for line in process.read():
                self._take(name, process, line)
        except TooLong as error:
            self._trouble(
                f"{name}, line {process.lines + 1}: it is longer than 16 MB: {_shown(error.begin)}"
            )
        except EOFError:
            self._selector.unregister(process.output)
        if self._holds_more_than(1) and process.there() and name not in self._unread:
            self._unread.add(name)
            self._slowed[name] += 1
            with suppress(KeyError):
                self._selector.unregister(process.output)

    def _take(self, name: str, process: Process, line: bytes) -> None:
        """Look at a line that a node wrote, and pass it on."""
        if not line.strip():
            return
        try:
            line.decode()  # the parser looks at no text that it steps over
            message = self._parse(line)
            head = self._head(message.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._trouble(f"{name}, line {process.lines}: no message: {error}: {_shown(line)}")
            return
        # A node may pass a client's request on in the client's name, so that the answer goes there.
        if message.src != name and message.src not in self._takers:
            self._trouble(
                f"{name}, line {process.lines}: it says that it is from {message.src!r}: "
                f"{_shown(line)}"
            )
        elif message.dest not in self._nodes and message.dest not in self._takers:
            self._trouble(
                f"{name}, line {process.lines}: there is nobody called {message.dest!r}: "
                f"{_shown(line)}"
            )
        else:
            if head.type == "init_ok":
                self._let_in(name, process)
            self._route(message.src, message.dest, message.body, line, sender=name)

    def _route(
        self, src: str, dest: str, body: msgspec.Raw, line: bytes, *, sender: str = ""
    ) -> None:
        """Pass a message on. `sender` is the node that wrote it, in whosever name."""
        now = time.monotonic()
        record = Line(next(self._ids), round(now * 1e9), src, dest, body=body)
        link = (sender or src, dest)
        if link[0] != src:
            record.by = sender
        fate = self._fate(link)
        if not fate.after:
            record.lost = fate.why
            self.journal.write(record)
        for number, after in enumerate(fate.after):
            copy = record if number == 0 else msgspec.structs.replace(record, copy=True)
            due = now + after
            if fate is not AT_ONCE and fate.keeps_order:
                due = self._latest[link] = max(due, self._latest.get(link, 0.0))
            if due <= now:
                self._deliver(copy, line)
            else:
                heapq.heappush(self._held, (due, next(self._copies), copy, line))
                self._held_bytes += len(line)

    def _fate(self, link: Link) -> Fate:
        """Decide on a message: clients are spared, unless they are not, and services always."""
        src, dest = link
        if src in self._nodes and dest in self._nodes:
            return self.links.fate(link)
        if self.links.spares_clients or not (src in self._clients or dest in self._clients):
            return AT_ONCE
        return self.links.fate(link, beside=dest if src in self._clients else src)

    def _deliver_due(self) -> None:
        now = time.monotonic()
        while self._held and self._held[0][0] <= now:
            _, _, record, line = heapq.heappop(self._held)
            self._held_bytes -= len(line)
            self._deliver(record, line)
        if self._unread and not self._holds_more_than(0.5):
            for name in self._unread:
                self._selector.register(self._nodes[name].output, selectors.EVENT_READ, name)
            self._unread.clear()

    def _holds_more_than(self, share: float) -> bool:
        return len(self._held) > share * HELD_MAX or self._held_bytes > share * HELD_BYTES_MAX

    def _deliver(self, record: Line, line: bytes) -> None:
        record.at = time.monotonic_ns()
        taker = self._takers.get(record.dest)
        if taker is not None:
            body, src = record.body, record.src
            self.journal.write(record)
            try:
                taker(src, body)
            except Meaningless as error:
                self._trouble(f"{record.by or src}: {error}: {_shown(bytes(body))}")
            except Exception as error:  # whatever it was sent, the others' messages pass on
                self._trouble(f"{record.dest} broke at a message from {src}: {error!r}")
            return
        process = self._nodes[record.dest]
        why = self._handed_over(record.dest, process, line, record.body)
        if why:
            record.at, record.lost = -1, why
        self.journal.write(record)

    def _let_in(self, name: str, process: Process) -> None:
        """Give a node that has answered `init` what came meanwhile."""
        early, process.ready, process.early = process.early, True, None
        if early:
            process.waiting += early
            self._write(name, process)

    def _handed_over(self, name: str, process: Process, line: bytes, body: msgspec.Raw) -> str:
        """Give a message to a node; say why that is not possible."""
        if not process.there():
            return ENDED
        if len(process.waiting) + len(process.early or b"") + len(line) > STUCK_MAX:
            self.dropped[name] += 1
            return STUCK
        if process.early is not None and self._head(body).in_reply_to is None:
            process.early += line + b"\n"
            return ""
        idle = not process.waiting
        process.waiting += line
        process.waiting += b"\n"
        if idle:
            self._write(name, process)
        return ""

    def _write(self, name: str, process: Process) -> None:
        """Write what a node has to be told; what does not fit waits until it reads."""
        registered = self._selector.get_map().get(process.input) is not None
        if process.write():
            if registered:
                self._selector.unregister(process.input)
        elif not registered:
            self._selector.register(process.input, selectors.EVENT_WRITE, name)

    def _drop(self, name: str) -> None:
        """Forget a node's last program, which has ended."""
        process = self._nodes.pop(name, None)
        self._unread.discard(name)
        if process is None:
            return
        process.kill()
        for pipe in (process.input, process.output):
            with suppress(KeyError, ValueError):
                self._selector.unregister(pipe)
        process.let_go()

    def _trouble(self, text: str) -> None:
        self.troubled += 1
        if len(self.troubles) < TROUBLES_MAX:
            self.troubles.append(text)


def _shown(line: bytes) -> str:
    text = line[:SHOWN_MAX].decode(errors="replace")
    return text + ("…" if len(line) > SHOWN_MAX else "")
