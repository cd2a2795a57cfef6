"""Watches in ZooKeeper: a read leaves one, the next change fires it, and a new read leaves another.

There is no log, and no watch on all keys with a prefix. So the children of the common parent are
watched to learn which keys there are, and each of them is watched. What is told stands in the
order of the connection, not of kazoo's threads.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError, NoNodeError
from kazoo.protocol.serialization import Exists, GetData
from kazoo.protocol.states import EventType, KazooState, WatchedEvent

from partita.harness.systems.zookeeper_answers import ROOT, UNSURE, path_of, said
from partita.harness.systems.zookeeper_network import Ears, listen
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch, Tell

if TYPE_CHECKING:
    from partita.harness.systems.zookeeper import ZooKeeperClient

_NO_NODE = NoNodeError.code
# The events of ZooKeeper's protocol that are of a key itself, not of its children.
_OF_KEYS = (1, 2, 3)

# What is done to a kazoo client before it is started.
Hook = Callable[[KazooClient], object]


class ZooKeeperWatches:
    """A client of watches, over one of registers, which `connect` opens.

    A session that is lost is followed by another one, and watches are left anew.
    """

    def __init__(self, connect: "Callable[[Hook], ZooKeeperClient]") -> None:
        self._tell: Tell | None = None
        self._streams: dict[str, _Stream] = {}
        # Where a watch is left: by what was told, or only by a look that saw no value.
        self._armed: set[str] = set()
        self._half: set[str] = set()
        ears = Ears(answered=self._answered, fired=self._fired, dropped=self._dropped)
        self._client = connect(lambda kazoo: listen(kazoo, ears))
        self._kazoo = self._client.kazoo
        self._kazoo.add_listener(self._changed)

    def listen(self, tell: Tell) -> None:
        self._tell = tell

    def write(self, key: str, value: str) -> Answer:
        return self._client.write(key, value)

    def read(self, key: str) -> Answer:
        return self._client.read(key)

    def delete(self, key: str) -> Answer:
        self._client.begin()
        result = self._kazoo.delete_async(path_of(key))
        try:
            self._client.wait(result)
        except NoNodeError:
            raise Mismatch from None
        except UNSURE as error:
            raise Indefinite(said(error)) from error
        return Answer(version=result.zxid)

    def watch(self, stream: str, prefix: str, since: int) -> None:
        self._client.begin()
        begun = _Stream(self._kazoo, prefix)
        try:
            with suppress(NodeExistsError):
                self._client.wait(self._kazoo.create_async(ROOT))
            self._streams[stream] = begun
            self._client.wait(begun.look())
        except UNSURE as error:
            self._streams.pop(stream, None)
            raise Definite(said(error)) from error

    def unwatch(self, stream: str) -> None:
        """End a watch. What it left in ZooKeeper stays until it fires."""
        self._streams.pop(stream).over = True

    def recover(self) -> None:
        """Nothing to do: kazoo knows answers by their numbers, and connects again by itself."""

    def close(self) -> None:
        for stream in list(self._streams):
            self.unwatch(stream)
        self._dropped()
        self._tell = None
        self._client.close()

    # What follows is called on the thread of the network.

    def _answered(self, request: Any, answer: Any, error: int) -> None:
        tell = self._tell
        if tell is None or not isinstance(request, GetData | Exists):
            return
        key, f = request.path.removeprefix(f"{ROOT}/"), "arm" if request.watcher else "seen"
        if isinstance(request, GetData):
            if error == 0:
                if request.watcher:
                    self._arm(key)
                tell(f, answer[0].decode(), key=key, version=answer[1].mzxid)
            elif error == _NO_NODE:  # which leaves no watch
                tell("seen", None, key=key)
        elif request.watcher and error == _NO_NODE:
            self._arm(key)
            tell("arm", None, key=key)
        elif request.watcher and error == 0 and key not in self._armed:
            self._half.add(key)

    def _arm(self, key: str) -> None:
        self._half.discard(key)
        self._armed.add(key)

    def _fired(self, event: Any) -> None:
        key = event.path.removeprefix(f"{ROOT}/")
        if event.type not in _OF_KEYS or self._tell is None:
            return
        if key in self._half:
            self._half.discard(key)
        else:
            self._armed.discard(key)
            self._tell("fire", key=key)

    def _dropped(self) -> None:
        self._armed.clear()
        self._half.clear()
        if self._tell is not None:
            self._tell("disarmed")

    def _changed(self, state: Any) -> None:
        if state == KazooState.CONNECTED:
            for stream in list(self._streams.values()):
                stream.begin_anew()


class _Stream:
    """A watch on all keys with a prefix; all that it does is sent and not waited for."""

    def __init__(self, kazoo: KazooClient, prefix: str) -> None:
        self._kazoo, self._prefix = kazoo, prefix
        self._names: set[str] = set()
        self.over = False

    def begin_anew(self) -> None:
        """Leave all watches again, on a new connection."""
        self._names = set()
        self.look()

    def look(self) -> Any:
        """Ask which keys there are, and watch those that are new; return what answers."""
        answer = self._kazoo.get_children_async(ROOT, watch=self._more)
        answer.rawlink(self._found)
        return answer

    def _found(self, answer: Any) -> None:
        if not answer.successful() or self.over:
            return
        for name in answer.value:
            if name.startswith(self._prefix) and name not in self._names:
                self._names.add(name)
                _Key(self, self._kazoo, path_of(name)).arm()

    def _more(self, event: WatchedEvent) -> None:
        if event.type != EventType.NONE and not self.over:
            self.look()


class _Key:
    """One key that a stream watches, from now on."""

    def __init__(self, stream: _Stream, kazoo: KazooClient, path: str) -> None:
        self._stream, self._kazoo, self._path = stream, kazoo, path

    def arm(self) -> None:
        if not self._stream.over:
            self._kazoo.get_async(self._path, watch=self._fired).rawlink(self._got)

    def _fired(self, event: WatchedEvent) -> None:
        if event.type != EventType.NONE:
            self.arm()

    def _got(self, answer: Any) -> None:
        # A read of what is not there leaves no watch.
        if isinstance(answer.exception, NoNodeError) and not self._stream.over:
            self._kazoo.exists_async(self._path, watch=self._fired).rawlink(self._looked)

    def _looked(self, answer: Any) -> None:
        if answer.successful() and answer.value is not None:
            self.arm()
