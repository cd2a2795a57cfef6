"""What ZooKeeper tells a client, in the order in which it comes from the network.

kazoo hands answers to those who wait for them, and events to a thread of their own. So in the
application's threads a read may be seen before the event that came first. ZooKeeper promises an
order on the connection, and only there it can be judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kazoo.client import KazooClient
from kazoo.protocol.connection import ConnectionHandler
from kazoo.protocol.serialization import Watch


def _nothing(*_: Any) -> None: ...


@dataclass(slots=True)
class Ears:
    """What is called on the thread of the network, before anybody else is told; none may block.

    `answered` takes a request and its answer, None if that is an error, which has a code then.
    `fired` takes an event, of which `type` and `path` matter. `dropped` says that the connection
    is no more.
    """

    answered: Callable[[Any, Any, int], None] = _nothing
    fired: Callable[[Any], None] = _nothing
    dropped: Callable[[], None] = _nothing


class Heard(ConnectionHandler):  # type: ignore[misc]  # kazoo has no types
    """A connection of kazoo's whose every answer and event `ears` hear first.

    What waits for an answer can read the answer's zxid, as `result.zxid`. `granted_ms` is the time
    to live that the server gave the session.
    """

    def __init__(self, client: KazooClient, ears: Ears) -> None:
        made = client._connection
        super().__init__(client, made.retry_sleeper, logger=made.logger)
        self._ears = ears
        self.granted_ms = 0.0

    def _connect(self, host: str, hostip: str, port: int) -> Any:
        times = super()._connect(host, hostip, port)
        # kazoo keeps what follows from it: it waits two thirds of it for an answer.
        self.granted_ms = round(times[0] * 1.5)
        return times

    def _read_response(self, header: Any, buffer: bytes, offset: int) -> Any:
        request, result, _ = self.client._pending[0]
        if result is not None:
            result.zxid = header.zxid
        readable = not header.err and hasattr(request, "deserialize")
        answer = request.deserialize(buffer, offset) if readable else None
        self._ears.answered(request, answer, header.err)
        return super()._read_response(header, buffer, offset)

    def _read_watch_event(self, buffer: bytes, offset: int) -> None:
        self._ears.fired(Watch.deserialize(buffer, offset)[0])
        super()._read_watch_event(buffer, offset)

    def _connect_attempt(self, host: str, hostip: str, port: int, retry: Any) -> Any:
        try:
            return super()._connect_attempt(host, hostip, port, retry)
        finally:
            self._ears.dropped()


def listen(client: KazooClient, ears: Ears) -> Heard:
    """Let `ears` hear what a client that is not started yet will be told."""
    client._connection = heard = Heard(client, ears)
    return heard
