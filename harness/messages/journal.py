"""The messages of a run in a file, one line each, written when a message has arrived or is lost.

    {"id":7,"sent":12000000,"at":12900000,"src":"n1","dest":"n2","body":{"type":"vote",…}}
    {"id":8,"sent":12000000,"lost":"cut","src":"n1","dest":"n3","body":{…}}

Times are ns since the run began, and below zero before that. Of a body that is long
only the type is kept, and how many `bytes` it had. Whoever reads this is `reports/messages.py`.
"""

from collections import Counter
from pathlib import Path

import msgspec

BODY_MAX = 2000  # bytes of a body that are kept
BUFFER = 1 << 16
NO_BODY = msgspec.Raw(b"null")
DELIVERED = "delivered"


class Line(msgspec.Struct, omit_defaults=True):
    """One message, as it stands in the file."""

    id: int
    sent: int
    src: str
    dest: str
    at: int = -1
    lost: str = ""
    copy: bool = False
    by: str = ""  # the node that sent it, if that was in another's name
    bytes: int = 0
    body: msgspec.Raw = NO_BODY


class _Brief(msgspec.Struct, omit_defaults=True):
    """What is kept of a long body."""

    type: str = ""
    msg_id: int | None = None
    in_reply_to: int | None = None


class Messages:
    """Writes messages until there are `most`; the rest is counted. Used by one thread.

    Lines have the times of the clock until they are written. Those of before the run wait for
    `begin`, because nobody knows yet when it will be.
    """

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()  # `DELIVERED`, and why the others were lost
        self.left_out = 0
        self._room = most
        self._origin: int | None = None
        self._early: list[Line] = []
        self._encode = msgspec.json.Encoder().encode
        self._waiting = bytearray()
        self._file = path.open("ab", buffering=0)

    def write(self, line: Line) -> None:
        """Take a message down, its body shortened if it is long."""
        self.counts[line.lost or DELIVERED] += 1
        if self._room <= 0:
            self.left_out += 1
            return
        self._room -= 1
        if len(line.body) > BODY_MAX:
            line.bytes, line.body = len(line.body), self._brief(line.body)
        if self._origin is None:
            self._early.append(line)
        else:
            self._put(line, self._origin)

    def begin(self, origin: int) -> None:
        """Let times count from here."""
        early, self._early, self._origin = self._early, [], origin
        for line in early:
            self._put(line, origin)

    def flush(self) -> None:
        """Put what was taken down into the file. A full disk costs messages, and not the run."""
        try:
            self._file.write(self._waiting)
        except OSError:
            self.left_out += self._waiting.count(b"\n")
            self._room = 0
        self._waiting.clear()

    def settle(self) -> None:
        """Put everything down, also if there was no run: then times count from the first one."""
        if self._early:
            self.begin(min(line.sent for line in self._early))
        self.flush()

    def close(self) -> None:
        self.settle()
        self._file.close()

    def _brief(self, body: msgspec.Raw) -> msgspec.Raw:
        try:
            return msgspec.Raw(self._encode(msgspec.json.decode(body, type=_Brief)))
        except msgspec.DecodeError:
            return NO_BODY

    def _put(self, line: Line, origin: int) -> None:
        line.sent -= origin
        if not line.lost:
            line.at -= origin
        self._waiting += self._encode(line)
        self._waiting += b"\n"
        if len(self._waiting) > BUFFER:
            self.flush()
