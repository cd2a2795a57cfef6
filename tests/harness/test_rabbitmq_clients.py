"""The client of RabbitMQ, against a broker that says what a test wants it to say."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping

import pytest
from amqp import spec
from amqp.serialization import dumps
from test_raft_store import free_ports

from partita.harness.systems.rabbitmq import RabbitMQ
from partita.harness.systems.rabbitmq_queues import RabbitQueues
from partita.workloads.client import Client, Definite, Indefinite

Method = tuple[int, int]
HANG_UP = None
SILENCE = b""
END = b"\xce"


def frame(kind: int, channel: int, payload: bytes) -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + END


def method(name: Method, layout: str = "", *values: object, channel: int = 1) -> bytes:
    packed = dumps(layout, values) if layout else b""
    return frame(1, channel, struct.pack(">HH", *name) + packed)


def content(text: str) -> bytes:
    """The header and the body of a message: with its encoding, as the client itself sends it."""
    body = text.encode()
    properties = struct.pack(">H", 1 << 14) + dumps("s", ("utf-8",))
    return frame(2, 1, struct.pack(">HHQ", 60, 0, len(body)) + properties) + frame(3, 1, body)


def greeting(name: Method, layout: str, *values: object) -> bytes:
    return method(name, layout, *values, channel=0)


START = greeting(spec.Connection.Start, "ooFSS", 0, 9, {}, b"PLAIN", b"en_US")
HELLO: Mapping[Method, bytes | None] = {
    spec.Connection.StartOk: greeting(spec.Connection.Tune, "BlB", 0, 131072, 0),
    spec.Connection.Open: greeting(spec.Connection.OpenOk, "s", ""),
    spec.Channel.Open: method(spec.Channel.OpenOk, "S", b""),
    spec.Queue.Declare: method(spec.Queue.DeclareOk, "sll", "q", 0, 0),
    spec.Confirm.Select: method(spec.Confirm.SelectOk),
    spec.Basic.Qos: method(spec.Basic.QosOk),
}
CONFIRMED = method(spec.Basic.Ack, "Lb", 1, False)
REFUSED = method(spec.Basic.Nack, "Lb", 1, False)
RETURNED = method(spec.Basic.Return, "Bsss", 312, "NO_ROUTE", "", "q") + content("1")
GIVEN = method(spec.Basic.GetOk, "Lbssl", 1, False, "", "q", 0) + content("7")
EMPTY = method(spec.Basic.GetEmpty, "s", "")
CLOSED = "connection lost|closed connection"
GONE = method(spec.Channel.Close, "BsBB", 404, "NOT_FOUND", 50, 10)
FAREWELL = greeting(spec.Connection.Close, "BsBB", 320, "CONNECTION_FORCED", 0, 0)


def client_of(answers: Mapping[Method, bytes | None], timeout: float = 5.0) -> Client:
    """A client of a broker that answers so, and otherwise as brokers do."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    threading.Thread(target=_serve, args=(server, {**HELLO, **answers}), daemon=True).start()
    return RabbitQueues("127.0.0.1", timeout, "quorum", port)


def _serve(server: socket.socket, answers: Mapping[Method, bytes | None]) -> None:
    connection, _ = server.accept()
    with server, connection, connection.makefile("rb") as file:
        if file.read(8)[:4] == b"AMQP":
            connection.sendall(START)
        while len(head := file.read(7)) == 7:
            kind, _, size = struct.unpack(">BHI", head)
            payload = file.read(size + 1)
            if kind != 1:
                continue
            answer = answers.get(struct.unpack(">HH", payload[:4]), SILENCE)
            if answer is HANG_UP:
                return
            connection.sendall(answer)


def test_what_is_confirmed_and_given_is_told() -> None:
    client = client_of({spec.Basic.Publish: CONFIRMED, spec.Basic.Get: GIVEN})
    client.enqueue("q", "1")
    assert client.dequeue("q") == "7"
    client.close()
    assert client_of({spec.Basic.Get: EMPTY}).dequeue("q") is None


def test_a_second_request_takes_no_answer_of_the_first() -> None:
    client = client_of({spec.Basic.Publish: RETURNED + CONFIRMED})
    with pytest.raises(Definite, match="NO_ROUTE"):
        client.enqueue("q", "1")
    with pytest.raises(Definite, match="closed"):
        client.enqueue("q", "2")


Call = Callable[[Client], object]
PUT: Call = lambda client: client.enqueue("q", "1")  # noqa: E731
TAKE: Call = lambda client: client.dequeue("q")  # noqa: E731


@pytest.mark.parametrize(
    ("call", "answers", "raised", "why"),
    [
        (PUT, {spec.Basic.Publish: HANG_UP}, Indefinite, CLOSED),
        (PUT, {spec.Basic.Publish: SILENCE}, Indefinite, "timeout"),
        (PUT, {spec.Basic.Publish: REFUSED}, Indefinite, "Nacked"),
        (PUT, {spec.Basic.Publish: GONE}, Indefinite, "NOT_FOUND"),
        (PUT, {spec.Basic.Publish: FAREWELL}, Indefinite, "CONNECTION_FORCED"),
        (PUT, {spec.Queue.Declare: GONE}, Definite, "NOT_FOUND"),
        (PUT, {spec.Queue.Declare: HANG_UP}, Definite, CLOSED),
        (PUT, {spec.Queue.Declare: SILENCE}, Definite, "timeout"),
        (TAKE, {spec.Queue.Declare: GONE}, Definite, "NOT_FOUND"),
        (TAKE, {spec.Basic.Get: HANG_UP}, Indefinite, CLOSED),
        (TAKE, {spec.Basic.Get: SILENCE}, Indefinite, "timeout"),
        (TAKE, {spec.Basic.Get: GONE}, Indefinite, "NOT_FOUND"),
        (TAKE, {spec.Basic.Get: GIVEN, spec.Basic.Ack: HANG_UP}, Indefinite, CLOSED),
        (TAKE, {spec.Basic.Get: GIVEN, spec.Basic.Qos: SILENCE}, Indefinite, "timeout"),
    ],
)
def test_what_an_error_leaves_open(
    call: Call, answers: Mapping[Method, bytes | None], raised: type[Exception], why: str
) -> None:
    silent = SILENCE in answers.values()
    with pytest.raises(raised, match=why):
        call(client_of(answers, 0.3 if silent else 5.0))


def test_a_farewell_is_heard_before_anything_is_sent() -> None:
    client = client_of({spec.Basic.Get: EMPTY + FAREWELL})
    assert client.dequeue("q") is None
    time.sleep(0.1)
    with pytest.raises(Definite, match="CONNECTION_FORCED"):
        client.enqueue("q", "1")


def test_without_a_connection_nothing_was_sent() -> None:
    with pytest.raises(Definite, match="refused"):
        RabbitQueues("127.0.0.1", 1.0, "quorum", free_ports(1)[0])
    for name in (spec.Connection.StartOk, spec.Connection.Open, spec.Channel.Open):
        with pytest.raises(Definite):
            client_of({name: HANG_UP})
    with pytest.raises(Definite, match="timeout"):
        client_of({spec.Channel.Open: SILENCE}, 0.3)


def test_only_quorum_queues_promise_that_nothing_is_lost() -> None:
    assert RabbitMQ().promises("queues")["delivery"] == "at-least-once"
    mirrored = RabbitMQ(queue_type="classic", partition_handling="autoheal")
    assert mirrored.promises("queues")["delivery"] is None
