"""Values that are not equal but look so: 61 and "61", `:a` and ":a".

Most often a client of the test is to blame that returns text where a number was written, and
whoever reads that nothing ever wrote "61" has to look twice.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from partita.checker.explain import quoted
from partita.checker.history import History
from partita.checker.values import ABSENT, Text


def lookalike(history: History, rows: Sequence[int]) -> str | None:
    """Say that what an operation saw was written in another form, None if it was not.

    `rows` are operations that contradict each other.
    """
    for row in rows:
        for seen in _seen(history, row):
            for other in _others(seen):
                if _is_written(history, row, other):
                    return (
                        f"What was written is {_named(other)}, and what was seen {_named(seen)}:"
                        " these are not equal, but a client may have made one of the other."
                    )
    return None


def _seen(history: History, row: int) -> Iterator[Any]:
    op = history[row]
    if op.f == "cas" and isinstance(op.input, list) and op.outcome == "ok":
        yield op.input[0]
    elif op.outcome == "ok" and op.output is not None and not _is_written(history, row, op.output):
        yield op.output


def _others(value: Any) -> Iterator[Any]:
    """Yield what else looks like a value."""
    if isinstance(value, bool):
        yield quoted(value)
    elif isinstance(value, int | float):
        yield str(value)
    elif isinstance(value, str):
        yield from _of_text(str(value))
        yield str(value) if isinstance(value, Text) else Text(value)


def _of_text(text: str) -> Iterator[Any]:
    try:
        yield msgspec.json.decode(text)
    except msgspec.DecodeError:
        yield text.removeprefix(":") if text.startswith(":") else ":" + text


def _is_written(history: History, row: int, value: Any) -> bool:
    code = history.code(value)
    if code == ABSENT:
        return False
    same_key = history.key == history.key[row]
    pairs = history.pairs[:, 1] if len(history.pairs) else history.pairs
    is_write = history.f == history.f_code("write")
    written = same_key & is_write & (history.input == code)
    is_cas = same_key & (history.f == history.f_code("cas")) & (history.input >= 0)
    swapped = is_cas.any() and (pairs[history.input[is_cas]] == code).any()
    return bool(written.any() or swapped)


def _named(value: Any) -> str:
    if isinstance(value, Text):
        return f"the text {quoted(str(value))}"
    if isinstance(value, str):
        return f"the keyword {value}" if value.startswith(":") else f"the text {quoted(value)}"
    kinds = {bool: "flag", int: "number", float: "number"}
    return f"the {kinds.get(type(value), 'value')} {quoted(value)}"
