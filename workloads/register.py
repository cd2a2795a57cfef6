"""Reads, writes and compare-and-sets on independent registers; every written value is new.

Fresh values make the check exact and fast (the chain engine). A cas expects the value that any
client saw last under that key, so that under contention some match and some do not.
"""

from collections.abc import Sequence
from random import Random
from typing import Any

from partita.workloads.client import Client, Mismatch


class Register:
    """The workload `register` on so many keys: half reads, a quarter writes, a quarter cas."""

    name = "register"
    model = "cas-register"

    def __init__(self, keys: int) -> None:
        self.keys = [f"r{number}" for number in range(keys)]
        # Only a guess for the next cas, so that a race between two workers does no harm.
        self._seen: dict[str, int | None] = dict.fromkeys(self.keys)

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        die = random.random()
        if die < 0.5:
            return "read", key, None
        return ("write", key, number) if die < 0.75 else ("cas", key, number)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return [self._seen[key], value] if f == "cas" else value

    def invoke(self, client: Client, f: str, key: str, value: Any, until: float) -> Any:
        if f == "read":
            seen = output = _number(client.read(key))
        elif f == "write":
            client.write(key, str(value))
            seen, output = value, None
        else:
            self._cas(client, key, *value)
            seen, output = value[1], None
        self._seen[key] = seen
        return output

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]

    def _cas(self, client: Client, key: str, old: int | None, new: int) -> None:
        try:
            client.cas(key, None if old is None else str(old), str(new))
        except Mismatch as mismatch:
            if not mismatch.known:
                raise
            self._seen[key] = actual = _number(mismatch.actual)
            raise Mismatch(actual, known=True) from None


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
