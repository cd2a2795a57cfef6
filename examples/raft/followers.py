"""What a leader knows of the others: how far each one has come, and when it was heard last."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from members import Members

N = TypeVar("N", int, float)


@dataclass(slots=True, eq=False)
class Progress:
    """What the leader knows of one follower."""

    next: int  # the index of the next entry to send to it
    heard: float  # when the latest message that it answered was sent
    match: int = 0  # its log is known to equal the leader's up to here
    snapshot: int = 0  # the place of the latest snapshot that it is known to have
    sent: int = 0  # how much it has of the next one
    round: int = 0  # the latest round of heartbeats that it answered
    # Set when there is something to send.
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    async def rest(self, seconds: float) -> None:
        """Wait until there is something to send, for so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.wake.wait()


class Followers:
    """The followers of the node `name` while it leads, by their names."""

    def __init__(self, name: str, members: Members, patience: float, bug: str) -> None:
        self._name = name
        self._members = members
        self._patience = patience  # the time to an election
        self._bug = bug
        self._all: dict[str, Progress] = {}
        # BUG lease-by-wall-clock: how long ago the others were heard, and so how long the leader's
        # lease has yet to run, is told by a clock that anybody may set.
        self.clock = time.time if bug == "lease-by-wall-clock" else time.monotonic

    def meet(self, next: int) -> list[tuple[str, Progress]]:
        """Forget who is no member any more; return those who have become one.

        The first entry to be sent to these is the one at `next`.
        """
        names, now = self._members.besides(self._name), self.clock()
        new = {name: Progress(next, now) for name in names if name not in self._all}
        self._all = {name: found for name, found in self._all.items() if name in names} | new
        return [*new.items()]

    def clear(self) -> None:
        """Forget all: who begins to lead knows nothing of anybody."""
        self._all = {}

    def has(self, progress: Progress) -> bool:
        return any(each is progress for each in self._all.values())

    def wake(self) -> None:
        """Have a message sent to each."""
        for progress in self._all.values():
            progress.wake.set()

    def reached(self, own: N, of: Callable[[Progress], N]) -> N:
        """Return what a majority of the members has reached; the leader itself has `own`."""
        # A leader that is being removed leads until that is committed, and does not count.
        counted = [own] if self._name in self._members.now else []
        counted += [of(progress) for progress in self._all.values()]
        return sorted(counted, reverse=True)[self._quorum() - 1]

    def heard(self, part: float = 1.0) -> bool:
        """Say whether a majority was heard from within (a part of) the time to an election."""
        now = self.clock()
        return now - self.reached(now, lambda each: each.heard) < part * self._patience

    def _quorum(self) -> int:
        # BUG split-brain: a follower that has been silent for a while counts as dead, and a
        # majority of the living is taken for enough. But silence may be the network's.
        if self._bug == "split-brain":
            now = time.monotonic()
            alive = [p for p in self._all.values() if now - p.heard < self._patience / 2]
            return (len(alive) + 1) // 2 + 1
        return self._members.majority
