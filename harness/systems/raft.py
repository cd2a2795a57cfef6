"""The raft example (`examples/raft/`): the store that is always at hand."""

import json
import uuid
from typing import Any

from harness.systems.connection import Connection
from workloads.client import Definite, Indefinite, Mismatch

PORT = 7000


class RaftClient:
    """One client of one node; its name and its numbers let the store know a command again."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._connection = Connection(host, port, timeout)
        # The node answers a little earlier than we give up, since it knows what is certain.
        self._patience = 0.9 * timeout
        self._name = uuid.uuid4().hex
        self._number = 0

    def read(self, key: str) -> str | None:
        value: str | None = self._ask("read", key=key)["value"]
        return value

    def write(self, key: str, value: str) -> None:
        self._ask("write", key=key, value=value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        self._ask("cas", key=key, old=old, value=new)

    def close(self) -> None:
        self._connection.close()

    def status(self) -> dict[str, Any]:
        """Return the node's name, role, term, leader and indexes."""
        return self.send("status", {})[1]

    def send(self, request: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send any request; return status and answer."""
        reads = request in ("read", "status")
        text = json.dumps(body).encode()
        status, answer = self._connection.request("POST", f"/{request}", text, reads=reads)
        return status, json.loads(answer)

    def _ask(self, f: str, **fields: str | None) -> dict[str, Any]:
        self._number += 1
        who = {"client": self._name, "number": self._number, "timeout": self._patience}
        status, answer = self.send(f, fields | who)
        if status == 200:
            return answer
        if answer["error"] == "mismatch":
            raise Mismatch(answer["actual"], known=True)
        raise (Definite if answer.get("definite") else Indefinite)(answer["error"])
