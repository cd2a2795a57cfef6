"""The messages of a run whose nodes speak in messages, read from its `messages.jsonl`.

There may be millions. They become columns, their bodies stay in the file until somebody asks for
them, and what was not read is counted.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import numpy.typing as npt

from partita.reports.figures.availability import Ints

FILE = "messages.jsonl"
READ_MAX = 1_000_000
DELIVERED = ""
NONE = -1
_BODY = b'"body":'
_CLIENT = re.compile(r"c\d+")


class _Head(msgspec.Struct):
    type: str = ""
    msg_id: int | None = None
    in_reply_to: int | None = None


class _Line(msgspec.Struct):
    """A line of the file; what is written there is told in harness/messages/journal.py."""

    id: int
    sent: int
    src: str
    dest: str
    at: int = -1
    lost: str = DELIVERED
    copy: bool = False
    by: str = ""
    bytes: int = 0
    body: _Head | None = None


class _Whole(msgspec.Struct):
    body: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True)
class Messages:
    """Messages in the order in which they were sent, one column for each thing known of them.

    `src`, `dest` and `sender` are places in `names`, `kind` in `kinds`, `fate` in `fates`, of which
    the first is `DELIVERED` and all others say why a message was lost. `sender` is who sent it,
    `src` in whose name. `number` and `answers` are its msg_id and in_reply_to, `NONE` without one.
    Times are ns since the run began; `at` is `sent` where a message was lost.
    `unread` lines were too many, and `unreadable` ones are no messages.
    """

    path: Path
    names: tuple[str, ...]
    kinds: tuple[str, ...]
    fates: tuple[str, ...]
    id: Ints
    sent: Ints
    at: Ints
    src: Ints
    dest: Ints
    sender: Ints
    kind: Ints
    number: Ints
    answers: Ints
    fate: Ints
    copy: npt.NDArray[np.bool_]
    size: Ints  # bytes of the body
    place: Ints  # where the line begins in the file
    unread: int = 0
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.id)

    @cached_property
    def lost(self) -> npt.NDArray[np.bool_]:
        return self.fate > 0

    def of_clients(self) -> npt.NDArray[np.bool_]:
        """Which messages are from or to a client."""
        client = np.array([is_client(name) for name in self.names] or [False])
        return np.asarray(client[self.sender] | client[self.dest])

    def bodies(self, rows: Iterable[int]) -> list[str]:
        """The bodies of some messages, as JSON."""
        with self.path.open("rb") as file:
            return [self._body(file, int(self.place[row])) for row in rows]

    def _body(self, file: BinaryIO, place: int) -> str:
        file.seek(place)
        return bytes(msgspec.json.decode(file.readline(), type=_Whole).body).decode()


def is_client(name: str) -> bool:
    """Whether a name is that of a client: they are called c0, c1 and so on."""
    return _CLIENT.fullmatch(name) is not None


def read_messages(directory: Path, most: int = READ_MAX) -> Messages | None:
    """Read the messages of a run, None if it has none. Raises `OSError`."""
    path = directory / FILE
    if not path.exists():
        return None
    columns = _Columns()
    with path.open("rb") as file:
        for line in file:
            if len(columns.id) >= most:
                columns.unread += 1
            else:
                columns.take(line)
            columns.place_now += len(line)
    return columns.messages(path)


class _Columns:
    """Columns that grow line by line."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.fates: dict[str, int] = {DELIVERED: 0}
        self.id, self.sent, self.at, self.place = (array("q") for _ in range(4))
        self.src, self.dest, self.sender, self.kind = (array("q") for _ in range(4))
        self.number, self.answers = array("q"), array("q")
        self.fate, self.copy, self.size = (array("q") for _ in range(3))
        self.place_now = self.unread = self.unreadable = 0
        self._decode = msgspec.json.Decoder(_Line).decode

    def take(self, text: bytes) -> None:
        try:
            line = self._decode(text)
        except msgspec.DecodeError:  # the last one may be cut off
            self.unreadable += 1
            return
        begin, head = text.find(_BODY), line.body or _Head()
        self.id.append(line.id)
        self.sent.append(line.sent)
        self.at.append(line.sent if line.lost else line.at)
        self.src.append(_code(self.names, line.src))
        self.dest.append(_code(self.names, line.dest))
        self.sender.append(_code(self.names, line.by or line.src))
        self.kind.append(_code(self.kinds, head.type))
        self.number.append(_number(head.msg_id))
        self.answers.append(_number(head.in_reply_to))
        self.fate.append(_code(self.fates, line.lost))
        self.copy.append(line.copy)
        self.size.append(line.bytes or (len(text) - begin - len(_BODY) - 2 if begin >= 0 else 0))
        self.place.append(self.place_now)

    def messages(self, path: Path) -> Messages:
        sent = np.array(self.sent, dtype=np.int64)
        order = np.lexsort((np.array(self.id, dtype=np.int64), sent))

        def column(values: Sequence[int]) -> Any:
            return np.array(values, dtype=np.int64)[order]

        return Messages(
            path=path,
            names=tuple(self.names),
            kinds=tuple(self.kinds),
            fates=tuple(self.fates),
            id=column(self.id),
            sent=sent[order],
            at=column(self.at),
            src=column(self.src),
            dest=column(self.dest),
            sender=column(self.sender),
            kind=column(self.kind),
            number=column(self.number),
            answers=column(self.answers),
            fate=column(self.fate),
            copy=column(self.copy).astype(bool),
            size=column(self.size),
            place=column(self.place),
            unread=self.unread,
            unreadable=self.unreadable,
        )


def _code(table: dict[str, int], name: str) -> int:
    return table.setdefault(name, len(table))


def _number(number: int | None) -> int:
    """A number as it stands in a column; nodes may count from where they want."""
    return number if number is not None and 0 <= number < 2**63 else NONE
