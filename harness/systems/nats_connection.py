"""One connection to a NATS server, and requests over it: the few lines that its protocol takes.

(https://docs.nats.io/reference/reference-protocols/nats-protocol.) A request is a message with an
address for the answer. Of each request it is known whether it may have arrived.
"""

import itertools
import json
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from partita.harness.systems.connection import reason
from partita.harness.systems.lines import Lines
from partita.workloads.client import Definite, Indefinite

PORT = 4222
NOBODY = 503  # no server has anybody who answers
_HELLO = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
_NO_HEADERS: Mapping[str, str] = {}


class Reply(NamedTuple):
    """An answer: its status (0: none was said), headers, what it says, and where it is answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    reply_to: str

    def json(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.body)
        return said


class NatsConnection:
    """A connection; no request takes much longer than `timeout` seconds. Raises `Definite`."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._timeout = timeout
        self._inbox = f"_INBOX.{uuid.uuid4().hex}"
        self._numbers = itertools.count()
        try:
            self._lines = Lines(host, port, timeout)
        except OSError as error:
            raise Definite(reason(error)) from error
        try:
            self._lines.send(f"CONNECT {json.dumps(_HELLO)}\r\nPING\r\n".encode())
            while self._lines.line() != b"PONG":
                pass
        except OSError as error:
            self.close()
            raise Definite(reason(error)) from error

    def ask(
        self,
        subject: str,
        body: bytes | Mapping[str, Any] = b"",
        headers: Mapping[str, str] = _NO_HEADERS,
        *,
        reads: bool = False,
    ) -> Reply:
        """Send a request; return its answer.

        Raises `Definite` if it only `reads`, was never sent, or if nobody was there to get it;
        `Indefinite` if nobody knows. After that nothing more can be asked.
        """
        if not self._lines.is_open:
            raise Definite("the connection is closed")
        self._lines.begin(self._timeout)
        number = next(self._numbers)
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            # One answer is taken by this number: a stream's message keeps its own subject.
            here = f"{self._inbox}.{number}"
            listening = f"SUB {here} {number}\r\nUNSUB {number} 1\r\n".encode()
            self._lines.send(listening + _message(subject, here, text, headers))
            reply = self._reply(number)
        except (OSError, ValueError) as error:
            self.close()
            raise (Definite if reads else Indefinite)(reason(error)) from error
        if reply.status == NOBODY:
            raise Definite("nobody answers: there is no leader")
        return reply

    def close(self) -> None:
        """Let the connection go."""
        self._lines.close()

    def _reply(self, number: int) -> Reply:
        """Wait for the answer of this number; one of an earlier request is late."""
        while True:
            words = self._lines.line().split()
            if words[:1] == [b"PING"]:
                self._lines.send(b"PONG\r\n")
            elif words[:1] in ([b"MSG"], [b"HMSG"]):
                text = self._lines.exactly(int(words[-1]) + 2)[:-2]
                if int(words[2]) == number:
                    return _read(words, text)
            elif words[:1] == [b"-ERR"]:
                raise ValueError(b" ".join(words[1:]).decode(errors="replace"))


def _message(subject: str, here: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    if not headers:
        return f"PUB {subject} {here} {len(body)}\r\n".encode() + body + b"\r\n"
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    sizes = f"{len(head)} {len(head) + len(body)}"
    return f"HPUB {subject} {here} {sizes}\r\n".encode() + head + body + b"\r\n"


def _read(words: list[bytes], text: bytes) -> Reply:
    """Read a message: MSG subject id [reply] size, or HMSG subject id [reply] head size."""
    sizes = 2 if words[0] == b"HMSG" else 1
    reply_to = words[3].decode() if len(words) == 4 + sizes else ""
    if sizes == 1:
        return Reply(0, _NO_HEADERS, text, reply_to)
    head = text[: int(words[-2])].decode(errors="replace").split("\r\n")
    first = head[0].split()
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip(): value.strip() for name, _, value in pairs}
    status = int(first[1]) if len(first) > 1 else 0
    return Reply(status, headers, text[int(words[-2]) :], reply_to)
