"""The state machine: named registers, changed by the commands of the log in their order.

Every command carries its client's name and a number that grows with each of that client's
commands. The answer to the last one of each client is kept, so that a command which was sent
twice (because its answer got lost) is carried out once.

A value's *version* is the place in the log of the command that wrote it; 0 if none has.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any

from journal import Command
from late import Late
from operations import NOTHING, Answer, Operation, carry_out

__all__ = ["Answer", "Registers"]


class Registers:
    """The registers, and the answer to the last command of each client, on `node`."""

    def __init__(self, *, bug: str = "", node: str = "") -> None:
        self._values: dict[str, tuple[Any, int]] = {}
        self._answers: dict[str, tuple[int, Answer]] = {}
        self._bug = bug
        self._late = Late(bug, node)

    def read(self, key: str) -> tuple[Any, int]:
        """Return the register's value and version, None and 0 if it was never written."""
        return self._values.get(key, NOTHING)

    def look(self, operations: Sequence[Operation], index: int) -> Answer:
        """Answer operations that only read. `index` is where in the log that is."""
        values = self._late.values if self._late.values is not None else self._values
        return carry_out(values, operations, index)[0]

    def apply(self, command: Command, index: int) -> Answer:
        """Carry out a command at a place of the log, once only; return what to answer."""
        client, number = command["client"], command["number"]
        done, answer = self._answers.get(client, (0, {}))
        # BUG apply-twice: without this, a command that was retried after its answer got lost
        # is carried out again, on top of what others have written in the meantime.
        # BUG txn-apply-twice: so is a transaction.
        if number <= done and not self._bug.endswith("apply-twice"):
            return answer if number == done else {"error": "outdated"}
        answer = self._carry_out(command, index)
        self._answers[client] = number, answer
        return answer

    def after(self, commands: Iterable[tuple[int, Command]]) -> "Registers":
        """Return what these registers would be after more commands."""
        then = copy(self)
        then._values, then._answers = dict(self._values), dict(self._answers)
        for index, command in commands:
            then.apply(command, index)
        return then

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
        # BUG txn-no-rollback: what it has written before it was refused stays.
        if "error" not in answer or self._bug == "txn-no-rollback":
            self._late.take(self._values, operations, changed, index)
            self._values |= changed
        return answer
