"""Contradictions in English: which operations, of which processes, when, and why not.

Engines say what contradicts what; the sentences and the choice of the operations that a
reader needs beside them (who wrote the value that was read, how we know that a crashed
operation happened) are made here.
"""

from typing import Any

from partita.checker.history import History, Op
from partita.checker.values import as_json

_NS_PER_S, _NS_PER_MS = 10**9, 10**6
# Histories as short as this have times that count something else, 1, 2, 3 perhaps.
_TOLD_IN_NS = 1_000


def quoted(value: Any) -> str:
    """Return a value as JSON, as it stands in a history file."""
    return as_json(value).decode()


def moment(history: History, row: int, *, completed: bool = False) -> str:
    """Say when an operation was invoked or completed: in seconds, or as an event's number."""
    ns = history.completed_ns[row] if completed else history.invoked_ns[row]
    if ns >= 0:
        return _told(history, row, int(ns))
    rank = history.completed_rank[row] if completed else history.invoked_rank[row]
    return f"event {rank + 1}"


def _told(history: History, row: int, ns: int) -> str:
    """Say a time so that it differs from that of the other end of the operation, if it does."""
    if history.span_ns < _NS_PER_S:
        return f"{ns:,} ns" if history.span_ns < _TOLD_IN_NS else f"{ns / 1e3:,.10g} µs"
    took = int(history.completed_ns[row]) - int(history.invoked_ns[row])
    return f"{ns / 1e9:.6f} s" if 0 <= took < _NS_PER_MS else f"{ns / 1e9:.3f} s"


def when(history: History, row: int) -> str:
    """Say when an operation was under way."""
    begin = moment(history, row)
    if history[row].outcome == "info":
        return f"from {begin}, never answered"
    return f"{begin} to {moment(history, row, completed=True).removeprefix('event ')}"


def is_cas(op: Op) -> bool:
    """Say whether an operation is a register's cas: another model may call something else so."""
    return op.f == "cas" and isinstance(op.input, list) and len(op.input) == 2


def is_answered(op: Op) -> bool:
    """Say whether the answer to an operation tells more than its invocation did."""
    return op.outcome == "ok" and op.output not in (None, op.input)


def action(history: History, row: int) -> str:
    """Say what an operation was: "write 3", "cas from 3 to 4", "read of 4"."""
    op = history[row]
    if is_cas(op):
        cas = f"cas from {quoted(op.input[0])} to {quoted(op.input[1])}"
        return f"{cas} which met {quoted(op.output)}" if op.output is not None else cas
    if op.f in ("read", "get"):
        return f"{op.f} of {quoted(op.output)}"
    said = op.f if op.input is None else f"{op.f} {quoted(op.input)}"
    return f"{said} that returned {quoted(op.output)}" if is_answered(op) else said


def who(history: History, row: int, *, timed: bool = True) -> str:
    """Name an operation: "process 3's read of 17 (2.101 s to 2.104 s)"."""
    name = f"process {history.process_of(row)}'s {action(history, row)}"
    return f"{name} ({when(history, row)})" if timed else name


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]


def capital(sentence: str) -> str:
    """Begin a sentence with a capital letter."""
    return sentence[:1].upper() + sentence[1:]
