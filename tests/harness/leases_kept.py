"""What every store's client of leases must do, whatever the store."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from partita.workloads.client import Definite, Mismatch, Refused


def leases_are_kept(make: Callable[[], Any]) -> None:
    one, other = make(), make()
    for client in (one, other):
        client.listen(lambda *_, **__: None)
    prefix = f"e{uuid.uuid4().hex}"
    key, second = f"{prefix}-1", f"{prefix}-2"
    with pytest.raises(Refused):
        one.ephemeral(key, "1")
    opened = one.open(10.0)
    assert opened.fields["ttl"] >= 10
    made = one.ephemeral(key, "1")
    assert made.fields["session"] == opened.fields["session"]
    with pytest.raises(Mismatch):
        one.ephemeral(key, "2")
    assert other.look(key)[:2] == ("1", made.version)
    assert other.list(prefix).value == [[key, made.version]]
    later = one.ephemeral(second, "2")
    assert later.version > made.version
    other.delete(second)
    with pytest.raises(Mismatch):
        other.delete(second)
    assert other.look(second).value is None
    one.close_session()
    assert other.look(key).value is None
    assert other.list(prefix).value == []
    with pytest.raises(Definite):
        one.beat()
    # Who leaves a session for another one does not end it.
    one.open(10.0)
    left = one.ephemeral(key, "3")
    again = one.open(10.0)
    assert again.fields["session"] != left.fields["session"]
    assert other.look(key)[:2] == ("3", left.version)
    one.close()
    assert other.look(key)[:2] == ("3", left.version)
    other.close()
