"""The vocabulary: what an operation is, and the history of one run.

Columns inside (numpy), `Op` views outside, so that ten million operations fit in
memory while the code that explains or draws a few of them reads like prose.

A history file has one event a line (JSON Lines)::

    {"time":1200,"type":"invoke","process":3,"f":"cas","key":0,"value":[4,5],"node":"n1","due":1000}
    {"time":1900,"type":"ok","process":3,"f":"cas","key":0,"value":[4,5],"node":"n1"}

`time` and `due` are nanoseconds since the run began, both optional, as are `key`, `node`
and `error`. A read's value is its output and stands on the completion. A cas that failed
because the value differed has error "mismatch" and, where the store said what the value
was, `actual`. A completion's `version` is the number that the store gave to the state that
the operation saw or made (etcd's revision, ZooKeeper's zxid, Consul's index). Lines whose
process is not a number ("nemesis", "monitor") are no operations, nor are those of type
"event", by which a client tells what reached it beside its answers: they are kept in
`History.others`. Any other field stays with its event, see `History.extra`. Jepsen's EDN is
read and written too.

This is format 2. Format 1 had neither versions, nor events of clients, nor further fields: its
files are read as they are.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from partita.checker.events import UNVERSIONED, Event, HistoryError, ReadingStopped
from partita.checker.extras import Extras
from partita.checker.others import Others
from partita.checker.reading import read_events, read_file, write_file
from partita.checker.values import ABSENT, NULL, Values

Outcome = Literal["ok", "fail", "info"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "fail", "info")
NEVER = np.iinfo(np.int64).max
# Of history files, as this module describes them.
FORMAT: Final = 2

__all__ = ["Event", "History", "HistoryError", "Op", "ReadingStopped"]

IntColumn = npt.NDArray[np.int64]
BoolColumn = npt.NDArray[np.bool_]
CodeColumn = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: invoked by a process, and completed as ok, fail or info.

    `process` is the number of a process, or its name where the file gives it one.
    `invoked` and `completed` are ns since the run began (-1: the file did not say);
    `completed` is None if the operation never completed. `due` is when the generator wanted
    it sent (ns, -1: not said). `output` is what a read returned, or the value that a cas
    which failed with "mismatch" met, where known. `version` is the number that the store gave to
    the state that was seen or made, -1 if unknown.
    """

    index: int
    process: int | str
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
    version: int = UNVERSIONED


