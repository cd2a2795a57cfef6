"""Whoever ends a watch hears no more of it, even if it is ended while its thread tells something.

What is told after the end looks to the check like a stream that goes on, and that is owed all.
"""

import http.client
import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from partita.harness.systems import consul_watches, etcd_watches, raft_watches
from partita.workloads.client import Indefinite


def test_a_stream_of_raft_that_was_ended_while_it_asked_does_not_resume() -> None:
    told: list[str] = []
    answers = iter([{"events": [], "upto": 4}, None, {"events": [(5, "k", "v")], "upto": 5}])
    closed = threading.Event()

    def ask(f: str, **fields: Any) -> Any:
        if (said := next(answers)) is None:
            raise Indefinite("timeout")
        if said["events"]:
            watch.end()
        return said

    stream: Any = SimpleNamespace(ask=ask, close=closed.set)
    watch = raft_watches.Stream("w", stream, "k", lambda f, value=None, **_: told.append(f))
    watch.begin(-1)
    assert closed.wait(5)
    assert told == ["resume", "ended"]


def test_a_stream_of_etcd_that_is_ended_does_not_resume(monkeypatch: pytest.MonkeyPatch) -> None:
    created = {"created": True, "header": {"revision": "4"}}
    told: list[str] = []
    watch = etcd_watches.Stream(
        "w", ("127.0.0.1", 1), "k", -1, lambda f, value=None, **_: told.append(f)
    )

    def lines(connection: http.client.HTTPConnection) -> Any:
        watch.end()  # just before etcd's answer is read
        yield created

    sock = SimpleNamespace(settimeout=lambda _: None, shutdown=lambda _: None, close=lambda: None)
    connection = SimpleNamespace(connect=lambda: None, sock=sock, request=lambda *_: None)
    monkeypatch.setattr(etcd_watches, "_lines", lines)
    monkeypatch.setattr(etcd_watches, "_keep_alive", lambda _: None)
    monkeypatch.setattr(http.client, "HTTPConnection", lambda *_, **__: connection)
    with pytest.raises(OSError, match="ended"):
        watch._opened(1.0)
    assert told == ["ended"]


def test_all_that_a_query_of_consul_told_of_is_ended() -> None:
    told: list[tuple[str, str]] = []
    ending = threading.Thread(target=lambda: query.end())

    def tell(f: str, value: Any = None, **fields: Any) -> None:
        told.append((f, fields["stream"]))
        if len(told) == 1:  # the second key is still to be told of
            ending.start()
            ending.join(0.2)  # as long as it takes, if nothing keeps it

    query = consul_watches.Query("w", ("127.0.0.1", 1), "k", "default", tell)
    entries = [
        {"Key": f"{consul_watches.ROOT}{key}", "Value": "dg==", "ModifyIndex": 3}
        for key in ("k1", "k2")
    ]
    body = json.dumps(entries).encode()
    answer = SimpleNamespace(status=200, headers={"X-Consul-Index": "3"}, read=lambda: body)
    connection: Any = SimpleNamespace(
        request=lambda *_: None, getresponse=lambda: answer, sock=None, close=lambda: None
    )
    query._connection = connection
    query._ask()
    ending.join(5)
    assert [f for f, _ in told] == ["poll", "poll", "ended", "ended"]
    assert [stream for _, stream in told[2:]] == [stream for _, stream in told[:2]]
