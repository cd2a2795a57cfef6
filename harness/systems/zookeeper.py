"""Apache ZooKeeper, from Debian's package.

The node's folder holds configuration, data and logs; Debian's own configuration and service are
not used. Clients are kazoo's, each connected to its own node only.
"""

import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NodeExistsError, NoNodeError

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import Node
from partita.harness.systems.releases import Released, one_of
from partita.harness.systems.zookeeper_answers import UNSURE, kazoo_for, path_of, said
from partita.harness.systems.zookeeper_collections import ZooKeeperCollections
from partita.harness.systems.zookeeper_config import (
    ELECTION_PORT,
    HOME,
    NAME,
    PORT,
    QUORUM_PORT,
    ZOO_CFG,
    hosts,
    mode_of,
)
from partita.harness.systems.zookeeper_elections import ZooKeeperElections
from partita.harness.systems.zookeeper_leases import ZooKeeperLeases
from partita.harness.systems.zookeeper_lock_session import LEAST_TTL_S
from partita.harness.systems.zookeeper_locks import ZooKeeperLocks
from partita.harness.systems.zookeeper_members import ZooKeeperMembers
from partita.harness.systems.zookeeper_releases import SOURCES, installed
from partita.harness.systems.zookeeper_sessions import ZooKeeperSession
from partita.harness.systems.zookeeper_transactions import ZooKeeperTransactions
from partita.harness.systems.zookeeper_watches import ZooKeeperWatches
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch, Tell

SESSION_S = 10.0

# For slf4j-simple, and for log4j: all that they write goes to output.log.
LOGGING = (
    "-Dlog4j2.level=INFO",
    "-Duser.timezone=UTC",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)


# By how it reads. What a session reads without a sync may be old, but is never older than what it
# has seen; all writes stand in one order (https://zookeeper.apache.org/doc/r3.8.0/,
# "Consistency Guarantees").
PROMISES: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "sync": {
            "linearizability": "linearizable",
            "sessions": "linearizable",
            "transactions": "strict-serializable",
        },
        "local": {
            "linearizability": None,
            "sessions": "ordered-sequential",
            # Keys that are read one after the other are not read at one moment.
            "transactions": "read-committed",
            "bank": None,
        },
    }
)


