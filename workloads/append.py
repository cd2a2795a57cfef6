"""Numbers added to a list by a compare-and-set loop; nothing added may be lost.

One register holds the whole list as text. An add reads it, appends its number, and writes it
back if it is unchanged; on a mismatch it begins again, until its time is up.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Annotated, Any

import msgspec

from partita.checker.linearizability.linearizability import Linearizability
from partita.checker.sessions.sessions import Sessions
from partita.checker.settings import Setting
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Answer, answer_of
from partita.workloads.compare_and_set import change
from partita.workloads.workload import Operation

READ_SHARE = 0.1


class Append:
    """Numbers added to a list; nothing that was acknowledged may be lost."""

    name = "append"
    capability = "registers"
    operations: Mapping[str, Operation] = {"add": Operation(), "read": Operation(reads=True)}
    checks = (Linearizability("append"), Sessions())

    def __init__(self, keys: Annotated[int, Setting("Lists.", least=1, most=10_000)] = 1) -> None:
        self.keys = [f"list{number}" for number in range(keys)]

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        key = self.keys[int(random.random() * len(self.keys))]
        return ("read", key, None) if random.random() < READ_SHARE else ("add", key, number)

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Registers, f: str, key: str, value: Any, until: float) -> Answer:
        if f == "read":
            answer = answer_of(client.read(key))
            return answer._replace(value=_decoded(answer.value))
        return change(client, key, lambda old: _encoded([*_decoded(old), value]), until)[1]

    def final(self) -> Sequence[tuple[str, str]]:
        return [("read", key) for key in self.keys]


def _encoded(elements: list[int]) -> str:
    return msgspec.json.encode(elements).decode()


def _decoded(text: str | None) -> list[int]:
    return msgspec.json.decode(text or "[]", type=list[int])
