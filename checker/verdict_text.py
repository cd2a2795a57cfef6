"""A verdict that is not "valid" as the text of a failed test: what is wrong, and who did what."""

import textwrap
from typing import Final

from partita.checker.explain import action, quoted, when
from partita.checker.history import History
from partita.checker.verdict import Counterexample, Verdict

_WIDTH: Final = 80


def as_text(history: History, verdict: Verdict) -> str:
    """Return the text in lines of at most 80 columns, without a final newline."""
    if verdict.valid is False and verdict.counterexample:
        head = f"not linearizable: no order of the operations is one that a {verdict.model} allows"
        return "\n".join([*_wrapped(head), "", *_found(history, verdict.counterexample)])
    proven = "linearizable" if verdict.valid is True else f"not proven: {verdict.reason}"
    return "\n".join(_wrapped(f"{proven} ({len(history)} operations, model {verdict.model})"))


def _found(history: History, found: Counterexample) -> list[str]:
    where = [] if found.key is None else [f"  key {quoted(found.key)}", ""]
    told = _wrapped(found.explanation, indent="  ")
    return [*where, *told, "", *_rows(history, found.operations)]


def _rows(history: History, operations: tuple[int, ...]) -> list[str]:
    threads = history.extra("thread")
    table = [
        (_process(history, row, threads), action(history, row), when(history, row))
        for row in operations
    ]
    widths = [max(len(row[column]) for row in table) for column in (0, 1)]
    return [f"    {who:<{widths[0]}}  {what:<{widths[1]}}  {at}" for who, what, at in table]


def _process(history: History, row: int, threads: dict[int, str]) -> str:
    name = f" ({threads[row]})" if row in threads else ""
    return f"process {history.process[row]}{name}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)