class ZooKeeper(Released):
    """The system `zookeeper`.

    `reads`: "sync" asks the leader to bring the node up to date before each read; "local" takes
    what the connected server has, which ZooKeeper says may be old. `version` is Debian's, unless
    another is asked for. `server_args` are options of Java, by which ZooKeeper's own properties
    are set.
    """

    name = NAME
    # Not what it calls severe and unrecoverable: it says so whenever a leader goes, and goes on.
    alarms = (
        "Unexpected exception, exiting abnormally",
        "Exiting JVM with code [1-9]",
        r"java\.lang\.(AssertionError|OutOfMemoryError)",
    )
    shortest_session_s = LEAST_TTL_S

    def __init__(
        self,
        reads: Annotated[
            Literal["sync", "local"],
            Setting("Whether a read has its server catch up with the leader first."),
        ] = "sync",
        version: Annotated[
            Literal["3.8.0", "3.9.3"] | None, Setting("The release to run (Debian's).")
        ] = None,
        server_args: Annotated[
            Sequence[str], Setting('For Java: "-Dzookeeper.NAME=VALUE".', metavar="WORDS")
        ] = (),
    ) -> None:
        self.reads = reads
        self._arguments = list(server_args)
        self._version = version
        self._members = ZooKeeperMembers()
        self._releases = one_of(NAME, SOURCES, version, None)

    def versions(self, node: Node) -> str:
        return installed(node, self._releases.path(node))

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        self._members.configure(node, nodes)
        java = ["java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", *LOGGING]
        java += ["-cp", self._releases.path(node), *self._members.arguments, *self._arguments]
        main = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
        node.start_daemon(NAME, [*java, main, ZOO_CFG])

    def foresee(self, needs: Collection[str]) -> None:
        self._members.foresee(needs)

    def members(self, node: Node) -> Sequence[str]:
        return self._members.voters(node)

    def add(self, node: Node, asked: Node) -> None:
        self._members.add(node, asked)

    def remove(self, node: Node, asked: Node) -> None:
        self._members.remove(node, asked)

    def files(self, node: Node) -> Mapping[str, str]:
        kept = f"{HOME}/data/version-2"
        return {"log": f"{kept}/log.*", "snapshot": f"{kept}/snapshot.*"}

    def healthy(self, node: Node) -> bool:
        return mode_of(node) is not None

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (ELECTION_PORT, QUORUM_PORT)

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    def client(self, node: Node, timeout: float) -> Client:
        return ZooKeeperClient(node.address, timeout, self.reads)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def collections(node: Node, timeout: float) -> Client:
            return ZooKeeperCollections(ZooKeeperClient(node.address, timeout, self.reads))

        def elections(node: Node, timeout: float) -> Client:
            return ZooKeeperElections(hosts(node.address), timeout)

        def locks(node: Node, timeout: float) -> Client:
            return ZooKeeperLocks(hosts(node.address), timeout)

        def transactions(node: Node, timeout: float) -> Client:
            return ZooKeeperTransactions(ZooKeeperClient(node.address, timeout, self.reads))

        def leases(node: Node, timeout: float) -> Client:
            client = ZooKeeperClient(node.address, timeout, self.reads)

            def opened(ttl: float, tell: Tell) -> ZooKeeperSession:
                return ZooKeeperSession(hosts(node.address), ttl, timeout, tell)

            return ZooKeeperLeases(client, timeout, opened)

        def watches(node: Node, timeout: float) -> Client:
            return ZooKeeperWatches(partial(ZooKeeperClient, node.address, timeout, self.reads))

        return {
            "registers": self.client,
            "elections": elections,
            "locks": locks,
            "queues": collections,
            "sets": collections,
            "transactions": transactions,
            "leases": leases,
            "watches": watches,
        }

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return ZooKeeper(reads="local").offers

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES[self.reads]

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
            modes = list(pool.map(mode_of, nodes))
        claims = [(mode[1], n.name) for n, mode in zip(nodes, modes, strict=True) if mode]
        leading = [n.name for n, m in zip(nodes, modes, strict=True) if m and m[0] == "leader"]
        return [name for _, name in sorted(claims, reverse=True) if name in leading]


