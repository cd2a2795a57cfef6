"""EDN, Clojure's notation, as Jepsen writes `history.edn`: maps, or one vector of them.

Values keep their JSON form in memory. Strings that begin with a colon are keywords, as the reader
made them (checker/native/formats/edn.cpp), so that a history travels both ways. A key becomes part
of the value, as in Jepsen's histories of independent keys.
"""

import re
from collections.abc import Iterable
from typing import Any, BinaryIO, Final

import msgspec

from partita.checker.formats.format import BY_NOTATION, NOT_MINE, Columns, Source, Written
from partita.checker.values import Text, Unordered

# Fields that EDN has keywords in where JSON has strings.
_KEYWORDS: Final = ("type", "f", "error")
# What micro-operations of transactions are called: Elle knows them by keywords alone.
_MICRO_OPERATIONS: Final = {
    "append": ":append", "r": ":r", "read": ":r", "w": ":w", "write": ":w",
}  # fmt: skip
# After comments and what is tagged or left out: an event, or a list of events.
_BLANKS = rb"(\s|,|;[^\n]*\n)*"
_BEGINS = re.compile(_BLANKS + rb"([\[(]" + _BLANKS + rb")?(\{\s*:|#[_:A-Za-z]|\^[:{]|\()")
_KEYWORD = re.compile(r":[A-Za-z0-9.*+!\-_?$%&=<>/:#']+")


class Edn:
    """EDN, as in Jepsen's history.edn."""

    name = "edn"
    suffix = ".edn"
    files = ("history.edn",)
    observes_mismatch = False  # Jepsen's clients do not say why a cas failed

    def recognises(self, head: bytes) -> int:
        return BY_NOTATION if _BEGINS.match(head) else NOT_MINE

    def read(self, source: Source) -> tuple[Columns, list[str]]:
        return source.columns("edn")

    def write(self, lines: Iterable[Written], file: BinaryIO) -> None:
        for line, is_operation in lines:
            file.write(_edn_line(dict(line), is_operation) + b"\n")


def _edn_line(line: dict[str, Any], is_operation: bool) -> bytes:
    if is_operation and line["f"] == "txn":
        line["value"] = _transaction(line["value"])
    if is_operation and "key" in line:
        line["value"] = [line.pop("key"), line["value"]]
    fields = ", ".join(f":{name} {_edn_field(name, value)}" for name, value in line.items())
    return f"{{{fields}}}".encode()


def _transaction(value: Any) -> Any:
    """Return a list of micro-operations with their names as keywords; anything else as it is."""
    if not isinstance(value, list):
        return value
    return [
        [_MICRO_OPERATIONS.get(each[0], each[0]), *each[1:]]
        if isinstance(each, list) and len(each) == 3 and isinstance(each[0], str)
        else each
        for each in value
    ]


def _edn_field(name: str, value: Any) -> str:
    keyword = name in _KEYWORDS or (name == "process" and isinstance(value, str))
    return _edn(f":{value}") if keyword and " " not in value else _edn(value)


def _edn(value: Any) -> str:
    """Return a JSON value in EDN."""
    if value is None:
        return "nil"
    if isinstance(value, Unordered):
        return f"#{{{' '.join(map(_edn, value))}}}"
    if isinstance(value, list):
        return f"[{' '.join(map(_edn, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_edn(name)} {_edn(each)}' for name, each in value.items())}}}"
    if isinstance(value, str) and not isinstance(value, Text) and _KEYWORD.fullmatch(value):
        return value
    return msgspec.json.encode(str(value) if isinstance(value, str) else value).decode()
