"""Numbers added to a list by a compare-and-set loop; nothing added may be lost.

One register holds the whole list as text. An add reads it, appends its number, and writes it
back if it is unchanged; on a mismatch it begins again, until its time is up.
"""

import time
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec

from partita.workloads.client import Client, Definite, Indefinite, Mismatch

READ_SHARE = 0.1


class Append:
    """The workload `append` on so many lists: adds, and now and then a read of the list."""

    name = "append"
    model = "append"

    def __init__(self, keys: int) -> None:
        self.keys = [f"list{number}" for number in range(keys)]

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        return ("read", key, None) if random.random() < READ_SHARE else ("add", key, number)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Client, f: str, key: str, value: Any, until: float) -> Any:
        if f == "read":
            return _decoded(client.read(key))
        return self._add(client, key, value, until)

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]

    def _add(self, client: Client, key: str, element: int, until: float) -> None:
        attempts = 0
        while time.monotonic() < until or not attempts:
            attempts += 1
            old = self._read(client, key)
            new = msgspec.json.encode([*_decoded(old), element]).decode()
            try:
                return client.cas(key, old, new)
            except Mismatch:
                continue
        raise Definite(f"mismatch {attempts} times, then out of time")

    def _read(self, client: Client, key: str) -> str | None:
        """Read the list. Whatever goes wrong here, nothing was added yet."""
        try:
            return client.read(key)
        except Indefinite as error:
            raise Definite(f"could not read the list: {error}") from error


def _decoded(text: str | None) -> list[int]:
    return msgspec.json.decode(text or "[]", type=list[int])