class ZooKeeperClient:
    """One connection to one server. Registers are znodes below /partita.

    A request may still be sent or take effect after its time-out (kazoo keeps it in its queue),
    so a write whose answer did not come is indefinite, and the caller throws the client away.
    """

    def __init__(
        self,
        address: str,
        timeout: float,
        reads: str,
        prepare: Callable[[KazooClient], object] = lambda _: None,
    ) -> None:
        """`prepare` is given kazoo's client before it connects."""
        self._timeout = timeout
        self._until = 0.0
        self.synced = reads == "sync"
        self._versions: dict[str, tuple[str, int]] = {}
        self.kazoo = kazoo_for(hosts(address), SESSION_S)
        prepare(self.kazoo)
        if not self.kazoo.start_async().wait(timeout):
            self.close()
            raise Definite("no session: the server does not serve")

    def read(self, key: str) -> Answer:
        self.begin()
        try:
            return self._get(key, synced=self.synced)
        except UNSURE as error:
            raise Indefinite(said(error)) from error

    def write(self, key: str, value: str) -> Answer:
        self.begin()
        try:
            return self._made(self.wait(self.kazoo.set_async(path_of(key), value.encode(), -1)))
        except NoNodeError:
            return self._create(key, value, may_exist=True)
        except UNSURE as error:
            raise Indefinite(said(error)) from error

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        """Set the znode if its version is the one under which `old` was read.

        A value once replaced has another version for ever, so a bad version is a true
        mismatch. A value that was read from a server that lags is not: it is read again
        after a sync before a mismatch is declared.
        """
        self.begin()
        seen = self._versions.get(key)
        if seen is None or seen[0] != old:
            seen = self._look(key, old)
        if seen is None:
            return self._create(key, new, may_exist=False)
        try:
            return self._made(self.wait(self.kazoo.set_async(path_of(key), new.encode(), seen[1])))
        except (BadVersionError, NoNodeError):
            self._versions.pop(key, None)
            raise Mismatch from None
        except UNSURE as error:
            raise Indefinite(said(error)) from error

    def move(self, address: str) -> None:
        """Take the session to another server, as kazoo does by itself if it knows several.

        The server is told how much the session has seen, and refuses it if it has less itself.
        """
        self.kazoo.set_hosts(hosts(address))
        wanted = {info[4][0] for info in socket.getaddrinfo(address, PORT)}
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            connection = self.kazoo._connection._socket
            with suppress(OSError):  # it is just being made, or just gone
                if connection is not None and connection.getpeername()[0] not in wanted:
                    # kazoo looks for another server only when the present one is gone.
                    connection.shutdown(socket.SHUT_RDWR)
                elif connection is not None and self.kazoo.connected:
                    return
            time.sleep(0.02)
        raise Definite("the session was not taken in: the server does not serve, or lags behind it")

    def close(self) -> None:
        """Let the session go without waiting for a server that may not answer."""

        def let_go() -> None:
            with suppress(Exception):
                self.kazoo.stop()
                self.kazoo.close()

        threading.Thread(target=let_go, daemon=True).start()

    def _look(self, key: str, old: str | None) -> tuple[str, int] | None:
        """Return the value and version to replace, None if there is to be none yet."""
        try:
            actual = self._get(key, synced=self.synced)
            if actual.value != old and not self.synced:
                actual = self._get(key, synced=True)
        except UNSURE as error:
            raise Definite(f"could not look before the cas: {said(error)}") from error
        if actual.value != old:
            raise Mismatch(actual.value, known=True, version=actual.version)
        return None if actual.value is None else self._versions[key]

    def _get(self, key: str, *, synced: bool) -> Answer:
        path = path_of(key)
        if synced:
            self.wait(self.kazoo.sync_async(path))
        try:
            data, stat = self.wait(self.kazoo.get_async(path))
        except NoNodeError:
            self._versions.pop(key, None)
            return Answer(None, fields=self._session())
        text: str = data.decode()
        self._versions[key] = (text, stat.version)
        return self._made(stat)._replace(value=text)

    def _create(self, key: str, value: str, *, may_exist: bool) -> Answer:
        path = path_of(key)
        try:
            made = self.kazoo.create_async(path, value.encode(), makepath=True, include_data=True)
            return self._made(self.wait(made)[1])
        except NodeExistsError:
            if not may_exist:
                raise Mismatch from None
            return self.write(key, value)
        except UNSURE as error:
            raise Indefinite(said(error)) from error

    def _made(self, stat: Any) -> Answer:
        """Return the zxid of a znode's last change: one order of all changes to all znodes."""
        return Answer(version=stat.mzxid, fields=self._session())

    def _session(self) -> dict[str, str]:
        identity = self.kazoo.client_id
        return {} if identity is None else {"session": f"{identity[0]:#x}"}

    def begin(self) -> None:
        """Start the call's clock. Refuse to queue what could not be sent: it never left us."""
        if not self.kazoo.connected:
            raise Definite("not connected")
        self._until = time.monotonic() + self._timeout

    def wait(self, answer: Any) -> Any:
        """Wait for an answer of kazoo's, no longer than the call may take."""
        return answer.get(timeout=max(0.0, self._until - time.monotonic()))
