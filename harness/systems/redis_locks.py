"""Locks in Redis: a key that is set if nobody has, for a time, with who holds it as its value.

It is the pattern that Redis describes for one instance
(https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/): `SET … NX PX`, renewed
and deleted only while the value is still one's own. A number is counted up with each grant, which
serves as a fence. Who waits asks again and again, as there is no queue.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from partita.harness.systems.redis_primary import Primary
from partita.harness.systems.renewals import Over, Renewals
from partita.workloads.client import Answer, Definite, Indefinite, Refused, Tell

AGAIN_S = 0.1

_TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
return redis.call('INCR', KEYS[2])
"""
_RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_GIVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisGrant:
    """A lock that is held, as a session (see `Session`): its key lives `ttl` seconds unrenewed."""

    def __init__(self, primary: Primary, key: str, ttl: float) -> None:
        self.name = uuid.uuid4().hex
        self.ttl = ttl
        self.opened = 0.0
        self.said: dict[str, Any] = {"session": self.name, "ttl": ttl}
        self._primary = primary
        self._key = key
        self._ended: Exception | None = None

    def take(self) -> int:
        """Try to take the lock; return the number of the grant, 0 if somebody has it."""
        self.opened = time.monotonic()
        milliseconds = round(self.ttl * 1000)
        number: int = self._primary.change(
            *("EVAL", _TAKE, 2, self._key, f"{self._key}/grants", self.name, milliseconds)
        )
        return number

    def beat(self) -> None:
        milliseconds = round(self.ttl * 1000)
        if not self._primary.change("EVAL", _RENEW, 1, self._key, self.name, milliseconds):
            raise Over("somebody else has it, or nobody")

    def end(self) -> None:
        try:
            if not self._primary.change("EVAL", _GIVE, 1, self._key, self.name):
                raise Definite("it was not held any more")
        except (Definite, Indefinite) as error:
            self._ended = error
            raise

    def settle(self) -> None:
        """Raise what its end came to, if it was not simply given back."""
        if self._ended is not None:
            raise self._ended

    def close(self) -> None:
        self._primary.close()


class RedisLocks:
    """A client of locks. `connect` makes what each lock that is held is renewed by."""

    def __init__(self, connect: Callable[[], Primary]) -> None:
        self._connect = connect
        self._ttl = 10.0
        self._tell: Tell | None = None
        self._held: dict[str, Renewals] = {}

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def live(self, ttl: float) -> None:
        self._ttl = ttl

    def acquire(self, key: str, wait: float) -> Answer:
        deadline = time.monotonic() + wait
        grant = RedisGrant(self._connect(), key, self._ttl)
        try:
            while not (number := grant.take()):
                if time.monotonic() + AGAIN_S > deadline:
                    raise Refused(f"not granted in {wait:.3g} s")
                time.sleep(AGAIN_S)
        except (Definite, Indefinite):
            grant.close()
            raise
        assert self._tell is not None
        self._held[key] = Renewals(grant, self._tell)
        return Answer(version=number, fields=grant.said)

    def release(self, key: str) -> None:
        """Give the lock back. Raises `Definite` if it was lost meanwhile."""
        renewals = self._held.pop(key)
        renewals.close()
        if renewals.lost:
            raise Refused("it was lost meanwhile")
        grant = renewals.session
        assert isinstance(grant, RedisGrant)
        grant.settle()

    def close(self) -> None:
        for renewals in self._held.values():
            renewals.close()
        self._held.clear()
