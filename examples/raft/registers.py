"""The state machine: named registers, changed by the commands of the log in their order.

Every command carries its client's name and a number that grows with each of that client's
commands. The answer to the last one of each client is kept, so that a command which was sent
twice (because its answer got lost) is carried out once.

A value's *version* is the place in the log of the command that wrote it; 0 if none has.
"""

from collections.abc import Sequence
from typing import Any

from journal import Command
from operations import NOTHING, Answer, Operation, carry_out

__all__ = ["Answer", "Registers"]


class Registers:
    """The registers, and the answer to the last command of each client."""

    def __init__(self, *, deduplicate: bool = True) -> None:
        self._values: dict[str, tuple[Any, int]] = {}
        self._answers: dict[str, tuple[int, Answer]] = {}
        self._deduplicate = deduplicate

    def read(self, key: str) -> tuple[Any, int]:
        """Return the register's value and version, None and 0 if it was never written."""
        return self._values.get(key, NOTHING)

    def look(self, operations: Sequence[Operation], index: int) -> Answer:
        """Answer operations that only read. `index` is where in the log that is."""
        return carry_out(self._values, operations, index)[0]

    def apply(self, command: Command, index: int) -> Answer:
        """Carry out a command at a place of the log, once only; return what to answer."""
        client, number = command["client"], command["number"]
        done, answer = self._answers.get(client, (0, {}))
        # BUG apply-twice: without this, a command that was retried after its answer got lost
        # is carried out again, on top of what others have written in the meantime.
        if number <= done and self._deduplicate:
            return answer if number == done else {"error": "outdated"}
        answer = self._carry_out(command, index)
        self._answers[client] = number, answer
        return answer

    def _carry_out(self, command: Command, index: int) -> Answer:
        if command["f"] == "txn":
            return self._transact(command["ops"], index)
        key = command["key"]
        if command["f"] == "cas":
            actual, version = self.read(key)
            if actual != command["old"]:
                return {"error": "mismatch", "actual": actual, "version": version}
        self._values[key] = command["value"], index
        return {"version": index}

    def _transact(self, operations: Sequence[Operation], index: int) -> Answer:
        answer, changed = carry_out(self._values, operations, index)
        if "error" not in answer:
            self._values |= changed
        return answer
