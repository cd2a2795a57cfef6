"""One connection to a Redis or a Sentinel: the few lines that their protocol takes.

It knows whether a command may have arrived, as `connection.py` does for HTTP. Redis refuses a
command with an error before it changes anything, so that an error is a certain no; but for
UNBLOCKED, which ends a command that waits.
"""

import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from partita.workloads.client import Definite, Indefinite, Refused

Word = str | int
_WAITING = "UNBLOCKED"
_AT_ONCE = struct.pack("ii", 1, 0)  # linger for 0 seconds


class Resp:
    """A connection to `host:port`; no command takes much longer than `timeout` seconds.

    Without `lingers`, what was given up is thrown away, as far as it has not left this machine.
    Raises `Definite` if it cannot be made.
    """

    def __init__(self, host: str, port: int, timeout: float, *, lingers: bool = True) -> None:
        self._timeout = timeout
        self._file: BinaryIO | None = None
        try:
            self._socket = socket.create_connection((host, port), timeout)
        except OSError as error:
            raise Definite(_reason(error)) from error
        if not lingers:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self._file = self._socket.makefile("rb")

    def ask(self, *words: Word, reads: bool = False, timeout: float | None = None) -> Any:
        """Carry out a command; return text, a number, a list of these, or None.

        Raises `Refused` if Redis says no; `Definite` if it only `reads`, or was never sent;
        `Indefinite` if nobody knows. After the last two nothing more can be asked.
        """
        if self._file is None:
            raise Definite("the connection is closed")
        self._until = time.monotonic() + (self._timeout if timeout is None else timeout)
        try:
            self._limit()
            self._socket.sendall(_packed(words))
            answer = self._answer()
        except (OSError, ValueError) as error:
            self.close()
            raise (Definite if reads else Indefinite)(_reason(error)) from error
        if isinstance(answer, Refused):
            if str(answer).startswith(_WAITING):
                raise Indefinite(str(answer))
            raise answer
        return answer

    def close(self) -> None:
        """Let the connection go."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
                self._socket.close()
            self._file = None

    def _answer(self) -> Any:
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"*":
            return [self._answer() for _ in range(size)]
        if kind == b"$":
            return self._exactly(size + 2)[:-2].decode()
        raise ValueError(f"no answer of Redis begins with {kind!r}")

    def _line(self) -> bytes:
        self._limit()
        assert self._file is not None
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        return line[:-2]

    def _exactly(self, size: int) -> bytes:
        self._limit()
        assert self._file is not None
        text = self._file.read(size)
        if len(text) != size:
            raise ConnectionError
        return text

    def _limit(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def _packed(words: Sequence[Word]) -> bytes:
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        text = str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(text), text))
    return b"".join(parts)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "connection lost"
    return str(error) or type(error).__name__
