"""A TCP connection to a server whose answers are lines, and so many bytes as a line says."""

import socket
import time
from contextlib import suppress
from typing import BinaryIO

from partita.harness.systems.connection import reset_when_closed


class Lines:
    """A connection to `host:port`; all that follows `begin` takes no longer than was said there.

    Without `lingers`, what was given up is thrown away, as far as it has not left this machine.
    Raises `OSError`, as whatever is asked of it does: `ConnectionError` where it ends.
    """

    def __init__(self, host: str, port: int, timeout: float, *, lingers: bool = True) -> None:
        self.begin(timeout)
        self._socket = socket.create_connection((host, port), timeout)
        if not lingers:
            reset_when_closed(self._socket)
        self._file: BinaryIO | None = self._socket.makefile("rb")

    @property
    def is_open(self) -> bool:
        return self._file is not None

    def begin(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def send(self, text: bytes) -> None:
        self._within()
        self._socket.sendall(text)

    def line(self) -> bytes:
        """Return the next line, without its end."""
        line = self._within().readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        return line[:-2]

    def exactly(self, size: int) -> bytes:
        text = self._within().read(size)
        if len(text) != size:
            raise ConnectionError
        return text

    def close(self) -> None:
        """Let the connection go."""
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                file.close()
                self._socket.close()

    def _within(self) -> BinaryIO:
        """Return what is read from, once what follows cannot take too long."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if self._file is None:
            raise ConnectionError
        self._socket.settimeout(left)
        return self._file
