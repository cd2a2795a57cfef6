"""Queues and sets in ZooKeeper: a child of one znode for each element.

A queue is ZooKeeper's own recipe. Its elements are sequential znodes, whose numbers the leader
gives out in the order of creation. Whoever deletes the one with the least number has taken it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kazoo.exceptions import NodeExistsError, NoNodeError

from partita.harness.systems.zookeeper_answers import UNSURE, path_of, said
from partita.workloads.client import Definite, Indefinite

if TYPE_CHECKING:
    from partita.harness.systems.zookeeper import ZooKeeperClient


class ZooKeeperCollections:
    """A client of queues and sets; calls take as long at most as the client's own."""

    def __init__(self, client: "ZooKeeperClient") -> None:
        self._client = client
        self._kazoo = client.kazoo

    def enqueue(self, key: str, value: str) -> None:
        self._client.begin()
        with _changing():
            path = f"{path_of(key)}/e-"
            self._client.wait(
                self._kazoo.create_async(path, value.encode(), makepath=True, sequence=True)
            )

    def dequeue(self, key: str) -> str | None:
        self._client.begin()
        while names := self._children(key):
            for name in sorted(names):
                value = self._taken(f"{path_of(key)}/{name}")
                if value is not None:
                    return value
        return None

    def add(self, key: str, element: str) -> None:
        self._client.begin()
        with _changing():
            try:
                path = f"{path_of(key)}/{element}"
                self._client.wait(self._kazoo.create_async(path, b"", makepath=True))
            except NodeExistsError:
                return

    def members(self, key: str) -> list[str]:
        self._client.begin()
        return self._children(key)

    def close(self) -> None:
        self._client.close()

    def _children(self, key: str) -> list[str]:
        path = path_of(key)
        with _looking():
            if self._client.synced:
                self._client.wait(self._kazoo.sync_async(path))
            try:
                names: list[str] = self._client.wait(self._kazoo.get_children_async(path))
            except NoNodeError:
                return []
        return names

    def _taken(self, path: str) -> str | None:
        """Take an element and return it, None if somebody else was quicker."""
        try:
            with _looking():
                data = self._client.wait(self._kazoo.get_async(path))[0]
            with _changing():
                self._client.wait(self._kazoo.delete_async(path))
        except NoNodeError:
            return None
        text: str = data.decode()
        return text


@contextmanager
def _looking() -> Iterator[None]:
    """Whatever goes wrong in here, nothing was changed."""
    try:
        yield
    except NoNodeError:
        raise
    except UNSURE as error:
        raise Definite(f"could not look first: {said(error)}") from error


@contextmanager
def _changing() -> Iterator[None]:
    """What goes wrong in here leaves open whether it happened."""
    try:
        yield
    except NoNodeError:
        raise
    except UNSURE as error:
        raise Indefinite(said(error)) from error
