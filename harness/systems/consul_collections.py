"""Queues and sets in Consul: a key below a common beginning for each element.

Consul gives every key the index at which it was created. A queue's order is that of these
indexes; an element is taken by a delete that names the index at which its key was seen.
"""

import time
import uuid
from typing import TYPE_CHECKING

from partita.harness.systems.connection import decoded
from partita.workloads.client import Answer, Definite, Mismatch

if TYPE_CHECKING:
    from partita.harness.systems.consul import ConsulClient


class ConsulCollections:
    """A client of queues and sets; calls take `timeout` seconds at most."""

    def __init__(self, client: "ConsulClient", timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    def enqueue(self, key: str, value: str) -> Answer:
        return self._client.write(f"{key}/{uuid.uuid4().hex}", value)

    def dequeue(self, key: str) -> str | None:
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            found = self._client.below(key)
            if not found:
                return None
            oldest = min(found, key=lambda entry: int(entry["CreateIndex"]))
            seen = {"Key": oldest["Key"], "Index": oldest["ModifyIndex"]}
            try:
                self._client.change({"Verb": "delete-cas", **seen})
            except Mismatch:
                continue
            return decoded(oldest["Value"])
        raise Definite("others were quicker until the time was over")

    def add(self, key: str, element: str) -> Answer:
        return self._client.write(f"{key}/{element}", element)

    def members(self, key: str) -> list[str]:
        return [decoded(entry["Value"]) for entry in self._client.below(key)]

    def close(self) -> None:
        self._client.close()
