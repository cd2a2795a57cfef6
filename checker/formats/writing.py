"""Histories into files: JSON Lines, and EDN as Jepsen writes it.

Values keep their JSON form in memory; strings that begin with a colon are EDN's keywords, as
the reader made them, so that a history travels both ways. A key becomes part of the value in
EDN, as in Jepsen's histories of independent keys.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from partita.checker.values import NULL

if TYPE_CHECKING:
    from partita.checker.history import History

Line = dict[str, Any]

# Fields that EDN has keywords in where JSON has strings.
_KEYWORDS: Final = ("type", "f", "error")


def write_file(history: "History", path: Path) -> None:
    """Write a history file, see `History.write`."""
    write = _edn_line if Path(path).suffix == ".edn" else _json_line
    keyed = bool((history.key != NULL).any())
    with Path(path).open("wb") as file:
        for line in _lines(history):
            file.write(write(line, keyed) + b"\n")


def _lines(history: "History") -> Iterator[Line]:
    """Yield the events in their order. Completions of one operation repeat what was invoked."""
    ended = np.flatnonzero(history.ended_rank < np.iinfo(np.int64).max)
    ranks = np.concatenate([history.invoked_rank, history.ended_rank[ended]])
    rows = np.concatenate([np.arange(len(history)), ended])
    others = iter(history.others)
    other = next(others, None)
    for at in np.argsort(ranks, kind="stable"):
        while other is not None and other.rank < ranks[at]:
            yield _other_line(other)
            other = next(others, None)
        line = (_completion if at >= len(history) else _invocation)(history, int(rows[at]))
        yield {**line, **history.extras.of(int(ranks[at]))} if len(history.extras) else line
    while other is not None:
        yield _other_line(other)
        other = next(others, None)


def _invocation(history: "History", row: int) -> Line:
    op = history[row]
    line = _line(op.invoked, "invoke", op, op.input)
    return {**line, "due": op.due} if op.due >= 0 else line


def _completion(history: "History", row: int) -> Line:
    op = history[row]
    returned = op.outcome == "ok" and (op.output is not None or op.f in ("read", "get"))
    value = op.output if returned else op.input
    line = _line(int(history.completed_ns[row]), op.outcome, op, value)
    if op.version >= 0:
        line["version"] = op.version
    if op.error is not None:
        line["error"] = op.error
    if op.outcome == "fail" and op.output is not None:
        line["actual"] = op.output
    return line


def _line(time: int, type_: str, op: Any, value: Any) -> Line:
    line: Line = {} if time < 0 else {"time": time}
    line |= {"type": type_, "process": op.process, "f": op.f}
    if op.key is not None:
        line["key"] = op.key
    line["value"] = value
    return line if op.node is None else {**line, "node": op.node}


def _other_line(event: Any) -> Line:
    line: Line = {} if event.time < 0 else {"time": event.time}
    line |= {"type": event.type, "process": event.process, "f": event.f, "value": event.value}
    if event.error is not None:
        line["error"] = event.error
    if event.version >= 0:
        line["version"] = event.version
    if event.key is not None:
        line["key"] = event.key
    return {**line, **event.fields}


def _json_line(line: Line, keyed: bool) -> bytes:
    return msgspec.json.encode(line)


def _edn_line(line: Line, keyed: bool) -> bytes:
    if keyed and isinstance(line["process"], int) and line["type"] != "event":
        line["value"] = [line.pop("key", None), line["value"]]
    fields = ", ".join(f":{name} {_edn_field(name, value)}" for name, value in line.items())
    return f"{{{fields}}}".encode()


def _edn_field(name: str, value: Any) -> str:
    keyword = name in _KEYWORDS or (name == "process" and isinstance(value, str))
    return _edn(f":{value}") if keyword and " " not in value else _edn(value)


def _edn(value: Any) -> str:
    """Return a JSON value in EDN."""
    if value is None:
        return "nil"
    if isinstance(value, list):
        return f"[{' '.join(map(_edn, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_edn(name)} {_edn(each)}' for name, each in value.items())}}}"
    if isinstance(value, str) and value[:1] == ":" and value[1:].replace("-", "").isidentifier():
        return value
    return msgspec.json.encode(value).decode()
