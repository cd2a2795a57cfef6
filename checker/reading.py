"""History files into the columns of a `History`: which format, which bytes, and what they mean.

The reading is native (checker/native/formats/reader.h); what each kind of file looks like stands in
`partita.checker.formats`. A file that was cut off by a crash is read as far as it goes, and the
notes say so; anything else that is wrong with a file is an error that names its line.
"""

import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from partita.checker import _native
from partita.checker.events import HistoryError
from partita.checker.extras import Extras
from partita.checker.formats.format import Columns, Format, Source, Written
from partita.checker.formats.packed import DamagedError, suffixes, unpacked
from partita.checker.keys import Fields
from partita.checker.meaning import meant
from partita.checker.others import Others
from partita.checker.plugins import PluginError, find, names
from partita.checker.values import Values, as_json

STANDARD_INPUT = Path("-")
# So much of a file is looked at to tell its format: lines of a log may come before all events.
_HEAD_BYTES = 1 << 16
# What files are read as whose beginning tells nothing, unless their name says more.
_USUAL = "jsonl"


def read_file(
    path: Path,
    keyed: bool | None,
    deadline: float | None,
    memory_bytes: int | None,
    format_name: str | None = None,
) -> Fields:
    """Read a history file, see `History.read`."""
    path = _file(Path(path))
    with _source(path, deadline, memory_bytes) as source:
        head = _head(source)
        format_ = _named(format_name) if format_name else _recognised(head, path)
        columns, notes = format_.read(source)
        fields = _fields(columns, notes)
    fields["observes_mismatch"] = format_.observes_mismatch
    return meant(fields, columns, keyed, source.name)


def read_events(events: Iterable[Mapping[str, Any]]) -> Fields:
    """Read events that are at hand, see `History.of_events`."""
    text = b"\n".join(map(as_json, events))
    found = _native.read_text(text, "json-lines", False)
    if found[0] is None:
        raise HistoryError(f"event {found[1]}: {found[2]}")
    columns, notes = found
    return meant(_fields(columns, notes), columns, False, "events")


def write_file(lines: Iterable[Written], path: Path) -> None:
    """Write events to a file, in the format that its suffix names, else as JSON Lines."""
    formats = [_named(name) for name in names("formats")]
    by_suffix = {getattr(each, "suffix", ""): each for each in formats if hasattr(each, "write")}
    chosen: Any = by_suffix.get(Path(path).suffix.lower()) or _named(_USUAL)
    with Path(path).open("wb") as file:
        chosen.write(lines, file)


def stored_history(directory: Path) -> Path | None:
    """Return the history in a folder, of ours or of Jepsen's store; None if there is none."""
    known = [name for each in names("formats") for name in _named(each).files]
    # Where there are several, notations that keep everything come before what is made to be read.
    ordered = sorted(known, key=lambda name: name.endswith((".txt", ".log")))
    for folder in (directory, directory / "latest"):
        for name in ordered:
            for suffix in ("", *suffixes()):
                path = folder / (name + suffix)
                if path.is_file():
                    return path
    return None


def _file(path: Path) -> Path:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise HistoryError(f"{str(path)!a}: the name of this file is not UTF-8") from None
    if path != STANDARD_INPUT and path.is_dir():
        found = stored_history(path)
        if found is None:
            raise HistoryError(
                f"{path}: this is a directory, not a history file, and none of "
                "history.jsonl, history.edn and history.txt is in it"
            )
        return found
    return path


@contextmanager
def _source(path: Path, deadline: float | None, memory_bytes: int | None) -> Iterator[Source]:
    """Make a file's bytes readable more than once, whatever kind of file it is."""
    name = "standard input" if path == STANDARD_INPUT else str(path)
    limits = deadline, memory_bytes
    try:
        if path != STANDARD_INPUT and path.is_file():
            with path.open("rb") as file:
                unpack = unpacked(file.read(8))
            if unpack is None:
                yield Source(name, path, lambda: path.open("rb"), *limits)
            else:
                packed = unpack
                yield Source(name, None, lambda: packed(path.open("rb")), *limits)
            return
        with tempfile.TemporaryFile() as copy:
            _copy(path, copy)
            copy.seek(0)
            unpack = unpacked(copy.read(8))
            yield Source(name, None, lambda: _again(copy, unpack), *limits)
    except OSError as error:
        raise HistoryError(f"{name}: {error.strerror or error}") from error


def _copy(path: Path, copy: Any) -> None:
    """Copy what can be read only once, as a pipe."""
    if path == STANDARD_INPUT:
        while piece := sys.stdin.buffer.read(1 << 20):
            copy.write(piece)
        return
    with path.open("rb") as pipe:
        while piece := pipe.read(1 << 20):
            copy.write(piece)


def _again(copy: Any, unpack: Any) -> BinaryIO:
    fresh = open(copy.fileno(), "rb", closefd=False)  # noqa: SIM115
    fresh.seek(0)
    return unpack(fresh) if unpack else fresh


def _head(source: Source) -> bytes:
    try:
        with source.open() as file:
            head = file.read(_HEAD_BYTES)
    except DamagedError as error:
        raise HistoryError(f"{source.name}: {error}") from error
    return head.removeprefix(b"\xef\xbb\xbf")


def _recognised(head: bytes, path: Path) -> Format:
    """Return the format that is surest that a file is of its kind."""
    formats = [_named(name) for name in names("formats")]
    sure = max(formats, key=lambda each: each.recognises(head))
    if sure.recognises(head):
        return sure
    by_suffix = (each for each in formats if getattr(each, "suffix", "") == path.suffix.lower())
    return next(by_suffix, None) or _named(_USUAL)


def _named(name: str) -> Format:
    try:
        return find("formats", name)()  # type: ignore[no-any-return]
    except PluginError as error:
        raise HistoryError(str(error)) from error


def _fields(columns: Columns, notes: list[str]) -> Fields:
    values, keys = Values(**columns["values"]), Values(**columns["keys"])
    extras = _extras(columns["extras"])
    others = Others(**columns["others"], keys=keys, values=values, extras=extras)
    made = {"values": values, "keys": keys, "extras": extras, "others": others, "notes": notes}
    return {**{name: columns[name] for name in _KEPT}, **made}


_KEPT = (
    "process", "f", "key", "input", "output", "outcome", "invoked_rank", "completed_rank",
    "ended_rank", "invoked_ns", "completed_ns", "due_ns", "version", "node", "error", "fs",
    "nodes", "errors", "events",
)  # fmt: skip


def _extras(columns: Columns) -> Extras:
    if not columns["names"]:
        return Extras()
    names_, values = tuple(columns["names"]), Values(**columns["values"])
    return Extras(columns["rank"], columns["name"], columns["value"], names_, values)
