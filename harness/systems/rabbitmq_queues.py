"""Queues in RabbitMQ, over AMQP 0-9-1: each publication is confirmed, each delivery acknowledged.

The library sends nothing twice and nothing by itself, so of each request it is known whether it
may have arrived. A client that closes gives back what it was given and has not acknowledged.
"""

import select
import socket
from contextlib import suppress

import amqp
from amqp.exceptions import AMQPError, MessageNacked

from partita.harness.systems.connection import host_port
from partita.workloads.client import Definite, Indefinite

PORT = 5672
USER = PASSWORD = "guest"
_NO_ROUTE = 312  # the publication is in no queue, and came back
_PERSISTENT = 2
_ERRORS = (OSError, AMQPError, MessageNacked)


class RabbitQueues:
    """A client of queues of one `kind`; no step of a request takes longer than `timeout`."""

    def __init__(self, host: str, timeout: float, kind: str, port: int = PORT) -> None:
        self._kind = kind
        self._declared: set[str] = set()
        self._connection = amqp.Connection(
            host_port(host, port),
            USER,
            PASSWORD,
            login_method="PLAIN",
            connect_timeout=timeout,
            socket_settings={socket.TCP_USER_TIMEOUT: round(1000 * timeout)},
        )
        try:
            self._connection.connect()
            self._connection.sock.settimeout(timeout)
            self._channel = self._connection.channel()
        except _ERRORS as error:
            self.close()
            raise Definite(_reason(error)) from error

    def enqueue(self, key: str, value: str) -> None:
        self._prepare(key)
        message = amqp.Message(value, delivery_mode=_PERSISTENT)
        try:
            self._channel.basic_publish_confirm(message, routing_key=key, mandatory=True)
        except _ERRORS as error:
            # A confirmation may still be on its way: it must not be taken for that of another.
            self.close()
            returned = getattr(error, "reply_code", None) == _NO_ROUTE
            raise (Definite if returned else Indefinite)(_reason(error)) from error

    def dequeue(self, key: str) -> str | None:
        self._prepare(key)
        try:
            message = self._channel.basic_get(key)
            if message is None:
                return None
            self._channel.basic_ack(message.delivery_tag)
            # Nobody answers an acknowledgement. What is asked after it on the same channel is
            # answered once the broker has dealt with it.
            self._channel.basic_qos(0, 0, False)
        except _ERRORS as error:
            # It may have been given to us, and stay with us until the broker misses us.
            self.close()
            raise Indefinite(_reason(error)) from error
        return str(message.body)

    def close(self) -> None:
        with suppress(*_ERRORS):
            self._connection.collect()

    def _prepare(self, key: str) -> None:
        """Make sure that the connection is there, and the queue. Raises `Definite`."""
        if not self._connection.connected:
            raise Definite("the connection is closed")
        try:
            self._hear()
            if key not in self._declared:
                kind = {"x-queue-type": self._kind}
                self._channel.queue_declare(key, durable=True, auto_delete=False, arguments=kind)
                self._declared.add(key)
        except _ERRORS as error:
            self.close()
            raise Definite(_reason(error)) from error

    def _hear(self) -> None:
        """Take what the broker has said unasked, so that a farewell is heard before we send."""
        while select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.drain_events()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionError):
        return "connection lost"
    return str(error) or type(error).__name__
