"""The lines that Jepsen prints: `history.txt`, and the same lines in its log.

    0	:invoke	:write	3
    INFO [2024-03-01 10:00:00,001] jepsen worker 0 - jepsen.util 0	:invoke	:write	3

They are what people paste when they ask. Lines of another kind are skipped, and counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from partita.checker.formats.format import BY_FIELDS, NOT_MINE, Columns, Source

# Whose line it is, of which type, which operation, and the rest: a value, and an error behind it.
_LINE = re.compile(
    rb"(?:^|\s)(?P<process>:?[\w.-]+)\s+:(?P<type>invoke|ok|fail|info)\s+"
    rb"(?P<f>:[^\s\[\](){}\"]+)(?:\s+(?P<rest>\S.*?))?\s*$"
)
_ENDS = {ord("["): ord("]"), ord("("): ord(")"), ord("{"): ord("}")}


class JepsenText:
    """Lines as Jepsen prints them: history.txt, and its log."""

    name = "jepsen-text"
    files = ("history.txt", "jepsen.log")
    observes_mismatch = False

    def recognises(self, head: bytes) -> int:
        if head.lstrip()[:1] in (b"{", b"[") or b":process" in head:  # whole events
            return NOT_MINE
        return BY_FIELDS if any(map(_LINE.search, head.splitlines())) else NOT_MINE

    def read(self, source: Source) -> tuple[Columns, list[str]]:
        translator = _Translator()
        columns, notes = source.columns("edn", translator)
        if translator.skipped:
            what = (
                "1 line that is"
                if translator.skipped == 1
                else f"{translator.skipped:,} lines that are"
            )
            notes.append(f"{what} no operation's: left out")
        return columns, notes


@dataclass(slots=True)
class _Translator:
    skipped: int = 0

    def __call__(self, file: BinaryIO) -> Iterator[bytes]:
        self.skipped = 0
        for line in file:
            found = _LINE.search(line)
            if found:
                yield _event(found) + b"\n"
            else:
                self.skipped += bool(line.strip())
                yield b"\n"


def _event(found: re.Match[bytes]) -> bytes:
    process, type_, f, rest = found.group("process", "type", "f", "rest")
    value, error = _split(rest or b"nil")
    event = b"{:process %b, :type :%b, :f %b, :value %b" % (_name(process), type_, f, value)
    return event + (b", :error %b}" % _error(error) if error else b"}")


def _name(process: bytes) -> bytes:
    return process if process.isdigit() else b":" + process.removeprefix(b":")


def _error(text: bytes) -> bytes:
    """Errors are printed as they are, so that a text stands without quotes."""
    if text[:1] in b':"[{#' and b"\t" not in text and (b" " not in text or text[:1] != b":"):
        return text
    return msgspec.json.encode(text.decode(errors="replace"))


def _split(rest: bytes) -> tuple[bytes, bytes]:
    """Split a value from the error behind it: by the tab between them, else where it ends."""
    if b"\t" in rest:
        value, _, error = rest.partition(b"\t")
        return value.strip(), error.strip()
    end = _end(rest)
    return rest[:end], rest[end:].strip()


def _end(text: bytes) -> int:
    """Return where the form ends with which a text begins."""
    open_: list[int] = []
    quoted = escaped = False
    for at, c in enumerate(text):
        if quoted:
            quoted, escaped = escaped or c != ord('"'), not escaped and c == ord("\\")
        elif c == ord('"'):
            quoted = True
        elif c in _ENDS:
            open_.append(_ENDS[c])
        elif open_ and c == open_[-1]:
            open_.pop()
        elif not open_ and chr(c).isspace():
            return at
    return len(text)
