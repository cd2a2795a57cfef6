"""Queues in NATS: a stream that gives each element out until it is acknowledged, and drops it then.

An element that was given to somebody who died comes out again after `ACK_WAIT_S`, so a queue is
empty only if its stream has nothing left of it.
"""

import base64
import time
from typing import Any

from partita.harness.systems.nats_connection import PORT, NatsConnection
from partita.workloads.client import Answer, Definite, Indefinite

STREAM = "QUEUES"
# Longer than any request takes, or an element would come out twice.
ACK_WAIT_S = 10.0


class NatsQueues:
    """A client of queues; each of its requests takes `timeout` seconds at most."""

    def __init__(self, host: str, timeout: float, port: int = PORT) -> None:
        self._connection = NatsConnection(host, timeout, port)
        self._consumers: set[str] = set()

    def enqueue(self, key: str, value: str) -> Answer:
        reply = self._connection.ask(f"queue.{_word(key)}", value.encode()).json()
        if error := reply.get("error"):
            raise (Definite if error["code"] < 500 else Indefinite)(error["description"])
        return Answer(version=int(reply["seq"]))

    def dequeue(self, key: str) -> str | None:
        word = _word(key)
        self._consume(word)
        asked = time.monotonic()
        next_one = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{word}"
        reply = self._connection.ask(next_one, {"batch": 1, "no_wait": True})
        if reply.status or not reply.reply_to:
            self._require_empty(word)
            return None
        self._connection.ask(reply.reply_to, b"+ACK")
        if time.monotonic() - asked > ACK_WAIT_S:
            raise Indefinite("it was acknowledged late, and may have been given to another")
        return reply.body.decode()

    def close(self) -> None:
        self._connection.close()

    def _consume(self, word: str) -> None:
        """Make sure that the queue has the consumer that all takers share."""
        if word in self._consumers:
            return
        config: dict[str, Any] = {
            "durable_name": word,
            "ack_policy": "explicit",
            "ack_wait": round(ACK_WAIT_S * 1e9),
            "filter_subject": f"queue.{word}",
            "max_ack_pending": -1,
        }
        path = f"$JS.API.CONSUMER.DURABLE.CREATE.{STREAM}.{word}"
        request = {"stream_name": STREAM, "config": config}
        try:
            reply = self._connection.ask(path, request).json()
        except Indefinite as error:
            raise Definite(f"no consumer was made: {error}") from error
        if "error" in reply:
            raise Definite(reply["error"]["description"])
        self._consumers.add(word)

    def _require_empty(self, word: str) -> None:
        """Raise `Definite` if something is left that was given to others, who have it still."""
        asked = {"last_by_subj": f"queue.{word}"}
        path = f"$JS.API.STREAM.MSG.GET.{STREAM}"
        reply = self._connection.ask(path, asked, reads=True).json()
        if reply.get("error", {}).get("code") != 404:
            raise Definite("what is left was given to others, who have not acknowledged it")


def _word(key: str) -> str:
    """Return a queue's name as one word of a subject, whatever it has in it."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
