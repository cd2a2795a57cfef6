"""etcd's JSON gateway: a request and its answer, and which of its errors leave something open."""

import json
from typing import Any

from partita.harness.systems.connection import Connection
from partita.workloads.client import Definite, Indefinite

PORT = 2379
Json = dict[str, Any]

# gRPC codes with which etcd refuses a request before it is proposed, or refuses to apply it:
# invalid argument, not found, permission denied, resource exhausted, failed precondition,
# unimplemented, unauthenticated. Any other (deadline exceeded, unavailable: "leader changed",
# "request timed out", unknown) leaves open whether it takes effect.
REFUSED = frozenset({3, 5, 7, 8, 9, 12, 16})


class Gateway:
    """One connection to one member; `lingers` as in `Connection`."""

    def __init__(
        self, host: str, timeout: float, port: int = PORT, *, lingers: bool = True
    ) -> None:
        self._connection = Connection(host, port, timeout, lingers=lingers)

    def ask(
        self, path: str, request: Json, *, reads: bool = False, timeout: float | None = None
    ) -> Json:
        """Make a request and return its answer. Raises `Definite` or `Indefinite`."""
        body = json.dumps(request).encode()
        status, text = self._connection.request("POST", path, body, reads=reads, timeout=timeout)
        try:
            answer: Json = json.loads(text)
        except ValueError:
            answer = {"error": text.decode(errors="replace").strip()}
        if status == 200:
            return answer
        reason = str(answer.get("error") or f"status {status}")
        raise (Definite if reads or answer.get("code") in REFUSED else Indefinite)(reason)

    def close(self) -> None:
        self._connection.close()
