"""When a session is over: the clock of whoever leads, and of nobody else.

The leader ends a session through the log, as a command that names the last renewal that it knows
of. A renewal that came before it in the log makes it void, so that no renewal that was answered is
ever in vain. A new leader cannot know how long ago the last renewal was: it gives each session all
of its time again.
"""

import asyncio
import contextlib
import time
import uuid

from journal import Command
from raft import Raft
from sessions import Sessions
from waiting import NotLeader

TICK_S = 0.02


class Expiry:
    """Ends sessions that were not renewed in time, while this node leads."""

    def __init__(self, raft: Raft, sessions: Sessions, bug: str) -> None:
        self._raft = raft
        self._sessions = sessions
        self._bug = bug
        self._led = (0, 0)  # the term in which this node leads, and where its log began
        self._seen: dict[str, tuple[int, float]] = {}  # each session's last renewal, and when
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look at all sessions, again and again."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._raft.role == "leader":
                self._look(time.monotonic())

    def renew(self, session: str) -> bool:
        """Take a renewal for granted that is not in the log; say whether the session lives."""
        lives = session in self._sessions.live
        if lives:
            self._seen[session] = self._sessions.live[session].renewed, time.monotonic()
        return lives

    def _look(self, now: float) -> None:
        if self._led[0] != self._raft.term:
            self._led, self._seen = (self._raft.term, self._raft.applied), {}
        live = self._sessions.live
        self._seen = {name: seen for name, seen in self._seen.items() if name in live}
        for name, session in [*live.items()]:
            # That a renewal is seen a little later than it was applied is to the client's good.
            renewed, since = self._seen.get(name, (-1, now))
            if renewed != session.renewed:
                self._seen[name] = session.renewed, now
            elif now - since > session.ttl:
                self._end(name, now)

    def _end(self, name: str, now: float) -> None:
        session = self._sessions.live[name]
        # BUG expire-here: the session is over in this node's state, and nobody else is told.
        if self._bug == "expire-here":
            self._sessions.end(name, self._raft.applied, [*session.entries])
            return
        command = {"f": "expire", "session": name, "renewed": session.renewed}
        # BUG orphan-after-election: what belongs to a session is known to the leader alone, which
        # therefore does not know of what was made before it was elected.
        if self._bug == "orphan-after-election":
            since = self._led[1]
            command["keys"] = [key for key, made in session.entries.items() if made > since]
        # It is tried again after another time to live, should nothing have come of it by then.
        self._seen[name] = session.renewed, now
        task = asyncio.create_task(self._propose(command))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _propose(self, command: Command) -> None:
        with contextlib.suppress(NotLeader):  # then another one has the clock
            await self._raft.propose(command | {"client": uuid.uuid4().hex, "number": 1})
