"""The state machine: named registers, changed by the commands of the log in their order.

A value's *version* is the place in the log of the command that wrote it; 0 if none has. What was
deleted has no value, and the version of its deletion.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any

from journal import Command
from late import Late
from memory import Memory
from operations import NOTHING, Answer, Change, Operation, carry_out

__all__ = ["Answer", "Registers"]

COMMANDS = ("write", "cas", "delete", "txn")


class Registers:
    """The registers on `node`, and all that ever changed in them, in the order of the log."""

    def __init__(self, *, bug: str = "", node: str = "") -> None:
        self.changes: list[Change] = []
        self._values: dict[str, tuple[Any, int]] = {}
        # BUG apply-twice: without this, a command that was retried after its answer got lost
        # is carried out again, on top of what others have written in the meantime.
        # BUG txn-apply-twice: so is a transaction.
        forgets = bug.endswith("apply-twice") or bug == "retry-applied-twice"
        self._memory = Memory(forgets=forgets)
        self._bug = bug
        self._late = Late(bug, node)
        self._uncounted = 0

    def read(self, key: str) -> tuple[Any, int]:
        """Return the register's value and version, None and 0 if it was never written."""
        return self._values.get(key, NOTHING)

    def look(self, operations: Sequence[Operation], index: int) -> Answer:
        """Answer operations that only read. `index` is where in the log that is."""
        values = self._late.values if self._late.values is not None else self._values
        return carry_out(values, operations, index)[0]

    def under(self, prefix: str) -> dict[str, int]:
        """Return the keys with a prefix that have a value, with their versions."""
        return {
            key: version
            for key, (value, version) in self._values.items()
            if value is not None and key.startswith(prefix)
        }

    def apply(self, command: Command, index: int) -> Answer:
        """Carry out a command at a place of the log, once only; return what to answer."""
        return self._memory.once(command, lambda: self._carry_out(command, index - self._uncounted))

    def change(self, changed: Mapping[str, tuple[Any, int]]) -> None:
        """Set values, each with its version; None deletes."""
        self._values |= changed
        self.changes += [(version, key, value) for key, (value, version) in changed.items()]

    def dump(self) -> Any:
        """Return all that there is, as JSON has it. Watches may yet ask for the first changes."""
        return [self._values, self.changes, self._memory.dump()]

    def load(self, dumped: Any) -> None:
        """Take what `dump` returned."""
        values, changes, answers = dumped
        self._values = {key: (value, version) for key, (value, version) in values.items()}
        self.changes = [(version, key, value) for version, key, value in changes]
        self._memory.load(answers)
        self._late.begin(self._values)
        # BUG version-local: versions are counted by the node itself, from the snapshot on.
        if self._bug == "version-local":
            self._uncounted = max((version for version, _, _ in self.changes), default=0)

    def after(self, commands: Iterable[tuple[int, Command]]) -> "Registers":
        """Return what these registers would be after more commands, of those that change them."""
        then = copy(self)
        then._values, then._memory = dict(self._values), self._memory.copied()
        then.changes = list(self.changes)
        for index, command in commands:
            if command["f"] in COMMANDS:
                then.apply(command, index)
        return then

    def _carry_out(self, command: Command, index: int) -> Answer:
        if command["f"] == "txn":
            return self._transact(command["ops"], index)
        key = command["key"]
        actual, version = self.read(key)
        if command["f"] == "cas" and actual != command["old"]:
            return {"error": "mismatch", "actual": actual, "version": version}
        if command["f"] == "delete" and actual is None:
            return {"error": f"there is no {key}", "definite": True}
        self.change({key: (command.get("value"), index)})
        return {"version": index}

    def _transact(self, operations: Sequence[Operation], index: int) -> Answer:
        answer, changed = carry_out(self._values, operations, index)
        # BUG txn-no-rollback: what it has written before it was refused stays.
        if "error" not in answer or self._bug == "txn-no-rollback":
            self._late.take(self._values, operations, changed, index)
            self.change(changed)
        return answer
