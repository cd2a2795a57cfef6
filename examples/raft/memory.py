"""What was answered to whom, so that no command is carried out twice.

Every command carries its client's name and a number that grows with each of that client's
commands. The answer to the last one of each client is kept, so that a command which was sent
twice (because its answer got lost) is carried out once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

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

    def dump(self) -> Any:
        """Return all of it, as JSON has it."""
        return self._answers

    def load(self, dumped: Any) -> None:
        """Take what `dump` returned."""
        self._answers = {client: (number, answer) for client, (number, answer) in dumped.items()}

    def copied(self) -> "Memory":
        """Return a memory of the same, which goes on by itself."""
        copy = Memory(forgets=self._forgets)
        copy._answers = dict(self._answers)
        return copy


class Led:
    """What this node was asked to carry out while it led: for a mistake, see `server.py`."""

    def __init__(self) -> None:
        self._latest: dict[str, tuple[int, asyncio.Future[Answer]]] = {}

    async def once(
        self, command: Command, propose: Callable[[Command], Awaitable[Answer]]
    ) -> Answer:
        """Have a command carried out, unless this node was asked for it before."""
        number, answer = self._latest.get(command["client"], (0, None))
        if answer is None or command["number"] != number or _failed(answer):
            answer = asyncio.ensure_future(propose(command))
            self._latest[command["client"]] = command["number"], answer
        return await asyncio.shield(answer)


def _failed(answer: "asyncio.Future[Answer]") -> bool:
    """Say whether it was certainly not carried out: this node did not lead any more."""
    return answer.done() and answer.exception() is not None
