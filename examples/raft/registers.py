"""The state machine: named registers, changed by the commands of the log in their order.

Every command carries its client's name and a number that grows with each of that client's
commands. The answer to the last one of each client is kept, so that a command which was sent
twice (because its answer got lost) is carried out once.
"""

from typing import Any

from journal import Command

Answer = dict[str, Any]


class Registers:
    """The registers, and the answer to the last command of each client."""

    def __init__(self, *, deduplicate: bool = True) -> None:
        self._values: dict[str, str] = {}
        self._answers: dict[str, tuple[int, Answer]] = {}
        self._deduplicate = deduplicate

    def read(self, key: str) -> str | None:
        """Return the register's value, None if it was never written."""
        return self._values.get(key)

    def apply(self, command: Command) -> Answer:
        """Carry out one write or cas, once only; return what its client is to be told."""
        client, number = command["client"], command["number"]
        done, answer = self._answers.get(client, (0, {}))
        # BUG apply-twice: without this, a command that was retried after its answer got lost
        # is carried out again, on top of what others have written in the meantime.
        if number <= done and self._deduplicate:
            return answer if number == done else {"error": "outdated"}
        answer = self._carry_out(command)
        self._answers[client] = number, answer
        return answer

    def _carry_out(self, command: Command) -> Answer:
        key = command["key"]
        if command["f"] == "cas":
            actual = self._values.get(key)
            if actual != command["old"]:
                return {"error": "mismatch", "actual": actual}
        self._values[key] = command["value"]
        return {}
