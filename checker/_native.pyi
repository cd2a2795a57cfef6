"""The native half of the checker."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

def chain(
    rows: npt.NDArray[np.int64],
    kind_of_f: npt.NDArray[np.int8],
    f: npt.NDArray[np.int32],
    input: npt.NDArray[np.int32],
    output: npt.NDArray[np.int32],
    outcome: npt.NDArray[np.int8],
    invoked_rank: npt.NDArray[np.int64],
    completed_rank: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int32],
    initial: int,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
    ordered: bool,
) -> tuple[int, str, list[int], list[int], list[int]]:
    """Decide one register with single writers.

    Returns 0 valid, 1 invalid, 2 not applicable or 3 undecided; how it is contradicted (or
    which limit was hit); the operations that contradict each other and the cas that link
    them, as positions in `rows` (-1: the initial value); and, if `ordered` and valid, an order.
    """

def search_register(
    rows: npt.NDArray[np.int64],
    kind_of_f: npt.NDArray[np.int8],
    f: npt.NDArray[np.int32],
    input: npt.NDArray[np.int32],
    output: npt.NDArray[np.int32],
    outcome: npt.NDArray[np.int8],
    invoked_rank: npt.NDArray[np.int64],
    completed_rank: npt.NDArray[np.int64],
    pairs: npt.NDArray[np.int32],
    initial: int,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
    beam: int,
    window: int,
    plenty: int,
    tracked: int,
    without: str,
    ordered: bool,
    descents: int,
    few: int,
    explains: bool,
) -> tuple[int, str, int, int, list[int], int, float, list[int]]:
    """Search for an order of a register's operations.

    Returns 0 valid, 1 invalid or 2 undecided; which limit was hit; the place in `rows` and the
    rank of the event that could not be passed; places of operations that contradict each
    other; how many nodes were expanded; and, if `ordered` and valid, an order, as places.
    `descents` is 0 for none, 1 for one beside the rest, 2 for a descent alone, which soon tries all
    crashed operations everywhere if they are as `few` as that. Operations that
    contradict each other are looked for if it `explains`.
    """

def kinds_of(
    rows: npt.NDArray[np.int64],
    f: npt.NDArray[np.int32],
    input: npt.NDArray[np.int32],
    output: npt.NDArray[np.int32],
    outcome: npt.NDArray[np.int8],
) -> tuple[npt.NDArray[np.int32], list[int]]:
    """Number what operations do: the same f, input, output and outcome are the same kind.

    Returns the kind of each of `rows`, and the first row of each kind.
    """

def search_table(
    rows: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int32],
    reads: Sequence[bool],
    overwrites: Sequence[bool],
    ask: Callable[[int, int], int] | None,
    first: Sequence[int],
    steps: Sequence[Sequence[tuple[int, int, int]]],
    outcome: npt.NDArray[np.int8],
    invoked_rank: npt.NDArray[np.int64],
    completed_rank: npt.NDArray[np.int64],
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
    beam: int,
    window: int,
    plenty: int,
    tracked: int,
    without: str,
    ordered: bool,
    descents: int,
    few: int,
    explains: bool,
) -> tuple[int, str, int, int, list[int], int, float, list[int]]:
    """Search for an order of operations under any model; returns what `search_register` does.

    `kinds` has the kind of each of `rows`, `reads` says of each kind whether it can never
    change the state, `overwrites` whether it always leads to the same one. `ask` gives the
    number of the state after an operation of a kind, -1 if it is not possible; the initial
    state is 0. What it raises goes through. If it is None, steps over cells say the same, see
    `partita.checker.models.cells`.
    """

def monitor_queue(
    acts: npt.NDArray[np.int8],
    values: npt.NDArray[np.int32],
    invoked: npt.NDArray[np.int64],
    completed: npt.NDArray[np.int64],
    value_count: int,
    is_fifo: bool,
    ordered: bool,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[int, str, list[int], list[int]]:
    """Decide a queue: 0 valid, 1 invalid, 2 declined, 3 undecided.

    `acts` are 0 put, 1 take, 2 found empty. Returns the broken rule (or why not), the operations
    that the rule is about, and, if `ordered` and valid, an order that proves it, as places.
    """

def sessions(
    events: npt.NDArray[np.int64],
    kind: npt.NDArray[np.int8],
    place: npt.NDArray[np.int64],
    next: npt.NDArray[np.int64],
    session: npt.NDArray[np.int64],
    old: npt.NDArray[np.int64],
    begin: npt.NDArray[np.int64],
    end: npt.NDArray[np.int64],
    line_place: npt.NDArray[np.int64],
    line_value: npt.NDArray[np.int64],
    level: int,
) -> tuple[int, int, int]:
    """Find the first operation that cannot stand where its version says.

    `events` are invocations (an operation's number + 1) and completions (its negative) in order.
    By operation: its `kind` (0 read, 1 update, 2 a cas that did not meet `old`), its `place` and
    the place of the `next` update of its key, its `session`, and where its key's updates `begin`
    and `end` in the line of all updates, key by key. `level` is 0 sequential, 1 ordered
    sequential, 2 linearizable. Returns the operation (-1: there is none), the operation that it
    would have to follow (-1: none) and the least place that it could have.
    """

def pieces_of_text(
    text: str,
    pieces: list[str],
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[str, list[int], list[int]]:
    """Take a text apart from its beginning, while one piece fits that was not used before.

    Returns the limit that was reached ("" if none), places of pieces in their order, and those of
    the pieces that fit behind them, if it ends because more than one does.
    """

def monitor_growing_set(
    is_read: npt.NDArray[np.bool_],
    what: npt.NDArray[np.int32],
    invoked: npt.NDArray[np.int64],
    completed: npt.NDArray[np.int64],
    elements: npt.NDArray[np.int32],
    ends: npt.NDArray[np.int64],
    element_count: int,
    ordered: bool,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[int, str, list[int], list[int]]:
    """Decide a set that only grows; returns what `monitor_queue` does.

    `what` is the element that was added, or the list that was read. The elements of all lists
    stand back to back in `elements`, where each ends in `ends`.
    """

def elements_of_lists(
    added: npt.NDArray[np.int32],
    lists: npt.NDArray[np.int32],
    payload: npt.NDArray[np.int64],
    is_text: npt.NDArray[np.int8],
    pairs: npt.NDArray[np.int32],
    text_ends: npt.NDArray[np.int64],
    text: npt.NDArray[np.uint8],
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int64], int] | str | None:
    """Number the values that were added, and the elements of lists, all given by their codes.

    Returns the numbers of what was added, those of all elements, where each list ends among
    them, and how many numbers there are; the limit that was hit; or None if something is neither
    a whole number nor a text, or no list.
    """

def monitor_members(
    acts: npt.NDArray[np.int8],
    elements: npt.NDArray[np.int32],
    invoked: npt.NDArray[np.int64],
    completed: npt.NDArray[np.int64],
    element_count: int,
    present: int,
    ordered: bool,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[int, str, list[int], list[int]]:
    """Decide a set's elements one by one; returns what `monitor_queue` does.

    `acts` are 0 add, 1 remove, 2 found in, 3 found out. The first `present` elements are in at
    the beginning.
    """

def monitor_counter(
    is_read: npt.NDArray[np.bool_],
    amounts: npt.NDArray[np.int64],
    invoked: npt.NDArray[np.int64],
    completed: npt.NDArray[np.int64],
    initial: int,
    ordered: bool,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> tuple[int, str, list[int], list[int]]:
    """Decide a counter; returns what `monitor_queue` does.

    `amounts` are what was added, or the sum that was read. An operation of -1 is none.
    """

def transactions(
    process: npt.NDArray[np.int64],
    input: npt.NDArray[np.int32],
    output: npt.NDArray[np.int32],
    outcome: npt.NDArray[np.int8],
    invoked: npt.NDArray[np.int64],
    completed: npt.NDArray[np.int64],
    version: npt.NDArray[np.int64],
    values: Any,
    told_rows: npt.NDArray[np.int64] | None,
    told_codes: npt.NDArray[np.int32] | None,
    told_values: Any,
    writes_follow_reads: bool,
    linearizable_keys: bool,
    sequential_keys: bool,
    deadline: float | None,
    memory: int | None,
    stop: npt.NDArray[np.uint8] | None,
) -> dict[str, Any] | tuple[str, list[int]] | str:
    """Find the anomalies of transactions, whose columns are those of a `History`.

    `values` is a `Values`; `told_rows` and `told_codes` are operations and their fields `versions`,
    as numbers in `told_values`. Returns what was found, by the names that
    checker/native/transactions/bind.cpp gives it; what is wrong with which operations; or the limit
    that was hit before all was read. One that was hit later is in "stopped".
    """

_Read = tuple[dict[str, Any], list[str]] | tuple[None, int, str, int, bool]

def read_file(
    path: str, notation: str, by_index: bool, deadline: float | None, memory: int | None
) -> _Read:
    """Read a history file into the columns of a `History`, and notes about the file.

    `notation` is "json-lines", "json" (an array, or events on many lines) or "edn". `by_index`
    takes the events in the order of their indexes, if these count them.

    For a file that is no history, returns None, a line from 1 (0: it is about the file, negative:
    a limit was hit there), a reason, the number of the event if the line does not tell it, and
    whether the indexes of events say another order than their lines.
    """

def read_stream(
    more: Callable[[int], bytes],
    notation: str,
    by_index: bool,
    deadline: float | None,
    memory: int | None,
) -> _Read:
    """Read what `more` returns, which is asked for so many bytes at most until it has none."""

def resident_bytes() -> int:
    """Return how much memory the process holds."""

def compact_json(json: bytes) -> bytes:
    """Return a JSON value in the one form that all values in a history have."""

def read_text(text: bytes, notation: str, by_index: bool, piece: int = ...) -> _Read:
    """Read the text of a history in the same way, `piece` bytes at a time."""
