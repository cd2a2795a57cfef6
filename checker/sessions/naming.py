"""How the sentences of this check name an operation: by who, what, when, and under which key."""

from partita.checker.explain import quoted, when, who
from partita.checker.sessions.observed import Observed


def said(seen: Observed, index: int) -> str:
    """Name an operation: `process 3's read of 17 under "x" (2.101 s to 2.104 s)`."""
    history, row, key = seen.history, seen.row(index), seen.key_of(index)
    name = who(history, row, timed=False)
    if isinstance(history[row].output, list):
        # A list may be as long as the run.
        name = f"process {history.process_of(row)}'s read"
    under = "" if key is None else f" under {quoted(key)}"
    return f"{name}{under} ({when(history, row)})"
