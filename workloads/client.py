"""What a store's client says: an answer, or an error that says what is certain.

Every error is either definite (the operation certainly did not happen) or indefinite (nobody
knows: it may take effect later, or never). Whoever writes a client decides which of the two
each of the store's errors is; `partita.harness.run.worker` turns them into outcomes in one place.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

UNKNOWN_VERSION = -1
_NONE: Mapping[str, Any] = MappingProxyType({})


class Definite(Exception):
    """The operation certainly did not happen, and never will; `fields` go into the history."""

    fields: Mapping[str, Any] = _NONE


class Indefinite(Exception):
    """Nobody knows whether the operation happened, or will; `fields` go into the history."""

    fields: Mapping[str, Any] = _NONE


class Refused(Definite):
    """The store said no to an operation, and its client is as good as before: it is kept."""


class Mismatch(Refused):
    """A cas that did not happen, because the register did not hold the expected value.

    A transaction too, whose guards did not hold. `actual` is the value met, where the store said
    it (`known`), and `version` its version, where the store said that. `fields` go into the
    history as they are.
    """

    def __init__(
        self,
        actual: Any = None,
        *,
        known: bool = False,
        version: int = UNKNOWN_VERSION,
        fields: Mapping[str, Any] = _NONE,
    ) -> None:
        super().__init__("mismatch")
        self.actual = actual
        self.known = known
        self.version = version
        self.fields = fields


class Answer(NamedTuple):
    """What a call came to, where there is more to say than its value.

    `version` is the number that the store itself gave to the state that the call saw or made
    (etcd's revision, ZooKeeper's zxid, …). `fields` go into the history as they are.
    """

    value: Any = None
    version: int = UNKNOWN_VERSION
    fields: Mapping[str, Any] = _NONE


def answer_of(returned: Any) -> Answer:
    """Return what a call returned as an `Answer`: a bare value has no version."""
    return returned if isinstance(returned, Answer) else Answer(returned)


def told(returned: Any, value: Any) -> Any:
    """Return what a call returned with another value in its place: a version goes along."""
    if isinstance(returned, Answer):
        return Answer(value, returned.version, returned.fields)
    return value


class Tell(Protocol):
    """How a client tells what reaches it beside its answers; safe to call from any thread."""

    def __call__(
        self,
        f: str,
        /,
        value: Any = None,
        *,
        key: str | None = None,
        version: int = UNKNOWN_VERSION,
        sent: float | None = None,
        at: float | None = None,
        **fields: Any,
    ) -> None:
        """Put an event into the history, with the time of this call, or `at` if that was earlier.

        `sent` and `at` are moments of `time.monotonic()`. `sent` says when the request was sent
        whose answer this is.
        `docs/coordination.md` has the events, and the further fields that they have.
        """


class Client(Protocol):
    """What every client can do, whatever its capability."""

    def close(self) -> None:
        """Let the connection go; never raises, never waits long."""


@runtime_checkable
class HasMove(Protocol):
    """A client whose session outlives its connection."""

    def move(self, address: str) -> None:
        """Go on with the session at another node; raises `Definite` if that is not possible."""


@runtime_checkable
class HasListen(Protocol):
    """A client that is told things beside its answers, such as that its session is lost."""

    def listen(self, tell: Tell) -> None:
        """Take what is to be called with each event; called once, before anything else."""


@runtime_checkable
class HasRecover(Protocol):
    """A client that keeps something which outlives a failed request: a watch, a session."""

    def recover(self) -> None:
        """Be ready for the next request, which no late answer may be taken for; never raises.

        Called after a request that failed. Without it, the client is closed then.
        """


@runtime_checkable
class HasPresence(Protocol):
    """A client that lives in a program of its own, which a fault may freeze."""

    def present(self) -> None:
        """Return once the client's own program has got to run; waits as long as it is frozen.

        So what a holder does to the thing that it protects is done only while it can do anything.
        Raises `Indefinite` if the program is gone.
        """


@runtime_checkable
class HasLive(Protocol):
    """A client with a session, whose time to live may be chosen."""

    def live(self, ttl: float) -> None:
        """Let the sessions that it opens from now on live `ttl` seconds, or the next longer time.

        What the store grants stands in its answers.
        """
