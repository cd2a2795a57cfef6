"""The history as Parquet: a row for each event, in the order of the file.

The columns are those of a history file. `operation` tells which events belong together, and a
completion also says when its operation was invoked and due, so that latencies need no join. The
schema is the same for every run, so that many runs can be queried at once: what may be anything
(key, value) is JSON text. Events are converted some at a time, which bounds the memory.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from partita.checker import OUTCOMES, History
from partita.checker.history import NEVER
from partita.checker.values import NULL, as_json
from partita.reports.stored import StoredRun

Ints = npt.NDArray[np.int64]

# Events a time, which become a row group: DuckDB wants so many for each thread.
EVENTS_A_TIME = 131_072
INVOKED, ENDED, OTHER = range(3)
_ABSENT = -1
# A field of its own where clients live on nodes of their own, see docs/where.md.
_CLIENT = "client"

SCHEMA = pa.schema(
    [
        ("time", pa.int64()),
        ("wall_time", pa.timestamp("us", tz="UTC")),
        ("type", pa.string()),
        ("process", pa.int64()),
        ("process_name", pa.string()),
        ("f", pa.string()),
        ("key", pa.string()),
        ("value", pa.string()),
        ("node", pa.string()),
        ("client", pa.string()),
        ("error", pa.string()),
        ("actual", pa.string()),
        ("version", pa.int64()),
        ("operation", pa.int64()),
        ("invoked", pa.int64()),
        ("due", pa.int64()),
        ("fields", pa.string()),
    ]
)


def write(run: StoredRun, path: Path, tell: Callable[[int, int], None]) -> str:
    """Write a run's history to a file; returns what was written, in words."""
    events = Events(run.history, run.began_ns)
    # Opened here, so that an error is said as the system says it.
    with path.open("wb") as file, pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for begin in range(0, len(events), EVENTS_A_TIME):
            tell(begin, len(events))
            writer.write_batch(events.batch(begin, begin + EVENTS_A_TIME))
    return f"{len(events):,} events of {len(run.history):,} operations"


