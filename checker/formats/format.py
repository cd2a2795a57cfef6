"""What a history format is, and what it is given: a file whose bytes can be had, again if need be.

A format is one file here, or in a package of yours, and an entry point in `partita.formats`. Most
formats say which of the three native notations theirs is (JSON Lines, JSON, EDN); others translate
line by line into one of them, so that nothing is read twice in two ways.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

from partita.checker import _native
from partita.checker.events import HistoryError, ReadingStopped
from partita.checker.formats.packed import DamagedError

Notation = Literal["json-lines", "json", "edn"]
# Columns by the names of `History`'s fields, and what else the native reader knows of the file.
Columns = dict[str, Any]
# An event as it stands in a file, and how a format translates one file into the lines of another.
Line = Mapping[str, Any]
# An event to write, and whether it is an operation's.
Written = tuple[Line, bool]
Translation = Callable[[BinaryIO], Iterator[bytes]]

# How sure a format may be that a file is of its kind.
NOT_MINE, BY_NOTATION, BY_FIELDS = range(3)


class Format(Protocol):
    """One kind of history file.

    A format that can write has `suffix`, by which `History.write` finds it, and
    `write(lines, file)`. There the events of operations all have "key" if any of them has.
    """

    @property
    def name(self) -> str:
        """What `--format` calls it."""

    @property
    def files(self) -> tuple[str, ...]:
        """By which names folders hold such a file, the likeliest first."""

    @property
    def observes_mismatch(self) -> bool:
        """Whether its files say why a cas failed: then a mismatch shows that a value differed."""

    def recognises(self, head: bytes) -> int:
        """Say by the first bytes of a file whether it is of this kind, and how sure that is."""

    def read(self, source: "Source") -> tuple[Columns, list[str]]:
        """Read a file into columns, and notes about it. Raises `HistoryError`."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read. `path` if its bytes stand in a file as they are; `open` gives them anew."""

    name: str
    path: Path | None
    open: Callable[[], BinaryIO]
    deadline: float | None = None
    memory_bytes: int | None = None

    def columns(
        self,
        notation: Notation,
        translated: Translation | None = None,
        *,
        by_line: bool = True,
    ) -> tuple[Columns, list[str]]:
        """Read the file, translated line by line if need be, in a native notation.

        `by_line` says whether lines are what they were before the translation. Where the indexes
        of events say another order than the lines, they are read again in that of the indexes.
        """
        found = self._read(notation, translated, by_index=False)
        if found[0] is None:
            if found[4]:  # indexes that contradict the lines may be why the lines make no sense
                again = self._read(notation, translated, by_index=True)
                if again[0] is not None and again[0]["ordered_by_index"]:
                    return again[0], again[1]
            raise self._refused(found[1], found[2], found[3], by_line)
        if found[0]["disordered"]:
            again = self._read(notation, translated, by_index=True)
            if again[0] is not None:
                return again[0], again[1]
        return found[0], found[1]

    def _read(self, notation: Notation, translated: Translation | None, *, by_index: bool) -> Any:
        limits = self.deadline, self.memory_bytes
        if self.path is not None and translated is None:
            return _native.read_file(str(self.path), notation, by_index, *limits)
        try:
            with self.open() as file:
                more = file.read if translated is None else _pieces(translated(file))
                return _native.read_stream(more, notation, by_index, *limits)
        except DamagedError as error:
            raise HistoryError(f"{self.name}: {error}") from error

    def _refused(self, line: int, reason: str, event: int, by_line: bool) -> Exception:
        if line < 0:
            return ReadingStopped(f"{reason} reached while reading line {-line} of {self.name}")
        if not line or not by_line:
            return HistoryError(f"{self.name}: {reason}")
        place = f"line {line}, event {event}" if event else f"line {line}"
        return HistoryError(f"{self.name}, {place}: {reason}")


def _pieces(lines: Iterable[bytes]) -> Callable[[int], bytes]:
    """Return what gives these lines in pieces of at most so many bytes."""
    rest = iter(lines)
    left = b""

    def more(size: int) -> bytes:
        nonlocal left
        kept, length = [left], len(left)
        while length < size:
            line = next(rest, None)
            if line is None:
                break
            kept.append(line)
            length += len(line)
        joined = b"".join(kept)
        left = joined[size:]
        return joined[:size]

    return more
