"""The events of a history that are no operations, as columns: there may be millions of them.

Each is an `Event` for whoever looks at a few. Whoever looks at all takes the columns: `rows` of the
events that are meant, and what stands there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from partita.checker.events import Event
from partita.checker.extras import Extras
from partita.checker.values import ABSENT, NO_PAIR, NULL, Decoded, Values

IntColumn = npt.NDArray[np.int64]
CodeColumn = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Others(Sequence[Event]):
    """Events in the order of the file.

    `process` is a number, unless `name` says which of the `names` it is (else -1). `type`, `f`,
    `key`, `value`, `error` and `node` are positions in the tables, -1 where there is none.
    `extras` are further fields of all events of the history.
    """

    rank: IntColumn
    time: IntColumn
    version: IntColumn
    process: IntColumn
    name: CodeColumn
    type: CodeColumn
    f: CodeColumn
    key: CodeColumn
    value: CodeColumn
    error: CodeColumn
    node: CodeColumn
    names: Sequence[str]
    types: Sequence[str]
    fs: Sequence[str]
    errors: Sequence[str]
    nodes: Sequence[str]
    keys: Values
    values: Values
    extras: Extras

    @staticmethod
    def empty() -> "Others":
        """Return no events."""
        wide, narrow = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int32)
        nothing = Values.empty()
        return Others(
            rank=wide, time=wide, version=wide, process=wide, name=narrow, type=narrow, f=narrow,
            key=narrow, value=narrow, error=narrow, node=narrow, names=(), types=(), fs=(),
            errors=(), nodes=(), keys=nothing, values=nothing, extras=Extras(),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rank)

    @overload
    def __getitem__(self, at: int) -> Event: ...
    @overload
    def __getitem__(self, at: slice) -> list[Event]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return list(self.at(np.arange(len(self))[at]))
        return next(self.at(np.arange(len(self))[[at]]))

    def __iter__(self) -> Iterator[Event]:
        return self.at(np.arange(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Others) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def rows(self, *fs: str, type: str | None = None) -> IntColumn:
        """Return where the events with one of these f are, of this type alone if one is named."""
        wanted = np.array([*(f in fs for f in self.fs), False])  # the last: events without one
        chosen = wanted[self.f]
        if type is not None:
            chosen &= self.type == _code(self.types, type)
        return np.flatnonzero(chosen)

    def having(self, name: str) -> IntColumn:
        """Return where the events of type "event" are that have this further field."""
        chosen = self.type == _code(self.types, "event")
        chosen &= self.extras.column(name, self.rank) != ABSENT
        return np.flatnonzero(chosen)

    def of(self, *fs: str, type: str | None = None) -> Iterator[Event]:
        """Yield the events with one of these f, of this type alone if one is named."""
        return self.at(self.rows(*fs, type=type))

    def by(self, name: str) -> IntColumn:
        """Return where the events are of a process that has a name."""
        return np.flatnonzero(self.name == _code(self.names, name))

    def at(self, rows: IntColumn) -> Iterator[Event]:
        """Yield the events at these places."""
        if not len(rows):
            return
        value_of, key_of = Decoded(self.values), Decoded(self.keys)
        columns = (self.rank, self.time, self.process, self.name, self.type, self.f, self.value,
                   self.error, self.version, self.key, self.node)  # fmt: skip
        lines = zip(*(column[rows].tolist() for column in columns), strict=True)
        further = self.extras.of_each(self.rank[rows])
        for line, fields in zip(lines, further, strict=True):
            rank, time, process, name, type_, f, value, error, version, key, node = line
            if node >= 0:
                fields["node"] = self.nodes[node]
            yield Event(
                rank, time, process if name < 0 else self.names[name], self.types[type_],
                self.fs[f], value_of[value], None if error < 0 else self.errors[error], version,
                key_of[key], fields,
            )  # fmt: skip

    def field(self, name: str, rows: IntColumn) -> CodeColumn:
        """Return a further field of the events at these places, by its place in `extras.values`.

        It is `ABSENT` for those that have none.
        """
        return self.extras.column(name, self.rank[rows])

    def numbers(self, name: str, rows: IntColumn) -> tuple[IntColumn, npt.NDArray[np.bool_]]:
        """Return a further field that is a whole number, and of which events it is one."""
        code, values = self.field(name, rows), self.extras.values
        whole = code >= 0
        whole[whole] = (values.is_text == 0)[code[whole]]
        whole[whole] = (values.pairs[:, 0] == NO_PAIR)[code[whole]]
        number = np.zeros(len(rows), dtype=np.int64)
        number[whole] = values.payload[code[whole]]
        return number, whole

    def labels(self, name: str, rows: IntColumn) -> CodeColumn:
        """Return a further field as a label: equal ones are equal, `NULL` where there is none."""
        code = self.field(name, rows)
        return np.where(code == ABSENT, np.int32(NULL), code)

    def since(self, origin: int) -> "Others":
        """Return the events with times that count from a later moment."""
        return replace(self, time=np.where(self.time < 0, self.time, self.time - origin))


def _code(table: Sequence[str], name: str) -> int:
    return table.index(name) if name in table else ABSENT
