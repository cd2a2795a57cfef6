"""What was answered to whom, so that no command is carried out twice.

Every command carries its client's name and a number that grows with each of that client's
commands. The answer to the last one of each client is kept, so that a command which was sent
twice (because its answer got lost) is carried out once.
"""

from collections.abc import Callable

from journal import Command
from operations import Answer


class Memory:
    """The answer to the last command of each client; one that `forgets` is of no use."""

    def __init__(self, *, forgets: bool = False) -> None:
        self._answers: dict[str, tuple[int, Answer]] = {}
        self._forgets = forgets

    def once(self, command: Command, carry_out: Callable[[], Answer]) -> Answer:
        """Carry the command out, or return what was answered to it before."""
        client, number = command["client"], command["number"]
        done, answer = self._answers.get(client, (0, {}))
        if number <= done and not self._forgets:
            return answer if number == done else {"error": "outdated"}
        answer = carry_out()
        self._answers[client] = number, answer
        return answer

    def copied(self) -> "Memory":
        """Return a memory of the same, which goes on by itself."""
        copy = Memory(forgets=self._forgets)
        copy._answers = dict(self._answers)
        return copy
