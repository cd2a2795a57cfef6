"""What clients ask of sessions, locks and watches, and how it is carried out.

Whatever changes something is a command of the log, and is carried out on all nodes in the same
order; the leader answers it. The rest is answered by the node that was asked.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from expiry import Expiry
from journal import Command
from locks import Locks
from memory import Memory
from operations import Answer
from raft import Raft
from registers import Registers
from sessions import Sessions
from waiting import TimedOut
from watches import Watches

BUGS = (
    "lock-early-check",
    "lock-local",
    "token-restarts",
    "grant-to-the-dead",
    "release-any",
    "two-leaders-a-term",
    "lease-from-open",
    "beat-unlogged",
    "close-leaves",
    "expire-here",
    "orphan-after-election",
    "watch-latest-only",
    "watch-uncommitted",
    "watch-inclusive",
    "watch-forgotten",
    "version-local",
)
# By request: the fields that it needs, and those that it may have besides.
FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "open": ("ttl",),
        "beat": ("session",),
        "close": ("session",),
        "ephemeral": ("session", "key", "value"),
        "acquire": ("session", "key"),
        "release": ("key", "token"),
        "observe": ("key",),
        "sync": (),
        "list": ("prefix",),
        "watch": ("prefix", "from"),
    }
)
MORE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"acquire": ("name", "wait"), "watch": ("wait", "stream")}
)
KINDS: Mapping[str, tuple[Callable[[Any], bool], str]] = MappingProxyType(
    {
        "ttl": (lambda given: _is_number(given) and given > 0, "a number of seconds, more than 0"),
        "wait": (lambda given: _is_number(given) and given >= 0, "a number of seconds, from 0"),
        "token": (lambda given: _is_whole(given) and given >= 1, "a whole number from 1"),
        "from": (lambda given: _is_whole(given) and given >= -1, "a whole number, -1 for from now"),
    }
)
TICK_S = 0.005

# Has a command carried out by whoever leads: the command, and until when (time.monotonic).
Finish = Callable[[Command, float], Awaitable[Answer]]


class Coordination:
    """The sessions, locks and watches of one node."""

    def __init__(
        self, raft: Raft, registers: Registers, sessions: Sessions, watches: Watches, bug: str
    ) -> None:
        self._raft = raft
        self._registers = registers
        self._sessions = sessions
        self._locks = Locks(sessions, bug)
        self._watches = watches
        self._expiry = Expiry(raft, sessions, bug)
        self._memory = Memory()
        self._parts: list[Any] = [registers, sessions, self._locks, self._memory]
        self._commands: dict[str, Callable[[Command, int], Answer]] = {
            "open": sessions.open,
            "beat": sessions.beat,
            "close": sessions.close,
            "expire": sessions.expire,
            "ephemeral": sessions.ephemeral,
            "acquire": self._locks.acquire,
            "withdraw": self._locks.withdraw,
            "release": self._locks.release,
            "count-anew": self._locks.count_anew,
        }
        self._bug = bug

    def apply(self, command: Command, index: int) -> Answer:
        """Carry out a command of the log, whatever it changes."""
        carry_out = self._commands.get(command["f"])
        if carry_out is None:
            return self._registers.apply(command, index)
        return self._memory.once(command, lambda: carry_out(command, index))

    def dump(self) -> str:
        """Return all that commands of the log have changed, for a snapshot."""
        return json.dumps([part.dump() for part in self._parts], separators=(",", ":"))

    def load(self, text: str) -> None:
        """Take what `dump` returned."""
        for part, dumped in zip(self._parts, json.loads(text), strict=True):
            part.load(dumped)

    async def run(self) -> None:
        """End sessions whose time is over."""
        await self._expiry.run()

    # --- At the leader -----------------------------------------------------------------------

    async def lead(self, command: Command) -> Answer:
        """Carry out what only the leader can. Raises `NotLeader`."""
        f = command["f"]
        if f in ("observe", "sync"):
            await self._raft.confirm()
            return self._locks.holder(command["key"]) if f == "observe" else self._place()
        if f == "acquire":
            return await self._acquire(command)
        # BUG beat-unlogged: the leader renews sessions by itself, whether or not it still leads.
        if f == "beat" and self._bug == "beat-unlogged" and self._expiry.renew(command["session"]):
            return self._place()
        answer: Answer = await self._raft.propose(command)
        return answer

    async def _acquire(self, command: Command) -> Answer:
        free = self._locks.free(command["key"])
        # BUG lock-early-check: whether the lock is free is looked up on arrival; it is granted
        # when the command is applied, whatever happened meanwhile.
        if self._bug == "lock-early-check" and free:
            command = command | {"decided": None}
        # BUG two-leaders-a-term: so is the term: the next one after all that is committed.
        if self._bug == "two-leaders-a-term" and free:
            command = command | {"decided": self._raft.commit + 1}
        # BUG lock-local: a leader grants what is free in its own state, and tells the others later.
        if self._bug == "lock-local" and free:
            command = command | {"decided": self._raft.status()["last"] + 1}
            asyncio.get_running_loop().create_task(self._raft.propose(command))
            return self._locks.acquire(command, self._raft.applied)
        answer: Answer = await self._raft.propose(command)
        return answer

    def _place(self) -> Answer:
        return {"version": self._raft.applied}

    # --- At any node -------------------------------------------------------------------------

    async def here(self, body: Command, finish: Finish, deadline: float) -> Answer:
        """Answer what hangs on this node: what it has, and who waits at it."""
        if body["f"] == "acquire":
            return await self._wait_for(body, finish, deadline)
        if body["f"] == "list":
            now = await finish(body | {"f": "sync"}, deadline)
            try:
                await self._reach(now["version"], deadline)
            except TimeoutError as error:
                raise TimedOut(definite=True) from error
            found = self._registers.under(body["prefix"])
            return {"entries": sorted(found.items()), **self._place()}
        wait = min(body.get("wait", 0.0), deadline - time.monotonic())
        return await self._watches.next(body["prefix"], body["from"], wait, body.get("stream", ""))

    async def _wait_for(self, command: Command, finish: Finish, deadline: float) -> Answer:
        """Have a lock acquired, or wait in line for it: this node sees when it is granted.

        Whoever waits no longer leaves the line through the log, so that it is certain whether the
        lock was granted before that.
        """
        until = min(time.monotonic() + command.get("wait", 0.0), deadline)
        said = await finish(command, deadline)
        if "waiting" not in said:
            return said
        try:
            await self._reach(said["version"], deadline)
            return await self._stand(command, until) or await finish(_leaving(command), deadline)
        except (TimeoutError, TimedOut) as error:
            raise TimedOut(definite=False) from error  # it may well be in line for ever

    async def _stand(self, command: Command, until: float) -> Answer | None:
        """Wait in line; return what came of it, None if nothing did."""
        while "waiting" in (said := self._locks.standing(command["key"], command["session"])):
            if time.monotonic() >= until:
                return None
            await asyncio.sleep(TICK_S)
        return said

    async def _reach(self, version: int, deadline: float) -> None:
        """Wait until this node has applied everything up to a place of the log."""
        while self._raft.applied < version:
            if time.monotonic() >= deadline:
                raise TimeoutError
            await asyncio.sleep(TICK_S)


def _leaving(command: Command) -> Command:
    return command | {"f": "withdraw", "client": f"{command['client']}, leaving"}


def complaint(f: str, body: Mapping[str, Any]) -> str | None:
    """Say what is wrong with the fields of a request, None if nothing is."""
    for field in (*FIELDS[f], *MORE.get(f, ())):
        if field in FIELDS[f] or field in body:
            right, words = KINDS.get(field, (lambda given: isinstance(given, str), "a string"))
            if not right(body[field]):
                return f"{field} must be {words}"
    return None


def _is_number(thing: object) -> bool:
    return isinstance(thing, int | float) and not isinstance(thing, bool)


def _is_whole(thing: object) -> bool:
    return isinstance(thing, int) and not isinstance(thing, bool)
