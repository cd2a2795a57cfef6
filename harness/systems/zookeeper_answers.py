"""What ZooKeeper's clients share: where things stand, and what leaves a request open."""

from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError

ROOT = "/partita"
# What leaves the fate of a request open. kazoo raises ConnectionLoss, SessionExpired and
# ConnectionClosed for requests that may have been sent; a time-out of ours is KazooTimeoutError.
UNSURE = (KazooException, KazooTimeoutError, OSError)


def said(error: BaseException) -> str:
    """Return an error of kazoo's as it is told."""
    if isinstance(error, KazooTimeoutError):
        return "timeout"
    return f"{type(error).__name__} {error}".strip()


def path_of(key: str) -> str:
    """Return the znode of a key."""
    return f"{ROOT}/{key}"
