"""JSON, but not a line an event: an array of events, on one line or on many."""

import re
from collections.abc import Iterable
from typing import BinaryIO

from partita.checker.formats.format import BY_NOTATION, NOT_MINE, Columns, Source, Written
from partita.checker.formats.jsonl import encoded

_BEGINS = re.compile(rb'\s*\[\s*(\{\s*"|\]\s*$)')


class JsonArray:
    """An array of events in JSON, on one line or on many."""

    name = "json"
    suffix = ".json"
    files = ("history.json",)
    observes_mismatch = True

    def recognises(self, head: bytes) -> int:
        return BY_NOTATION if _BEGINS.match(head) else NOT_MINE

    def read(self, source: Source) -> tuple[Columns, list[str]]:
        return source.columns("json")

    def write(self, lines: Iterable[Written], file: BinaryIO) -> None:
        file.write(b"[")
        for number, (line, _) in enumerate(lines):
            file.write((b",\n" if number else b"\n") + encoded(line))
        file.write(b"\n]\n")
