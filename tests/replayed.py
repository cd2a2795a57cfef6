"""The order of transactions that a store tells, tried out: one after another, by version."""

from typing import Any

from partita.checker import History
from partita.checker.history import Op


def contradictions(history: History) -> list[str]:
    """Return what contradicts that transactions happened at one point, in the versions' order.

    Transactions without a version, which only read, are left out.
    """
    found: list[str] = []
    state: dict[str, Any] = {}
    committed = sorted(_ok(history), key=lambda op: (op.version, not _writes(op)))
    for op in committed:
        for f, key, value in op.output:
            if f == "append":
                state[key] = [*(state.get(key) or []), value]
            elif f == "w":
                state[key] = value
            elif value != state.get(key):
                found.append(f"{op.index}: read {key} as {value}, and it was {state.get(key)}")
    for late in committed:
        for early in committed:
            before = early.completed is not None and early.completed < late.invoked
            if before and early.version >= late.version + (not _writes(late)):
                found.append(f"{early.index} was over before {late.index} began")
    return found


def _ok(history: History) -> list[Op]:
    return [op for op in history if op.outcome == "ok" and op.version >= 0]


def _writes(op: Op) -> bool:
    return any(f != "r" for f, _, _ in op.output)
