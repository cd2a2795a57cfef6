"""Reads, writes and compare-and-sets on independent registers; every written value is new.

Fresh values make the check exact and fast (the chain engine). A cas expects the value that any
client saw last under that key, so that under contention some match and some do not.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any

from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.sessions.sessions import Sessions
from partita.checker.settings import Setting
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Answer, Mismatch, told
from partita.workloads.workload import Operation


class Register:
    """Independent registers: half reads, a quarter writes, a quarter compare-and-sets."""

    name = "register"
    capability = "registers"
    operations: Mapping[str, Operation] = {
        "read": Operation(reads=True),
        "write": Operation(),
        "cas": Operation(),
    }
    checks = (Linearizability("cas-register"), Sessions())

    def __init__(
        self, keys: Annotated[int, Setting("Registers.", least=1, most=10_000)] = 5
    ) -> None:
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

    def invoke(self, client: Registers, f: str, key: str, value: Any, until: float) -> Any:
        if f == "read":
            returned = client.read(key)
            text = returned.value if isinstance(returned, Answer) else returned
            number = self._seen[key] = _number(text)
            return told(returned, number)
        if f == "write":
            done = client.write(key, str(value))
            self._seen[key] = value
        else:
            done = self._cas(client, key, *value)
            self._seen[key] = value[1]
        return done

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]

    def _cas(self, client: Registers, key: str, old: int | None, new: int) -> Answer | None:
        try:
            return client.cas(key, None if old is None else str(old), str(new))
        except Mismatch as mismatch:
            if not mismatch.known:
                raise
            self._seen[key] = actual = _number(mismatch.actual)
            raise Mismatch(actual, known=True, version=mismatch.version) from None


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
