"""One HTTP connection to one node, kept open, which knows whether a request may have arrived.

The clients of etcd, Consul and the raft example share it. The standard library's client is
used because it shows the moment that matters: before a request's first byte is sent, failing
is definite; after it, nobody knows.
"""

import base64
import http.client
import json
import select
import socket
import struct
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from partita.workloads.client import Definite, Indefinite

STATUS_TIMEOUT_S = 1.0
_AT_ONCE = struct.pack("ii", 1, 0)  # linger for 0 seconds


class Connection:
    """A connection to `host:port`; no request takes much longer than `timeout` seconds.

    With `lingers`, the system goes on to deliver a request that was given up, as it does for
    everybody. Without, such a request is thrown away, as far as it has not left this machine.
    """

    def __init__(self, host: str, port: int, timeout: float, *, lingers: bool = True) -> None:
        self._timeout, self._lingers = timeout, lingers
        self._http = http.client.HTTPConnection(host, port, timeout=timeout)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        reads: bool = False,
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        """Send a request, return status and body of the answer.

        `timeout` is for a request that may take longer, or less long, than all others. Raises
        `Definite` if it was never sent, or if it only `reads`, so that it does not matter whether
        it was; `Indefinite` if the answer did not come.
        """
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        self._connect()
        try:
            self._limit(deadline)
            self._http.request(method, path, body)
            self._limit(deadline)
            answer = self._http.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            # A late answer to this request must not be taken for the answer to the next one.
            self.close()
            raise (Definite if reads else Indefinite)(reason(error)) from error

    def close(self) -> None:
        self._http.close()

    def _connect(self) -> None:
        # A server that was restarted has closed the connection. Noticing it before anything is
        # sent keeps the outcome of the request certain.
        if self._http.sock is not None and _ended(self._http.sock):
            self.close()
        if self._http.sock is None:
            try:
                self._http.timeout = self._timeout
                self._http.connect()
                if not self._lingers and self._http.sock is not None:
                    reset_when_closed(self._http.sock)
            except OSError as error:
                self.close()
                raise Definite(reason(error)) from error

    def _limit(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._http.sock.settimeout(left)


def ask_all(
    hosts: Sequence[str], port: int, method: str, path: str, body: bytes | None = None
) -> list[dict[str, Any] | None]:
    """Ask every host the same at once; None for those that do not answer with a JSON object."""

    def ask(host: str) -> dict[str, Any] | None:
        connection = Connection(host, port, STATUS_TIMEOUT_S)
        try:
            status, text = connection.request(method, path, body, reads=True)
            answer = json.loads(text) if status == 200 else None
        except (Definite, ValueError):
            return None
        finally:
            connection.close()
        return answer if isinstance(answer, dict) else None

    with ThreadPoolExecutor(max_workers=len(hosts)) as pool:
        return list(pool.map(ask, hosts))


def coded(text: str) -> str:
    """Write text as JSON interfaces carry bytes: in base64."""
    return base64.b64encode(text.encode()).decode()


def decoded(text: str | None) -> str:
    """Read text that an interface carries in base64; what is left out is empty."""
    return base64.b64decode(text or "").decode()


def host_port(host: str, port: int) -> str:
    """Write an address as it stands in a URL."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reset_when_closed(sock: socket.socket) -> None:
    """Let what was given up be thrown away, as far as it has not left this machine."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def reason(error: Exception) -> str:
    """Say in a word or two why a request failed."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError | http.client.HTTPException):
        return "connection lost"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _ended(sock: socket.socket) -> bool:
    # Nothing is expected to be readable between two requests, except the end.
    return bool(select.select([sock], [], [], 0)[0])
