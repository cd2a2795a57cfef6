"""Ephemeral entries in ZooKeeper: ephemeral znodes, which go when their session is over.

Whoever looks writes something first: a session's reads come after its own writes, so that the
server has all that there was when the look began. A `sync` would not do: a leader that is cut off
answers it as well.
"""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kazoo.exceptions import NodeExistsError, NoNodeError

from partita.harness.systems.zookeeper_answers import ROOT, UNSURE, path_of, said
from partita.harness.systems.zookeeper_sessions import ZooKeeperSession
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, Refused, Tell

if TYPE_CHECKING:
    from partita.harness.systems.zookeeper import ZooKeeperClient

Open = Callable[[float, Tell], ZooKeeperSession]


class ZooKeeperLeases:
    """A client of leases. `client` looks, in a session of its own; `open_session` opens others."""

    def __init__(self, client: "ZooKeeperClient", timeout: float, open_session: Open) -> None:
        self._client, self._timeout, self._open = client, timeout, open_session
        self._tell: Tell | None = None
        self._session: ZooKeeperSession | None = None
        self._fence = f"fence-{uuid.uuid4().hex}"

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def open(self, ttl: float) -> Answer:
        assert self._tell is not None
        self._leave()
        self._session = self._open(ttl, self._tell)
        return Answer(fields=self._session.said)

    def beat(self) -> Answer:
        raise Refused("kazoo renews its sessions by itself")

    def close_session(self) -> Answer:
        session = self._opened()
        self._session = None
        session.end()
        return Answer(fields=session.said)

    def ephemeral(self, key: str, value: str) -> Answer:
        session = self._opened()
        if not session.kazoo.connected:
            raise Definite("not connected")
        self._client.begin()
        made = session.kazoo.create_async(
            path_of(key), value.encode(), ephemeral=True, makepath=True, include_data=True
        )
        try:
            stat = self._client.wait(made)[1]
        except NodeExistsError:
            raise Mismatch from None
        except UNSURE as error:
            raise Indefinite(said(error)) from error
        return Answer(version=stat.czxid, fields=session.said)

    def delete(self, key: str) -> None:
        self._client.begin()
        try:
            self._client.wait(self._client.kazoo.delete_async(path_of(key)))
        except NoNodeError:
            raise Mismatch from None
        except UNSURE as error:
            raise Indefinite(said(error)) from error

    def look(self, key: str) -> Answer:
        with self._up_to_date():
            return self._seen(key) or Answer(None)

    def list(self, prefix: str) -> Answer:
        with self._up_to_date():
            names = self._client.wait(self._client.kazoo.get_children_async(ROOT))
            mine = sorted(name for name in names if name.startswith(prefix))
            seen = [(name, self._seen(name)) for name in mine]
        return Answer([[name, answer.version] for name, answer in seen if answer is not None])

    def recover(self) -> None:
        """Nothing to do: kazoo knows answers by their numbers, and connects again by itself."""

    def close(self) -> None:
        self._leave()
        self._client.close()

    @contextmanager
    def _up_to_date(self) -> Iterator[None]:
        """Bring the server up to date. Whatever goes wrong, only a look is lost."""
        try:
            self._client.write(self._fence, "")
            self._client.begin()
            yield
        except Indefinite as error:
            raise Definite(str(error)) from error
        except UNSURE as error:
            raise Definite(said(error)) from error

    def _seen(self, key: str) -> Answer | None:
        try:
            data, stat = self._client.wait(self._client.kazoo.get_async(path_of(key)))
        except NoNodeError:
            return None
        return Answer(data.decode(), stat.czxid)

    def _opened(self) -> Any:
        if self._session is None:
            raise Refused("no session is open")
        return self._session

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.leave()
