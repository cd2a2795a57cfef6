"""The vocabulary: what an operation is, and the history of one run.

Columns inside (numpy), `Op` views outside, so that ten million operations fit in
memory while the code that explains or draws a few of them reads like prose.

A history file has one event a line (JSON Lines)::

    {"time":1200,"type":"invoke","process":3,"f":"cas","key":0,"value":[4,5],"node":"n1","due":1000}
    {"time":1900,"type":"ok","process":3,"f":"cas","key":0,"value":[4,5],"node":"n1"}

`time` and `due` are nanoseconds since the run began, both optional, as are `key`, `node`
and `error`. A read's value is its output and stands on the completion. A cas that failed
because the value differed has error "mismatch" and, where the store said what the value
was, `actual`. Lines whose process is not a number ("nemesis", "monitor") are no operations:
they are kept in `History.others`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

Outcome = Literal["ok", "fail", "info"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "fail", "info")
NEVER = np.iinfo(np.int64).max

IntColumn = npt.NDArray[np.int64]
CodeColumn = npt.NDArray[np.int32]
NO_PAIR = -2


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: invoked by a process, and completed as ok, fail or info.

    `invoked` and `completed` are ns since the run began (-1: the file did not say);
    `completed` is None if the operation never completed. `due` is when the generator wanted
    it sent (ns, -1: not said). `output` is what a read returned, or the value that a cas
    which failed with "mismatch" met, where known.
    """

    index: int
    process: int
    f: str
    key: Any
    input: Any
    output: Any
    outcome: Outcome
    invoked: int
    completed: int | None
    error: str | None = None
    node: str | None = None
    due: int = -1


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a history that belongs to no client: the nemesis or the monitor."""

    rank: int
    time: int
    process: str
    type: str
    f: str
    value: Any
    error: str | None = None


class HistoryError(Exception):
    """A history that cannot be read: one line that names the file, the line and the reason."""


@dataclass(slots=True)
class History:
    """The operations of one run in the order of their invocations, as columns.

    Lengths are n, the number of operations. `f`, `key`, `node`, `error`, `input` and `output`
    hold codes: positions in `fs`, `keys`, `nodes`, `errors` and `values` (-1: none).
    `outcome` holds positions in `OUTCOMES`. `invoked_rank` and `completed_rank` are positions
    of events in the file, which have no ties as clocks do; `completed_rank` is `NEVER` for an
    operation that never completed. Times are ns, -1 where unknown. `pairs` has two columns and
    a row for each of `values`: the codes of its two parts if it is a list of two (as a cas's
    input is), else `NO_PAIR`. `events` counts the events of the file, `notes` holds what a
    reader of the verdict should know about the file (a truncated last line).
    """

    process: IntColumn
    f: CodeColumn
    key: CodeColumn
    input: CodeColumn
    output: CodeColumn
    outcome: npt.NDArray[np.int8]
    invoked_rank: IntColumn
    completed_rank: IntColumn
    invoked_ns: IntColumn
    completed_ns: IntColumn
    due_ns: IntColumn
    node: CodeColumn
    error: CodeColumn
    fs: list[str]
    keys: list[Any]
    values: list[Any]
    nodes: list[str]
    errors: list[str]
    pairs: CodeColumn
    others: list[Event] = field(default_factory=list)
    events: int = 0
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.process)

    def __getitem__(self, index: int) -> Op:
        completed = int(self.completed_ns[index])
        return Op(
            index=index,
            process=int(self.process[index]),
            f=self.fs[self.f[index]],
            key=_decoded(self.keys, self.key[index]),
            input=_decoded(self.values, self.input[index]),
            output=_decoded(self.values, self.output[index]),
            outcome=OUTCOMES[self.outcome[index]],
            invoked=int(self.invoked_ns[index]),
            completed=None if self.completed_rank[index] == NEVER else completed,
            error=_decoded(self.errors, self.error[index]),
            node=_decoded(self.nodes, self.node[index]),
            due=int(self.due_ns[index]),
        )

    def __iter__(self) -> Iterator[Op]:
        return (self[index] for index in range(len(self)))

    def f_code(self, f: str) -> int:
        """Return the code of an f, -9 if no operation has it."""
        return self.fs.index(f) if f in self.fs else -9

    def decoded_key(self, code: int) -> Any:
        """Return a key by its code, None for operations that name none."""
        return _decoded(self.keys, code)

    def code(self, value: Any) -> int:
        """Return the code of a value: -1 for null, -9 if the history does not mention it."""
        if value is None:
            return -1
        text = msgspec.json.encode(value)
        for code, each in enumerate(self.values):
            if msgspec.json.encode(each) == text:
                return code
        return -9

    @staticmethod
    def read(path: Path) -> "History":
        """Read a history file (JSON Lines).

        Raises `HistoryError` for a file that is no history.
        """
        decode = msgspec.json.decode
        with Path(path).open("rb") as lines:
            return History.of_events(decode(line) for line in lines if line.endswith(b"\n"))

    @staticmethod
    def of_events(events: Iterable[Mapping[str, Any]]) -> "History":
        """Build a history from events as they stand in a file, one mapping an event."""
        return _Builder().build(events)


def _decoded(table: list[Any], code: Any) -> Any:
    return None if code < 0 else table[code]


class _Codes:
    """Numbers for things: the same thing gets the same number."""

    def __init__(self) -> None:
        self.table: list[Any] = []
        self.pairs: list[tuple[int, int]] = []
        self._numbers: dict[bytes, int] = {}

    def __call__(self, thing: Any) -> int:
        if thing is None:
            return -1
        text = msgspec.json.encode(thing)
        number = self._numbers.setdefault(text, len(self.table))
        if number == len(self.table):
            self.table.append(thing)
            self.pairs.append((NO_PAIR, NO_PAIR))
            if isinstance(thing, list) and len(thing) == 2:
                self.pairs[number] = self(thing[0]), self(thing[1])
        return number


_WIDTHS = [np.int64, *[np.int32] * 4, np.int8, *[np.int64] * 5, *[np.int32] * 2]


def _narrow(column: IntColumn, width: Any) -> Any:
    return np.ascontiguousarray(column, dtype=width)


_INFO = OUTCOMES.index("info")


class _Builder:
    def __init__(self) -> None:
        self.fs, self.keys, self.values = _Codes(), _Codes(), _Codes()
        self.nodes, self.errors = _Codes(), _Codes()
        self.rows: list[list[int]] = []
        self.open: dict[int, int] = {}
        self.others: list[Event] = []

    def build(self, events: Iterable[Mapping[str, Any]]) -> History:
        rank = -1
        for rank, event in enumerate(events):
            process = event["process"]
            if not isinstance(process, int):
                self.others.append(
                    Event(
                        rank,
                        event.get("time", -1),
                        str(process),
                        event["type"],
                        event["f"],
                        event.get("value"),
                        event.get("error"),
                    )
                )
            elif event["type"] == "invoke":
                self._invoke(rank, process, event)
            else:
                self._complete(rank, process, event)
        columns = np.array(self.rows, dtype=np.int64).reshape(len(self.rows), 13).T
        codes = (self.fs, self.keys, self.values, self.nodes, self.errors)
        pairs = np.array(self.values.pairs, dtype=np.int32).reshape(-1, 2)
        fields: list[Any] = [
            *map(_narrow, columns, _WIDTHS),
            *(each.table for each in codes),
            pairs,
            self.others,
            rank + 1,
        ]
        return History(*fields)

    def _invoke(self, rank: int, process: int, event: Mapping[str, Any]) -> None:
        if process in self.open:
            raise HistoryError(f"event {rank}: process {process} invokes twice")
        self.open[process] = len(self.rows)
        row = [process, self.fs(event["f"]), self.keys(event.get("key"))]
        row += [self.values(event.get("value")), -1, _INFO, rank, NEVER]
        row += [event.get("time", -1), -1, event.get("due", -1)]
        row += [self.nodes(event.get("node")), -1]
        self.rows.append(row)

    def _complete(self, rank: int, process: int, event: Mapping[str, Any]) -> None:
        if process not in self.open:
            raise HistoryError(f"event {rank}: process {process} completes what it never invoked")
        row = self.rows[self.open.pop(process)]
        row[5] = OUTCOMES.index(event["type"])
        row[7] = NEVER if event["type"] == "info" else rank
        row[9] = event.get("time", -1)
        row[12] = self.errors(event.get("error"))
        if "actual" in event:
            row[4] = self.values(event["actual"])
        elif event["type"] == "ok" and event["f"] in ("read", "get", "txn", "dequeue"):
            row[4] = self.values(event.get("value"))
