"""Watches: all changes of keys with a prefix, from some place of the log on, in their order.

A watch is a position, and the client keeps it: it asks for the changes from there on, and for the
next ones after the last that it got, at whichever node. So a watch that broke is taken up where it
was. Every node answers from what has been applied there.
"""

import asyncio
import time
from bisect import bisect_left

from journal import Journal
from operations import Answer, Change
from raft import Raft
from registers import Registers

TICK_S = 0.01


class Watches:
    """Tells of changes on one node."""

    def __init__(self, raft: Raft, registers: Registers, journal: Journal, bug: str) -> None:
        self._raft = raft
        self._registers = registers
        self._journal = journal
        self._bug = bug
        self._registered: dict[str, int] = {}  # streams, and the term in which they came

    async def next(self, prefix: str, since: int, wait: float, stream: str) -> Answer:
        """Return the changes from a place of the log on; waits for `wait` seconds if there is none.

        A place of -1 is the one after all that has been applied. `upto` is the place up to which
        the answer has everything, so that one goes on from the next.
        """
        since = since if since >= 0 else self._raft.applied + 1
        deadline = time.monotonic() + wait
        while True:
            answer = self._now(prefix, since)
            # BUG watch-forgotten: the node knows its watches by the term in which they came, and
            # forgets them when another one leads. Who watches is not told.
            if self._forgotten(stream):
                answer = {"events": [], "upto": since - 1}
            if answer["events"] or time.monotonic() >= deadline:
                return answer
            await asyncio.sleep(TICK_S)

    def _now(self, prefix: str, since: int) -> Answer:
        # BUG watch-inclusive: who asks for what follows the last change is told of that again.
        if self._bug == "watch-inclusive":
            since -= 1
        events, upto = self._registers.changes, self._raft.applied
        # BUG watch-uncommitted: changes are told as soon as they are in this node's log.
        if self._bug == "watch-uncommitted":
            events, upto = self._ahead(), self._journal.last
        first = bisect_left(events, since, key=lambda each: each[0])
        events = [each for each in events[first:] if each[1].startswith(prefix)]
        # BUG watch-latest-only: of several changes of a key only the last one is told.
        if self._bug == "watch-latest-only":
            events = sorted({each[1]: each for each in events}.values())
        return {"events": events, "upto": max(upto, since - 1)}

    def _ahead(self) -> list[Change]:
        applied = self._raft.applied
        coming = [
            (index, entry.command)
            for index, entry in enumerate(self._journal.after(applied), applied + 1)
            if entry.command is not None
        ]
        return self._registers.after(coming).changes if coming else self._registers.changes

    def _forgotten(self, stream: str) -> bool:
        if self._bug != "watch-forgotten":
            return False
        return self._registered.setdefault(stream, self._raft.term) != self._raft.term