@dataclass(slots=True)
class History:
    """The operations of one run in the order of their invocations, as columns.

    Lengths are n, the number of operations. `f`, `key`, `node`, `error`, `input` and `output`
    hold codes: positions in `fs`, `keys`, `nodes`, `errors` and `values` (-1: none).
    `outcome` holds positions in `OUTCOMES`. `invoked_rank`, `completed_rank` and `ended_rank`
    are positions of events in the file, which have no ties as clocks do. `completed_rank` is
    `NEVER` for an operation that never completed or ended info, so that nobody knows when it
    took effect; `ended_rank` is where it ended in any way, `NEVER` if it did not. Times are ns,
    -1 where unknown, as `version` is.

    Processes with names have numbers too, behind all others; `process_names` has the names.
    `origin_ns` is what the file's times were at the first event, where they count from long before
    it (else 0): all times here count from there. `span_ns` is how long the operations took.
    `observes_mismatch` says whether such files say why a cas failed.

    `extras` holds the fields that have no column; ask for them by `extra`. `others` are the
    events that are no operations. `events` counts the events of the file; `notes` holds what a
    reader of the verdict should know about the file (that its last line is cut off, say).
    """

    process: IntColumn
    f: CodeColumn
    key: CodeColumn
    input: CodeColumn
    output: CodeColumn
    outcome: npt.NDArray[np.int8]
    invoked_rank: IntColumn
    completed_rank: IntColumn
    ended_rank: IntColumn
    invoked_ns: IntColumn
    completed_ns: IntColumn
    due_ns: IntColumn
    version: IntColumn
    node: CodeColumn
    error: CodeColumn
    fs: list[str]
    keys: Sequence[Any]
    values: Values
    nodes: list[str]
    errors: list[str]
    events: int
    others: Others = field(default_factory=Others.empty)
    extras: Extras = field(default_factory=Extras)
    process_names: Mapping[int, str] = field(default_factory=dict)
    origin_ns: int = 0
    span_ns: int = 0
    observes_mismatch: bool = True
    notes: list[str] = field(default_factory=list)
    _decoded_keys: dict[int, Any] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.process)

    def __getitem__(self, index: int) -> Op:
        completed = int(self.completed_ns[index])
        return Op(
            index=index,
            process=self.process_of(index),
            f=self.fs[self.f[index]],
            key=self.decoded_key(self.key[index]),
            input=self.values.decoded(self.input[index]),
            output=self.values.decoded(self.output[index]),
            outcome=OUTCOMES[self.outcome[index]],
            invoked=int(self.invoked_ns[index]),
            completed=None if self.completed_rank[index] == NEVER else completed,
            error=_decoded(self.errors, self.error[index]),
            node=_decoded(self.nodes, self.node[index]),
            due=int(self.due_ns[index]),
            version=int(self.version[index]),
        )

    def __iter__(self) -> Iterator[Op]:
        return (self[index] for index in range(len(self)))

    @property
    def end(self) -> int:
        """When the last event happened, ns since the run began; 0 if no event says."""
        columns = (self.others.time, self.invoked_ns, self.completed_ns)
        return max(int(column.max(initial=0)) for column in columns)

    @property
    def pairs(self) -> CodeColumn:
        """By code of value, two columns: the codes of its two parts, see `Values`."""
        return self.values.pairs

    def process_of(self, row: int) -> int | str:
        """Return the process of an operation: its name, where it has one."""
        number = int(self.process[row])
        return self.process_names.get(number, number) if self.process_names else number

    def f_code(self, f: str) -> int:
        """Return the code of an f, `ABSENT` if no operation has it."""
        return self.fs.index(f) if f in self.fs else ABSENT

    def among(self, fs: Collection[str]) -> BoolColumn:
        """Return for each operation whether it has one of these f."""
        return np.array([f in fs for f in self.fs], dtype=bool)[self.f]

    def decoded_key(self, code: Any) -> Any:
        """Return a key by its code, None for operations that name none."""
        known = self._decoded_keys
        if (code := int(code)) not in known:
            key = _decoded(self.keys, code)
            if isinstance(key, list | dict):  # which somebody could change
                return key
            known[code] = key
        return known[code]

    def code(self, value: Any) -> int:
        """Return the code of a value: -1 for null, `ABSENT` if the history does not mention it."""
        return self.values.number(value)

    def extra(self, name: str) -> dict[int, Any]:
        """Return a further field, by its name in the file, of the operations that have it.

        Where both the invocation and the completion have it, the completion's counts.
        """
        if name not in self.extras.names:
            return {}
        code = self.extras.column(name, self.ended_rank)
        invoked = self.extras.column(name, self.invoked_rank)
        code = np.where(code == ABSENT, invoked, code)
        rows = np.flatnonzero(code != ABSENT)
        found = self.extras.values.several(code[rows])
        return dict(zip(rows.tolist(), found, strict=True))

    def select(self, rows: IntColumn) -> "History":
        """Return a history of these operations only, with the tables that they need.

        Ranks stay what they were, and `events` too.
        """
        values, new = self.values.selected(np.concatenate([self.input[rows], self.output[rows]]))
        codes = np.unique(self.key[rows])
        codes = codes[codes >= 0]
        key = np.searchsorted(codes, self.key[rows]).astype(np.int32)
        changed: dict[str, Any] = {
            "input": new[self.input[rows]],
            "output": new[self.output[rows]],
            "key": np.where(self.key[rows] < 0, -1, key).astype(np.int32),
            "keys": [self.keys[int(code)] for code in codes],
            "values": values,
        }
        columns = {
            each.name: getattr(self, each.name)[rows]
            for each in fields(self)
            if isinstance(getattr(self, each.name), np.ndarray) and each.name not in changed
        }
        ranks = np.concatenate([columns["invoked_rank"], columns["ended_rank"]])
        return replace(
            self,
            **columns,
            **changed,
            others=Others.empty(),
            extras=self.extras.at(ranks),
            notes=[],
        )

    @staticmethod
    def read(
        path: Path,
        *,
        keyed: bool | None = None,
        deadline: float | None = None,
        memory_bytes: int | None = None,
        format: str | None = None,
    ) -> "History":
        """Read a history file, compressed or not; `-` is standard input.

        `format` names its kind (`partita list formats`); None: what it looks like. Of a folder,
        the history in it is read. `keyed` says whether values are `[key, value]` pairs, as in
        Jepsen's histories of independent keys; None: see whether they show that they are. Raises
        `HistoryError` for a file that is no history, and `ReadingStopped` at the deadline (of
        `time.monotonic`) or when the process holds more than `memory_bytes`.
        """
        return History(**read_file(path, keyed, deadline, memory_bytes, format))

    @staticmethod
    def of_events(events: Iterable[Mapping[str, Any]]) -> "History":
        """Build a history from events as they stand in a file, one mapping an event."""
        return History(**read_events(events))

    def write(self, path: Path) -> None:
        """Write a history file: JSON Lines, or what its name's suffix says (`.edn`, `.json`)."""
        write_file(self.lines(), path)

    def lines(self) -> Iterator[tuple[dict[str, Any], bool]]:
        """Yield the events in their order, as they stand in a file, and which are operations'.

        Completions of one operation repeat what was invoked. If any operation has a key, all have
        one, null where they name none.
        """
        keyed = bool((self.key != NULL).any())
        ended = np.flatnonzero(self.ended_rank < NEVER)
        ranks = np.concatenate([self.invoked_rank, self.ended_rank[ended]])
        rows = np.concatenate([np.arange(len(self)), ended])
        others = iter(self.others)
        other = next(others, None)
        for at in np.argsort(ranks, kind="stable"):
            while other is not None and other.rank < ranks[at]:
                yield self._other_line(other), False
                other = next(others, None)
            line = (self._completion if at >= len(self) else self._invocation)(int(rows[at]))
            if not keyed:
                del line["key"]
            if len(self.extras):
                line |= self.extras.of(int(ranks[at]))
            yield line, True
        while other is not None:
            yield self._other_line(other), False
            other = next(others, None)

    def _invocation(self, row: int) -> dict[str, Any]:
        op = self[row]
        line = self._line(op.invoked, "invoke", op, op.input)
        return {**line, "due": op.due + self.origin_ns} if op.due >= 0 else line

    def _completion(self, row: int) -> dict[str, Any]:
        op = self[row]
        returned = op.outcome == "ok" and (op.output is not None or op.f in ("read", "get"))
        value = op.output if returned else op.input
        line = self._line(int(self.completed_ns[row]), op.outcome, op, value)
        if op.version >= 0:
            line["version"] = op.version
        if op.error is not None:
            line["error"] = op.error
        if op.outcome == "fail" and op.output is not None:
            line["actual"] = op.output
        return line

    def _line(self, time: int, type_: str, op: Op, value: Any) -> dict[str, Any]:
        line: dict[str, Any] = {} if time < 0 else {"time": time + self.origin_ns}
        line |= {"type": type_, "process": op.process, "f": op.f}
        line["key"] = op.key
        line["value"] = value
        return line if op.node is None else {**line, "node": op.node}

    def _other_line(self, event: Event) -> dict[str, Any]:
        line: dict[str, Any] = {} if event.time < 0 else {"time": event.time + self.origin_ns}
        line["type"] = event.type
        if event.process != "":
            line["process"] = event.process
        line |= {"f": event.f, "value": event.value}
        if event.error is not None:
            line["error"] = event.error
        if event.version >= 0:
            line["version"] = event.version
        if event.key is not None:
            line["key"] = event.key
        return {**line, **event.fields}


def _decoded(table: Sequence[Any], code: Any) -> Any:
    return None if code < 0 else table[int(code)]
