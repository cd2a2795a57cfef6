"""Which messages belong to which operation: request, answer, and what led from one to the other.

Messages do not say for which operation they were sent. But a client has one process of the history,
and asks for one operation at a time, so the times tell it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from partita.checker import History
from partita.reports.figures.availability import Ints
from partita.reports.messages import NONE, Messages, is_client

ASKED_MAX = 100  # requests of a client that are looked at to learn whose it is
BACK_MAX = 64  # operations of a node that are looked at for one request
CONE_MAX = 5000  # messages that may be sent while an operation is traced


@dataclass(frozen=True)
class Requests:
    """`process` is the process of each client, by its place in `messages.names`."""

    messages: Messages
    history: History
    process: dict[int, int]

    @cached_property
    def of_operation(self) -> dict[int, int]:
        """The message that asked for each operation, both as rows."""
        found: dict[int, int] = {}
        operations = _by(self.history.process, self.history.invoked_ns)
        for client, rows in _sent_by(self.messages, self.process).items():
            mine = operations.get(self.process[client], [])
            begins = [begin for begin, _ in mine]
            for row in rows:
                place = bisect_right(begins, int(self.messages.sent[row])) - 1
                if place >= 0:
                    found.setdefault(mine[place][1], row)
        return found

    def answer(self, request: int) -> int | None:
        """The message that answered a request and arrived."""
        messages = self.messages
        asked = int(messages.src[request]), int(messages.number[request])
        return self._answers.get(asked) if asked[1] != NONE else None

    @cached_property
    def _answers(self) -> dict[tuple[int, int], int]:
        messages = self.messages
        rows = np.flatnonzero((messages.answers != NONE) & ~messages.lost)[::-1]
        keys = zip(messages.dest[rows].tolist(), messages.answers[rows].tolist(), strict=True)
        return dict(zip(keys, rows.tolist(), strict=True))  # the first one stays

    @cached_property
    def _from_client(self) -> npt.NDArray[np.bool_]:
        messages = self.messages
        client = np.array([is_client(name) for name in messages.names] or [False])
        return np.asarray(client[messages.sender])

    def chain(self, request: int) -> list[int]:
        """The messages that led from a request to its answer, empty where nobody can tell.

        A node that sends something does so because of what it got last, of all that can have come
        from the request. That is a guess, but a good one as long as nodes do not wait.
        """
        messages, answer = self.messages, self.answer(request)
        if answer is None or messages.lost[request]:
            return []
        first, last = np.searchsorted(messages.sent, (messages.at[request], messages.sent[answer]))
        if last - first > CONE_MAX:
            return []
        arrived = {int(messages.dest[request]): [(int(messages.at[request]), request)]}
        for row in [*range(int(first), int(last)), answer]:
            known = arrived.get(int(messages.sender[row]))
            if self._from_client[row] or messages.lost[row]:
                continue  # clients pass nothing on
            if known and known[0][0] <= messages.sent[row]:
                arrival = int(messages.at[row]), row
                _insert(arrived.setdefault(int(messages.dest[row]), []), arrival)
        return self._back(request, answer, arrived)

    def _back(
        self, request: int, answer: int, arrived: dict[int, list[tuple[int, int]]]
    ) -> list[int]:
        """Go back from an answer, each time to what its sender got last."""
        messages, found = self.messages, [answer]
        while found[-1] != request:
            row = found[-1]
            known = arrived.get(int(messages.sender[row]), [])
            place = bisect_right(known, (int(messages.sent[row]), row)) - 1
            if place < 0 or known[place][1] in found:
                return []
            found.append(known[place][1])
        return found[::-1]


def requests_of(messages: Messages, history: History) -> Requests:
    """Find out which client belongs to which process."""
    nodes = {name: code for code, name in enumerate(history.nodes)}
    on_node = _by(history.node.astype(np.int64), history.invoked_ns)
    process = {}
    for client, rows in _sent_by(messages).items():
        votes: Counter[int] = Counter()
        for row in rows[:: max(1, len(rows) // ASKED_MAX)]:
            node = nodes.get(messages.names[messages.dest[row]], NONE)
            at = int(messages.sent[row])
            votes.update(_open(history, on_node.get(node, []), at))
        if votes:
            process[client] = max(votes, key=lambda each: votes[each])
    return Requests(messages, history, process)


def _open(history: History, operations: list[tuple[int, int]], at: int) -> Iterator[int]:
    """The processes that had an operation open at a time, whoever invoked one last first."""
    last = bisect_right(operations, (at, len(history)))
    for begin, row in operations[max(0, last - BACK_MAX) : last][::-1]:
        if begin <= at and not 0 <= history.completed_ns[row] < at:
            yield int(history.process[row])


def _sent_by(messages: Messages, only: dict[int, int] | None = None) -> dict[int, list[int]]:
    """What each client has sent, as rows."""
    client = np.array([is_client(name) for name in messages.names] or [False])
    rows = np.flatnonzero(client[messages.sender] & ~messages.copy)
    found: dict[int, list[int]] = {}
    for row, sender in zip(rows.tolist(), messages.sender[rows].tolist(), strict=True):
        if only is None or sender in only:
            found.setdefault(sender, []).append(row)
    return found


def _by(column: Ints, times: Ints) -> dict[int, list[tuple[int, int]]]:
    """For each value of a column, when its operations began, and their rows, in order."""
    found: dict[int, list[tuple[int, int]]] = {}
    for row in np.argsort(times, kind="stable").tolist():
        found.setdefault(int(column[row]), []).append((int(times[row]), row))
    return found


def _insert(known: list[tuple[int, int]], arrival: tuple[int, int]) -> None:
    known.insert(bisect_right(known, arrival), arrival)
