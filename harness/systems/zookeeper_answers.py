"""What ZooKeeper's clients share: where things stand, and what leaves a request open."""

from kazoo.client import KazooClient
from kazoo.exceptions import KazooException
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.retry import KazooRetry

ROOT = "/partita"
# What leaves the fate of a request open. kazoo raises ConnectionLoss, SessionExpired and
# ConnectionClosed for requests that may have been sent; a time-out of ours is KazooTimeoutError.
UNSURE = (KazooException, KazooTimeoutError, OSError)


def kazoo_for(hosts: str, ttl: float) -> KazooClient:
    """Make a client of kazoo's that goes on to connect for ever; it is not started yet."""
    retry = KazooRetry(max_tries=-1, delay=0.05, backoff=1.5, max_delay=0.5)
    return KazooClient(hosts, timeout=ttl, connection_retry=retry)


def said(error: BaseException) -> str:
    """Return an error of kazoo's as it is told."""
    if isinstance(error, KazooTimeoutError):
        return "timeout"
    return f"{type(error).__name__} {error}".strip()


def path_of(key: str) -> str:
    """Return the znode of a key."""
    return f"{ROOT}/{key}"
