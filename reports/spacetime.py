"""What is drawn of a run's messages: which stretch of time, whose lines, and in which colours.

Nodes have a line each. The clients of a node stand right above it, so that what they ask and are
answered does not cross the lines of others.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from partita.checker import OUTCOMES, History
from partita.reports.figures.availability import Ints
from partita.reports.figures.checks import contradicting_rows
from partita.reports.figures.requests import Requests, requests_of
from partita.reports.messages import Messages, is_client
from partita.reports.palette import MESSAGE, MUTED, OUTCOME
from partita.reports.stored import StoredRun
from partita.reports.violations.pictures import brief

DRAWN_MAX = 2000  # arrows
BEFORE, AFTER = 100, 200  # messages around the moment at which something begins
CLIENTS_MAX = 10  # lines of clients that are drawn where the verdict names none
LEAST_NS = 5_000_000
_ANSWER = re.compile(r"_(ok|res|resp|reply|response|result|ack)$")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the diagram: of a node, a service, or (`process` is one) of a client.

    `codes` are the names that stand for it, as places in `messages.names`.
    """

    name: str
    codes: tuple[int, ...]
    process: int | None = None


@dataclass(frozen=True)
class SpaceTime:
    """The messages of a run, and what they are drawn with.

    `early` are operations that the verdict speaks of and that the other picture does not show.
    """

    run: StoredRun
    messages: Messages
    requests: Requests
    early: tuple[int, ...] = ()

    @cached_property
    def named(self) -> list[int]:
        """The operations that the verdict speaks of, as rows of the history."""
        return contradicting_rows(self.run)

    @cached_property
    def chains(self) -> Ints:
        """The messages that led to the answers of the operations that the verdict speaks of."""
        asked = self.requests.of_operation
        requests = [asked[row] for row in self.named if row in asked]
        found = {row for each in requests for row in (each, *self.requests.chain(each))}
        return np.array(sorted(found), dtype=np.int64)

    @cached_property
    def interval(self) -> tuple[int, int]:
        """What is shown at first: around the violation, else where the first fault begins."""
        if self.early:
            return self._around_last(self.early)
        if self.named:
            begin, end = self._around_named()
            count = np.searchsorted(self.messages.sent, (begin, end))
            return (
                (begin, end) if count[1] - count[0] <= DRAWN_MAX else self._around_last(self.named)
            )
        faults = self.run.faults
        asked = int(self.run.history.invoked_ns.min(initial=0))
        return self._near(faults[0].begin if faults else asked)

    def _around_named(self) -> tuple[int, int]:
        begin, end = self._span(self.named)
        margin = max(LEAST_NS, (end - begin) // 12)
        return begin - margin, end + margin

    def before(self) -> Iterator["SpaceTime"]:
        """Show what the verdict speaks of and what lies too far back, the latest first."""
        part = self
        while part.named:
            begin = part.interval[0]
            early = tuple(row for row in self.named if self._span([row])[1] < begin)
            if not early:
                return
            part = replace(self, early=early)
            yield part

    def _around_last(self, rows: Sequence[int]) -> tuple[int, int]:
        """Around the operation that was over last: what is wrong shows in it."""
        last = max(rows, key=lambda row: self._span([row])[1])
        begin, end = self._span([last])
        left, right = self._near(begin)[0], self._near(end)[1]
        return left, right

    def _span(self, rows: Sequence[int]) -> tuple[int, int]:
        history = self.run.history
        known = history.outcome[list(rows)] != OUTCOMES.index("info")
        ends = np.where(known, history.completed_ns[list(rows)], history.invoked_ns[list(rows)])
        return int(history.invoked_ns[list(rows)].min()), int(ends.max())

    def _near(self, moment: int) -> tuple[int, int]:
        sent = self.messages.sent
        if not len(sent):
            return moment, moment + LEAST_NS
        place = int(np.searchsorted(sent, moment))
        first, last = max(0, place - BEFORE), min(len(sent) - 1, place + AFTER)
        begin, end = int(sent[first]), int(sent[last])
        return min(begin, moment - LEAST_NS), max(end, moment + LEAST_NS)

    @cached_property
    def lines(self) -> list[Line]:
        """Every line that there can be, from top to bottom: also those of clients not shown."""
        codes = {name: code for code, name in enumerate(self.messages.names)}
        found: list[Line] = []
        for node in self.run.nodes:
            found += self._clients(node)
            found.append(Line(node, (codes[node],) if node in codes else ()))
        others = [name for name in codes if name not in self.run.nodes and not is_client(name)]
        return found + [Line(name, (codes[name],)) for name in sorted(others)]

    def _clients(self, node: str) -> list[Line]:
        history = self.run.history
        code = history.nodes.index(node) if node in history.nodes else -1
        here = set(history.process[history.node == code].tolist())
        clients: dict[int, list[int]] = {}
        for client, process in self.requests.process.items():
            if process in here:
                clients.setdefault(process, []).append(client)
        return [
            Line(f"process {process}", tuple(mine), process)
            for process, mine in sorted(clients.items())
        ]

    def shown(self) -> list[Line]:
        """The lines that are shown at first: nodes, and the clients that the verdict is about."""
        history, (begin, end) = self.run.history, self.interval
        if self.named:
            wanted = history.process[self.named].tolist()
        else:
            here = (history.invoked_ns < end) & (history.completed_ns > begin)
            wanted = list(dict.fromkeys(history.process[here].tolist()))[:CLIENTS_MAX]
        return [line for line in self.lines if line.process is None or line.process in wanted]

    @cached_property
    def colours(self) -> list[str]:
        """The colour of each type. What clients are told and ask has the one of operations."""
        counts: Counter[str] = Counter()
        clients: Counter[str] = Counter()
        of_client = self.messages.of_clients()
        for code, kind in enumerate(self.messages.kinds):
            mine = self.messages.kind == code
            counts[family(kind)] += int(mine.sum())
            clients[family(kind)] += int((mine & of_client).sum())
        own = [name for name, count in counts.most_common() if 2 * clients[name] <= count]
        taken = dict(zip(own, MESSAGE, strict=False)) | {"error": OUTCOME["info"]}
        families = [family(kind) for kind in self.messages.kinds]
        return [taken.get(each, MUTED if each in own else OUTCOME["ok"]) for each in families]

    def rows_in(self, begin: int, end: int, lines: Sequence[Line]) -> Ints:
        """The messages of a stretch of time of which both ends have a line."""
        has_line = np.zeros(len(self.messages.names) + 1, dtype=bool)
        has_line[[code for line in lines for code in line.codes]] = True
        messages = self.messages
        there = (messages.at >= begin) & (messages.sent <= end)
        return np.flatnonzero(there & has_line[messages.sender] & has_line[messages.dest])


def space_time(run: StoredRun, messages: Messages) -> SpaceTime:
    return SpaceTime(run, messages, requests_of(messages, run.history))


def said(history: History, row: int) -> str:
    """An operation in a few words; one that found nothing out does not say that it did."""
    op = history[row]
    return brief(history, row) if op.outcome == "ok" or op.input is not None else op.f


def thinned(rows: Ints, wanted: Ints, most: int = DRAWN_MAX) -> Ints:
    """At most so many of some rows: those that are wanted, and of the others every so manieth."""
    if len(rows) <= most:
        return rows
    first = rows[np.isin(rows, wanted)][:most]
    rest = rows[~np.isin(rows, first)]
    room = most - len(first)
    chosen = rest[np.linspace(0, len(rest) - 1, room).astype(int)] if room else rest[:0]
    return np.union1d(first, chosen)


def family(kind: str) -> str:
    """A type without what says that it is an answer: both have one colour."""
    return _ANSWER.sub("", kind)
