"""Histories of transactions in a short notation, for the tests.

`ax1` appends 1 to x, `wx1` writes it, `rx12` reads [1, 2] from a list or 12 from a register; `rx_`
finds nothing. A text is one transaction; what overlaps is written as `concurrent`.
"""

from collections.abc import Sequence
from typing import Any

from partita.checker import History

Event = dict[str, Any]


def micro_ops(text: str, register: bool = False) -> list[list[Any]]:
    return [_micro_op(each, register) for each in text.split()]


def _micro_op(text: str, register: bool) -> list[Any]:
    f, key, value = text[0], text[1], text[2:]
    if f != "r":
        return [{"a": "append", "w": "w"}[f], key, int(value)]
    if register:
        return ["r", key, None if value == "_" else int(value)]
    return ["r", key, [] if value == "_" else [int(each) for each in value]]


def asked(given: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [[f, key, None if f == "r" else value] for f, key, value in given]


def concurrent(*texts: str, start: int = 0, register: bool | None = None) -> list[Event]:
    """Return transactions that all overlap: their processes are 0, 1, … from `start`.

    A text may begin with `info:` or `fail:`.
    """
    begun, ended = [], []
    for process, text in enumerate(texts, start):
        outcome, _, rest = text.rpartition(":")
        own = (
            any(each[0] == "w" for each in " ".join(texts).split())
            if register is None
            else register
        )
        given = micro_ops(rest, own)
        line = {"process": process, "f": "txn"}
        begun.append({**line, "type": "invoke", "value": asked(given)})
        value = asked(given) if outcome else given
        ended.append({**line, "type": outcome or "ok", "value": value})
    return [*begun, *ended]


def sequential(*texts: str, process: int = 0, register: bool | None = None) -> list[Event]:
    """Return transactions of one process, each after the other."""
    kind = any(each[0] == "w" for each in " ".join(texts).split()) if register is None else register
    return [event for text in texts for event in concurrent(text, start=process, register=kind)]


def history(*parts: Sequence[Event]) -> History:
    """Return a history of these parts, each after the other; events get a time, 1 ms apart."""
    events = [event for part in parts for event in part]
    return History.of_events(
        {**event, "time": 1_000_000 * place} for place, event in enumerate(events, 1)
    )
