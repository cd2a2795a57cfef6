"""JSON Lines: one event a line, our own format and the simplest to write from any language."""

import re
from collections.abc import Iterable
from typing import BinaryIO

from partita.checker.formats.format import BY_NOTATION, NOT_MINE, Columns, Line, Source, Written
from partita.checker.values import as_json

_BEGINS = re.compile(rb'\s*\{\s*("|\}\s*$)')


class JsonLines:
    """JSON, one event a line."""

    name = "jsonl"
    suffix = ".jsonl"
    files = ("history.jsonl", "history.ndjson")
    observes_mismatch = True

    def recognises(self, head: bytes) -> int:
        return BY_NOTATION if _BEGINS.match(head) else NOT_MINE

    def read(self, source: Source) -> tuple[Columns, list[str]]:
        return source.columns("json-lines")

    def write(self, lines: Iterable[Written], file: BinaryIO) -> None:
        for line, _ in lines:
            file.write(encoded(line) + b"\n")


def encoded(line: Line) -> bytes:
    """Return an event in JSON. One without a key names none, also where others have keys."""
    return as_json(
        {name: value for name, value in line.items() if name != "key" or value is not None}
    )
