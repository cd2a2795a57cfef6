"""The messages of a run in a file, one line each, written when a message has arrived or is lost.

    {"id":7,"sent":12000000,"at":12900000,"src":"n1","dest":"n2","body":{"type":"vote",…}}
    {"id":8,"sent":12000000,"lost":"cut","src":"n1","dest":"n3","body":{…}}

Times are ns since the router began. A body that is long is left out, and its `bytes` are said.
"""

from collections import Counter
from pathlib import Path

import msgspec

BODY_MAX = 2000  # bytes of a body that are kept
BUFFER = 1 << 16
NO_BODY = msgspec.Raw(b"null")


class Line(msgspec.Struct, omit_defaults=True):
    """One message, as it stands in the file."""

    id: int
    sent: int
    src: str
    dest: str
    at: int = -1
    lost: str = ""
    copy: bool = False
    bytes: int = 0
    body: msgspec.Raw = NO_BODY


class Messages:
    """Writes messages until there are `most`; the rest is counted. Used by one thread."""

    def __init__(self, path: Path, most: int) -> None:
        self.path = path
        self.counts: Counter[str] = Counter()  # "delivered", and why the others were lost
        self.left_out = 0
        self._room = most
        self._encode = msgspec.json.Encoder().encode
        self._waiting = bytearray()
        self._file = path.open("ab", buffering=0)

    def write(self, line: Line) -> None:
        """Take a message down, its body shortened if it is long."""
        self.counts[line.lost or "delivered"] += 1
        if self._room <= 0:
            self.left_out += 1
            return
        self._room -= 1
        if len(line.body) > BODY_MAX:
            line.bytes, line.body = len(line.body), NO_BODY
        self._waiting += self._encode(line)
        self._waiting += b"\n"
        if len(self._waiting) > BUFFER:
            self.flush()

    def flush(self) -> None:
        """Put what was taken down into the file. A full disk costs messages, and not the run."""
        try:
            self._file.write(self._waiting)
        except OSError:
            self.left_out += self._waiting.count(b"\n")
            self._room = 0
        self._waiting.clear()

    def close(self) -> None:
        self.flush()
        self._file.close()