class Events:
    """All events of a history in the order of the file, and batches of them as Arrow has them."""

    def __init__(self, history: History, began_ns: int | None) -> None:
        ended = np.flatnonzero(history.ended_rank < NEVER)
        rows = [np.arange(len(history)), ended, np.arange(len(history.others))]
        ranks = [history.invoked_rank, history.ended_rank[ended], history.others.rank]
        rank = np.concatenate(ranks)
        order = np.argsort(rank, kind="stable")
        kinds = np.repeat(np.array([INVOKED, ENDED, OTHER], dtype=np.int8), list(map(len, rows)))
        self._history = history
        self._began_ns = began_ns
        self._rank, self._row, self._kind = rank[order], np.concatenate(rows)[order], kinds[order]

    def __len__(self) -> int:
        return len(self._rank)

    def batch(self, begin: int, end: int) -> Any:
        """Return the events from one place to another as a record batch of `SCHEMA`."""
        picked = _Picked(
            self._history, self._kind[begin:end], self._row[begin:end], self._rank[begin:end]
        )
        time = picked.times()
        columns = {
            "time": _numbers(time),
            "wall_time": self._wall_time(time),
            "type": picked.types(),
            **picked.processes(),
            "f": picked.words("f", self._history.fs, self._history.others.fs),
            "key": picked.keys(),
            "value": picked.values(),
            "node": picked.words("node", self._history.nodes, self._history.others.nodes),
            "error": picked.errors(),
            "actual": picked.actual(),
            **picked.numbers_of_operations(),
            **picked.further(),
        }
        return pa.record_batch([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _wall_time(self, time: Ints) -> Any:
        """In microseconds: many tools have no finer moments, and no clock is so right."""
        kind = SCHEMA.field("wall_time").type
        if self._began_ns is None:
            return pa.nulls(len(time), kind)
        moment = time - self._history.origin_ns + self._began_ns
        return pa.array(moment // 1000, mask=time < 0).cast(kind)


class _Picked:
    """Some events: of which kind each is, and in which row of its kind's columns it stands."""

    def __init__(self, history: History, kind: npt.NDArray[np.int8], row: Ints, rank: Ints) -> None:
        self._history, self._kind, self._row, self._rank = history, kind, row, rank

    def _column(self, invoked: Any = None, ended: Any = None, other: Any = None) -> Ints:
        """Return one column out of those of the three kinds, -1 where a kind has none."""
        found = np.full(len(self._row), _ABSENT, dtype=np.int64)
        for kind, column in enumerate((invoked, ended, other)):
            if column is not None:
                mine = self._kind == kind
                found[mine] = column[self._row[mine]]
        return found

    def times(self) -> Ints:
        """Return when each happened, as the file says it."""
        history = self._history
        time = self._column(history.invoked_ns, history.completed_ns, history.others.time)
        return np.where(time < 0, _ABSENT, time + history.origin_ns)

    def types(self) -> Any:
        history = self._history
        table = ["invoke", *OUTCOMES, *history.others.types]
        code = self._column(
            ended=history.outcome + 1, other=history.others.type + len(OUTCOMES) + 1
        )
        return _words(np.where(self._kind == INVOKED, 0, code), table)

    def processes(self) -> dict[str, Any]:
        history = self._history
        number = self._column(history.process, history.process, history.others.process)
        name = self._column(other=history.others.name)
        numbers = list(history.process_names)
        table = [*history.others.names, *history.process_names.values()]
        for at in np.flatnonzero(np.isin(number, numbers) & (self._kind != OTHER)):
            name[at] = len(history.others.names) + numbers.index(int(number[at]))
        process = _numbers(np.where(name < 0, number, _ABSENT))
        return {"process": process, "process_name": _words(name, table)}

    def words(self, column: str, mine: Sequence[str], others: Sequence[str]) -> Any:
        """Return a column of words from a table of the operations', and one of the others'."""
        code, other = getattr(self._history, column), getattr(self._history.others, column)
        return _words(
            self._column(code, code, np.where(other < 0, _ABSENT, other + len(mine))),
            [*mine, *others],
        )

    def errors(self) -> Any:
        history = self._history
        mine = len(history.errors)
        other = np.where(history.others.error < 0, _ABSENT, history.others.error + mine)
        code = self._column(ended=history.error, other=other)
        return _words(code, [*history.errors, *history.others.errors])

    def keys(self) -> Any:
        history = self._history
        mine = _texts(self._column(history.key, history.key), _each(history.decoded_key))
        others = _texts(self._column(other=history.others.key), history.others.keys.several)
        return pc.coalesce(mine, others)

    def values(self) -> Any:
        """Return what stands in the file as an event's value: what was asked, or what was told."""
        history = self._history
        is_read = history.among(("read", "get"))
        told = (history.outcome == OUTCOMES.index("ok")) & ((history.output != NULL) | is_read)
        ended = np.where(told, history.output, history.input)
        mine = _texts(self._column(history.input, ended), history.values.several)
        others = _texts(self._column(other=history.others.value), history.others.values.several)
        return pc.coalesce(mine, others)

    def actual(self) -> Any:
        """Return what a cas met that failed, where the store said it."""
        history = self._history
        failed = history.outcome == OUTCOMES.index("fail")
        ended = np.where(failed, history.output, NULL)
        return _texts(self._column(ended=ended), history.values.several)

    def numbers_of_operations(self) -> dict[str, Any]:
        history, rows = self._history, np.arange(len(self._history))
        due = self._column(history.due_ns, history.due_ns)
        invoked = self._column(ended=history.invoked_ns)
        return {
            "version": _numbers(self._column(ended=history.version, other=history.others.version)),
            "operation": _numbers(self._column(rows, rows)),
            "invoked": _numbers(np.where(invoked < 0, _ABSENT, invoked + history.origin_ns)),
            "due": _numbers(np.where(due < 0, _ABSENT, due + history.origin_ns)),
        }

    def further(self) -> dict[str, Any]:
        """Return the node that a client lived on, and all fields that have no column."""
        extras = self._history.extras
        if not len(extras):
            nothing = pa.nulls(len(self._row), pa.string())
            return {"client": nothing, "fields": nothing}
        each_event = list(extras.of_each(self._rank))
        clients = [fields.pop(_CLIENT, None) for fields in each_event]
        texts = [as_json(fields).decode() if fields else None for fields in each_event]
        return {
            "client": pa.array([None if each is None else str(each) for each in clients]),
            "fields": pa.array(texts, pa.string()),
        }


def _numbers(column: Ints) -> Any:
    return pa.array(column, mask=column < 0)


def _words(code: Ints, table: Sequence[str]) -> Any:
    return pa.array(table, pa.string()).take(pa.array(code, mask=code < 0))


def _texts(code: Ints, several: Callable[[Any], list[Any]]) -> Any:
    """Return values as JSON text, each decoded and encoded once; null where there is none."""
    distinct, place = np.unique(code, return_inverse=True)
    found = [None if value is None else as_json(value).decode() for value in several(distinct)]
    return pa.array(found, pa.string()).take(pa.array(place))


def _each(decoded: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    return lambda codes: [decoded(code) for code in codes]
