"""Locks: one session at a time holds each, and the others wait in the order in which they came.

A grant has a token: the place in the log of the command that gave the lock to its holder. The
tokens of one lock grow from grant to grant, so whatever the lock protects can refuse a holder that
has lost it and does not know. An election is a lock, its leader the holder, and the term is the
token.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from journal import Command
from operations import Answer
from sessions import OVER, Sessions

NOT_GRANTED: Answer = {"error": "not granted", "definite": True}


@dataclass(frozen=True, slots=True)
class Claim:
    """A session that wants a lock, or has it; `name` is what it calls itself."""

    session: str
    name: str


@dataclass(slots=True)
class Lock:
    """A lock, and who waits for it. `token` is that of the last grant."""

    holder: Claim | None = None
    token: int = 0
    waiting: list[Claim] = field(default_factory=list)


class Locks:
    """All locks by their keys."""

    def __init__(self, sessions: Sessions, bug: str) -> None:
        self._locks: dict[str, Lock] = {}
        self._sessions = sessions
        self._bug = bug
        self._grants = 0
        sessions.on_end = self._drop

    def dump(self) -> Any:
        """Return all that there is, as JSON has it."""
        return [self._grants, {key: asdict(lock) for key, lock in self._locks.items()}]

    def load(self, dumped: Any) -> None:
        """Take what `dump` returned."""
        self._grants, locks = dumped
        self._locks = {
            key: Lock(
                holder=lock["holder"] and Claim(**lock["holder"]),
                token=lock["token"],
                waiting=[Claim(**claim) for claim in lock["waiting"]],
            )
            for key, lock in locks.items()
        }

    def acquire(self, command: Command, index: int) -> Answer:
        """Grant the lock if it is free, else let the session wait for it."""
        claim = Claim(command["session"], command.get("name", ""))
        if claim.session not in self._sessions.live:
            return OVER
        lock = self._locks.setdefault(command["key"], Lock())
        if claim in [lock.holder, *lock.waiting]:
            return {"error": "the session has it, or waits for it, already", "definite": True}
        if "decided" in command:
            self._grant(lock, claim, command["decided"] or index)
            return {"token": lock.token, "version": index}
        lock.waiting.append(claim)
        self._serve(lock, index)
        return self.standing(command["key"], claim.session) | {"version": index}

    def release(self, command: Command, index: int) -> Answer:
        """Take the lock back from the grant with this token, and from no other one."""
        lock = self._locks.get(command["key"], Lock())
        # BUG release-any: whoever releases it frees it, whoever has it by now.
        if lock.holder is None or (lock.token != command["token"] and self._bug != "release-any"):
            return {"error": "not held with this token", "definite": True}
        lock.holder = None
        self._serve(lock, index)
        return {"version": index}

    def withdraw(self, command: Command, index: int) -> Answer:
        """Wait no longer; say whether the lock was granted before that."""
        lock = self._locks.get(command["key"], Lock())
        lock.waiting = [each for each in lock.waiting if each.session != command["session"]]
        return self.standing(command["key"], command["session"])

    def standing(self, key: str, session: str) -> Answer:
        """Say how a session stands: it holds the lock, waits for it, or will never get it."""
        lock = self._locks.get(key, Lock())
        if lock.holder is not None and lock.holder.session == session:
            return {"token": lock.token}
        if any(each.session == session for each in lock.waiting):
            return {"waiting": True}
        return NOT_GRANTED if session in self._sessions.live else OVER

    def free(self, key: str) -> bool:
        """Say whether whoever asks for the lock would get it at once."""
        lock = self._locks.get(key, Lock())
        return lock.holder is None and not lock.waiting

    def holder(self, key: str) -> Answer:
        """Return the name of the holder, None if there is none, and the last grant's token."""
        lock = self._locks.get(key, Lock())
        return {"value": None if lock.holder is None else lock.holder.name, "token": lock.token}

    def count_anew(self, command: Command, index: int) -> Answer:
        """Begin with the first token again."""
        self._grants = 0
        return {}

    def _serve(self, lock: Lock, index: int) -> None:
        """Give the lock to whoever has waited the longest, if it is free."""
        if lock.holder is None and lock.waiting:
            self._grant(lock, lock.waiting.pop(0), index)

    def _grant(self, lock: Lock, claim: Claim, index: int) -> None:
        self._grants += 1
        # BUG token-restarts: tokens are counted, and each leader begins with 1 again.
        lock.token = self._grants if self._bug == "token-restarts" else index
        lock.holder = claim

    def _drop(self, session: str, index: int) -> None:
        """Take from a session that is over what it has, and whatever it waits for."""
        for lock in self._locks.values():
            # BUG grant-to-the-dead: who waits goes on to wait, though its session is over.
            if self._bug != "grant-to-the-dead":
                lock.waiting = [each for each in lock.waiting if each.session != session]
            if lock.holder is not None and lock.holder.session == session:
                lock.holder = None
            self._serve(lock, index)
