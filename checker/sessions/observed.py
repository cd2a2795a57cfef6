"""What operations did to registers or lists, in columns: read, left, or failed to meet a value.

The two kinds of object (`registers`, `lists`) are brought to this form, and everything after is
the same for both.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker.history import OUTCOMES, History, IntColumn

READ, UPDATE, MISMATCH = 0, 1, 2
# A value that stands for none: a register before its first update.
NULL = -1
# The `old` of what is no cas.
ANY = -2
# The version that nobody said.
UNKNOWN = -1
OK, FAIL, INFO = (OUTCOMES.index(each) for each in ("ok", "fail", "info"))

BoolColumn = npt.NDArray[np.bool_]


class Unfit(Exception):
    """The check has nothing to say about such a history: why."""


class Contradicted(Exception):
    """The answers contradict each other, in whatever order things happened."""

    def __init__(
        self,
        seen: "Observed",
        operations: Collection[int],
        explanation: str,
        failed: Iterable[int] = (),
    ) -> None:
        """`operations` are numbers of `seen`, `failed` rows of the history that are not in it."""
        super().__init__(explanation)
        shown = {*operations, *(other for each in operations for other in seen.witnesses(each))}
        self.rows = tuple(sorted({*failed, *map(seen.row, shown)}))
        keys = {int(seen.key[each]) for each in operations}
        self.key = seen.history.decoded_key(keys.pop()) if len(keys) == 1 else None


@dataclass(slots=True)
class Observed:
    """The operations that count, in the order of their invocations, as columns of one length.

    `rows` are the history's. `value` is a number for the value that an update left, or that a
    read (or a cas that failed, where the store said it) found; `old` for the one that a cas met,
    or, if it is a `MISMATCH`, did not meet. `version` is that of the value, `UNKNOWN` where
    nobody said. An operation that is `dropped` cannot be judged; `doubts` say why, and with any
    of them the best answer is "unknown". Leaving a read out, or an update that nobody read, makes
    no valid history invalid.
    """

    history: History
    rows: IntColumn
    kind: npt.NDArray[np.int8]
    value: IntColumn
    old: IntColumn
    version: IntColumn = field(init=False)
    key: IntColumn = field(init=False)
    session: IntColumn = field(init=False)
    crashed: BoolColumn = field(init=False)
    dropped: BoolColumn = field(init=False)
    doubts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = self.history.key[self.rows].astype(np.int64)
        self.session = _sessions(self.history, self.rows)
        self.crashed = self.history.outcome[self.rows] == INFO
        # What crashed was told nothing.
        said = self.history.version[self.rows]
        self.version = np.where(self.crashed, UNKNOWN, said).astype(np.int64)
        self.dropped = np.zeros(len(self.rows), dtype=bool)

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> int:
        """Return an operation's row in the history."""
        return int(self.rows[index])

    def key_of(self, index: int) -> Any:
        """Return the key of an operation."""
        return self.history.decoded_key(int(self.key[index]))

    def updates(self, *, known: bool) -> IntColumn:
        """Return the updates whose version is known, or those whose is not."""
        wanted = (self.kind == UPDATE) & ((self.version != UNKNOWN) == known)
        return np.flatnonzero(wanted & ~self.dropped)

    def in_order(self) -> IntColumn:
        """Return the updates whose version is known in the order of their versions."""
        known = self.updates(known=True)
        return known[np.argsort(self.version[known], kind="stable")]

    def witnesses(self, index: int) -> list[int]:
        """Return an operation that was told the version of one that was not, if there is one."""
        told = (self.history.version[self.rows] != UNKNOWN) & ~self.crashed
        if told[index] or self.version[index] == UNKNOWN:
            return []
        same = np.flatnonzero(told & (self.version == self.version[index]))
        return [int(each) for each in same[:1]]

    def drop(self, chosen: IntColumn, doubt: str) -> None:
        """Leave operations out, which makes the best answer "unknown"."""
        if len(chosen):
            self.dropped[chosen] = True
            self.doubts.append(doubt)


def counting(history: History) -> IntColumn:
    """Return the rows that count: what was answered, updates that crashed, and mismatches."""
    fails = history.outcome == FAIL
    if "mismatch" in history.errors:
        fails &= history.error != history.errors.index("mismatch")
    lost_reads = (history.outcome == INFO) & (history.f == history.f_code("read"))
    return np.flatnonzero(~fails & ~lost_reads)


def session_name(history: History, row: int) -> str:
    """Name the session of an operation."""
    named = history.extra("session").get(row)
    return f"process {history.process_of(row)}" if named is None else f"session {named}"


def _sessions(history: History, rows: IntColumn) -> IntColumn:
    """Return a number for the session of each row: that of its field `session`, else its process's.

    In a process that names sessions, an operation that names none (it crashed, say) may belong to
    any of them, and is in none.
    """
    codes = np.unique(history.process[rows], return_inverse=True)[1].astype(np.int64)
    named = history.extra("session")
    if not named:
        return codes
    fresh = len(rows)
    numbers: dict[Any, int] = {}
    moved = {int(history.process[row]) for row in named}
    for at, row in enumerate(rows.tolist()):
        if row in named:
            codes[at] = numbers.setdefault(named[row], fresh + len(numbers))
        elif int(history.process[row]) in moved:
            codes[at] = numbers.setdefault((row,), fresh + len(numbers))
    return np.unique(codes, return_inverse=True)[1].astype(np.int64)
