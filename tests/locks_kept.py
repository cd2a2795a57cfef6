"""What every store's client of locks must do, whatever the store."""

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from partita.workloads.client import Refused

Events = list[tuple[str, Any, dict[str, Any]]]


def listened(client: Any, ttl: float, events: Events) -> Any:
    """Return a client with sessions of this time to live, which tells what it is told."""

    def tell(f: str, /, value: Any = None, **fields: Any) -> None:
        events.append((f, value, fields))

    client.listen(tell)
    client.live(ttl)
    return client


def locks_are_kept(make: Callable[[], Any], ttl: float) -> Events:
    """One session at a time holds a lock, tokens grow, and whose session ends has it no more."""
    events: Events = []
    one, other = (listened(make(), ttl, events) for _ in range(2))
    key = f"lock {uuid.uuid4()}"
    first = one.acquire(key, 2.0)
    assert first.fields["ttl"] >= 2
    begin = time.monotonic()
    with pytest.raises(Refused):
        other.acquire(key, 0.3)
    assert time.monotonic() > begin + 0.25
    leaving = threading.Timer(0.4, one.release, [key])
    leaving.start()
    begin = time.monotonic()
    second = other.acquire(key, 4.0)
    leaving.join()  # a client has one thread at a time
    assert 0.3 < time.monotonic() - begin < 3
    assert second.version > first.version > 0
    assert second.fields["session"] != first.fields["session"]
    assert one.acquire(f"{key}-2", 1.0).version > 0  # another lock is free
    one.release(f"{key}-2")
    other.close()  # with it, its session ends
    assert one.acquire(key, 4.0).version > second.version
    one.close()
    opened = [fields["session"] for f, value, fields in events if (f, value) == ("beat", True)]
    assert {first.fields["session"], second.fields["session"]} == set(opened)
    closed = [fields for f, _, fields in events if f == "close"]
    assert [each["session"] for each in closed] == [
        second.fields["session"],
        first.fields["session"],
    ]
    return events


def elections_are_kept(make: Callable[[], Any], ttl: float) -> Events:
    """One leads at a time, terms grow, and whoever looks sees who leads."""
    events: Events = []
    one, other = (listened(make(), ttl, events) for _ in range(2))
    key = f"election {uuid.uuid4()}"
    assert one.observe(key).value is None
    first = one.campaign(key, "one", 2.0)
    assert first.version > 0
    assert first.fields["ttl"] >= 2
    assert other.observe(key) == ("one", first.version, {})
    with pytest.raises(Refused):
        other.campaign(key, "other", 0.3)
    leaving = threading.Timer(0.4, one.resign, [key])
    leaving.start()
    second = other.campaign(key, "other", 4.0)
    leaving.join()  # a client has one thread at a time
    assert second.version > first.version
    assert one.observe(key) == ("other", second.version, {})
    other.close()  # with it, its session ends
    third = one.campaign(key, "one again", 4.0)
    assert third.version > second.version
    assert one.observe(key) == ("one again", third.version, {})
    one.resign(key)
    assert one.observe(key).value is None
    one.close()
    return events
