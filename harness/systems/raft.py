"""The raft example (`examples/raft/`): the store that is always at hand.

It needs nothing but Python on the node, and can be told to make a mistake.
"""

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.connection import Connection, ask_all, host_port
from partita.harness.systems.daemon import Daemon
from partita.harness.systems.over_registers import offered
from partita.harness.systems.python import require_python
from partita.harness.systems.raft_leases import RaftLeases
from partita.harness.systems.raft_locks import RaftLocks
from partita.harness.systems.raft_sessions import BEAT_S
from partita.harness.systems.raft_transactions import RaftTransactions
from partita.harness.systems.raft_watches import RaftWatches
from partita.harness.systems.renewals import Over
from partita.harness.systems.system import StoreError
from partita.workloads.client import (
    UNKNOWN_VERSION,
    Answer,
    Client,
    Definite,
    Indefinite,
    Mismatch,
    Refused,
)

PORT = 7000
LOOK_S, CHANGE_S = 2.0, 1.5
READS = ("read", "status", "observe", "sync", "list", "watch")
NAME = "raft"
HOME = f"{FOLDER}/{NAME}"
PROGRAM = f"{FOLDER}/{NAME}-server"  # beside HOME, which is deleted before each run
_IN_CLONE = Path(__file__).resolve().parents[2] / "examples" / "raft"
_IN_WHEEL = Path(__file__).parent / "raft_server"  # see CMakeLists.txt
SOURCES = _IN_CLONE if _IN_CLONE.is_dir() else _IN_WHEEL

Reads = Literal["linearizable", "local", "sync"]

# Each mistake that the store can be told to make, and what is wrong about it.
BUGS: Mapping[str, str] = MappingProxyType(
    {
        "stale-follower-read": "Every node answers reads from its own state, however far behind.",
        "stale-leader-read": "A leader answers reads without asking whether it still leads.",
        "ack-early": "The leader acknowledges what only its own disk has.",
        "lost-log": "The log is never flushed, so that a kill loses its end.",
        "no-fsync": "The log is never put on the disk, so that a power cut loses its end.",
        "fsync-error-ignored": "A node whose disk fails goes on as if it had its log.",
        "lease-by-wall-clock": "A leader answers reads alone while a lease runs by its wall clock.",
        "torn-log-accepted": "A record of the log that was half written is taken for a whole one.",
        "snapshot-drops-tail": "A snapshot makes a follower forget entries that come after it.",
        "double-vote": "A node forgets that it has voted in this term, and votes again.",
        "vote-not-synced": "A vote is never put on the disk, so that a power cut takes it back.",
        "commit-earlier-term": "An entry of an earlier term counts as committed once a majority "
        "has it.",
        "apply-twice": "A command sent again after its answer got lost is carried out again.",
        "retry-applied-twice": "Only who led knows that a command was done already.",
        "cas-early-check": "A cas is compared when it arrives, not when it is applied.",
        "definite-timeout": "A write that timed out is said to have failed, though it may commit.",
        "split-brain": "The leader takes a majority of the nodes that answer for one of all.",
        "config-two-at-once": "A leader changes the members again before that is committed.",
        "own-write-unseen": "A local read does not wait for what its client has written or seen.",
        "session-goes-back": "What a client has seen at another node counts for nothing.",
        "sync-noop": "A sync is answered from what a node has, however far behind.",
        "txn-split": "Each operation of a transaction is an entry of its own in the log.",
        "txn-read-early": "A transaction reads when it arrives; only what it writes is compared.",
        "txn-no-compare": "A transaction reads when it arrives, and writes without comparing.",
        "txn-torn-read": "A transaction that only reads does so key by key.",
        "txn-no-rollback": "A transaction that is refused half-way leaves its first writes.",
        "txn-dirty-read": "What the leader's log holds can be read before it is committed.",
        "txn-peek": "A read may come between two writes of one transaction.",
        "txn-stale-follower": "Every node answers transactions that only read, however far behind.",
        "txn-two-queues": "Followers apply two kinds of keys from separate queues.",
        "txn-apply-twice": "A transaction sent again is carried out again.",
        "txn-wrong-revision": "An answer tells the index of the request, not of the commit.",
        "lock-early-check": "Whether a lock is free is decided on arrival, not when applied.",
        "lock-local": "A leader that is cut off grants locks from its own state.",
        "token-restarts": "Tokens are counted, and each leader begins with 1 again.",
        "grant-to-the-dead": "Who waits for a lock is granted it though its session is over.",
        "release-any": "A release does not compare the token: it frees whoever holds the lock.",
        "two-leaders-a-term": "Who leads, and in which term, is decided on arrival.",
        "lease-from-open": "Renewals that come through a follower do not reach the timer.",
        "beat-unlogged": "A leader renews sessions by itself, even if it leads no more.",
        "close-leaves": "Closing a session leaves its entries.",
        "expire-here": "A session that runs out does so on the leader only, and not in the log.",
        "orphan-after-election": "What belongs to a session is in its leader's memory only.",
        "watch-latest-only": "Of several changes of a key a watch tells the last one only.",
        "watch-uncommitted": "Watches tell of changes before they are committed.",
        "watch-inclusive": "A watch that goes on tells the last change again.",
        "watch-forgotten": "Watches are forgotten when another node leads; nobody is told.",
        "version-local": "A node that has begun with a snapshot counts versions by itself.",
    }
)


# Whatever it reads.
KEPT = {"holders": "exclusive", "leases": "kept", "watches": "reliable"}
# By how it reads: a local read waits until the node has what its client has seen, which after a
# sync is all that was acknowledged before.
STRICT = {
    "linearizability": "linearizable",
    "sessions": "linearizable",
    "transactions": "strict-serializable",
    **KEPT,
}
PROMISES: Mapping[str, Mapping[str, str | None]] = MappingProxyType(
    {
        "linearizable": STRICT,
        "sync": STRICT,
        "local": {
            "linearizability": None,
            "sessions": "ordered-sequential",
            "transactions": "strong-session-serializable",
            **KEPT,
        },
    }
)


class Raft(Daemon):
    """The system `raft`. `bug` is the name of a mistake to make, `server_args` go to the server."""

    name = NAME
    alarms = ("^AssertionError", "^MemoryError")

    def __init__(
        self,
        reads: Annotated[
            Reads,
            Setting(
                "Who answers a read: the leader after it asked a majority, the connected node, "
                "or that one after a sync."
            ),
        ] = "linearizable",
        bug: Annotated[
            str | None, Setting("A mistake for it to make: partita selftest --help.")
        ] = None,
        next_release: Annotated[
            Path | None,
            Setting("Sources of a next release, for upgrade and downgrade.", metavar="FOLDER"),
        ] = None,
        server_args: binaries.Arguments = (),
    ) -> None:
        if bug is not None and bug not in BUGS:
            raise StoreError(f"raft has no --bug {bug}: choose from {', '.join(BUGS)}")
        self.reads = reads
        # Where the sources of each release lie here, and which one each node is to run.
        # A client node, which has neither, is told of it as a text.
        self._sources = {"this": SOURCES} | ({"next": Path(next_release)} if next_release else {})
        self._chosen: dict[str, str] = {}
        self._joins: set[str] = set()  # who was taken in, and did not begin the cluster
        self._arguments = [*(["--bug", bug] if bug else []), *server_args]

    def fetch(self) -> None:
        """See to it that the sources are here, before any node is made."""
        for folder in self._sources.values():
            if not (folder / "server.py").is_file():
                raise StoreError(f"no server.py in {folder}: --next-release takes its folder")

    def install(self, node: Node) -> None:
        require_python(node, "raft")
        self._chosen.pop(node.name, None)
        self.bring(node, "this")

    def versions(self, node: Node) -> str:
        python = node.run(["python3", "--version"]).stdout.strip()
        release = self._chosen.get(node.name, "this")
        return python if release == "this" else f"{release} release, {python}"

    @property
    def releases(self) -> Sequence[str]:
        """The releases there are: this is an attribute only if there are two."""
        if len(self._sources) < 2:
            raise AttributeError("raft has one release: --next-release names another one")
        return tuple(self._sources)

    def bring(self, node: Node, release: str) -> None:
        if release not in self._sources:
            raise StoreError(
                f"raft has no release {release}: choose from {', '.join(self._sources)}"
            )
        node.run(["mkdir", "-p", _program(release)])
        node.run(["tar", "-x", "-C", _program(release)], stdin=_packed(self._sources[release]))

    def choose(self, node: Node, release: str) -> None:
        self._chosen[node.name] = release

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        program = _program(self._chosen.get(node.name, "this"))
        command = ["python3", f"{program}/server.py", "--id", node.name]
        command += ["--listen", host_port(node.address, PORT), "--data", f"{HOME}/data"]
        for peer in nodes:
            if peer.name != node.name:
                command += ["--peer", f"{peer.name}={host_port(peer.address, PORT)}"]
        command += ["--join"] if node.name in self._joins else []
        node.start_daemon(NAME, [*command, *self._arguments])

    def wipe(self, node: Node) -> None:
        super().wipe(node)
        self._joins.discard(node.name)

    def members(self, node: Node) -> Sequence[str]:
        client = RaftClient(node.address, LOOK_S)
        try:
            return list(client.status()["members"])
        finally:
            client.close()

    def add(self, node: Node, asked: Node) -> None:
        self._joins.add(node.name)
        _change(asked, "add", node=node.name, address=host_port(node.address, PORT))

    def remove(self, node: Node, asked: Node) -> None:
        _change(asked, "remove", node=node.name)

    def files(self, node: Node) -> Mapping[str, str]:
        return {"log": f"{HOME}/data/journal.jsonl"}

    def healthy(self, node: Node) -> bool:
        client = RaftClient(node.address, 2.0)
        try:
            client.read("healthy")
        except Definite:
            return False
        finally:
            client.close()
        return True

    def client(self, node: Node, timeout: float) -> Client:
        return RaftClient(node.address, timeout, reads=self.reads)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def transactions(node: Node, timeout: float) -> Client:
            return RaftTransactions(RaftClient(node.address, timeout, reads=self.reads))

        # A renewal that was given up must not arrive later: the session would live longer than
        # anybody knows.
        def session(node: Node, timeout: float) -> Callable[[], RaftClient]:
            return partial(RaftClient, node.address, min(timeout, BEAT_S), lingers=False)

        def locks(node: Node, timeout: float) -> Client:
            client = RaftClient(node.address, timeout)
            return RaftLocks(client, session(node, timeout), timeout)

        def leases(node: Node, timeout: float) -> Client:
            return RaftLeases(RaftClient(node.address, timeout), session(node, timeout))

        def watches(node: Node, timeout: float) -> Client:
            connect = partial(RaftClient, node.address, timeout)
            return RaftWatches(connect(), connect)

        return {
            **offered(self.client),
            "elections": locks,
            "leases": leases,
            "locks": locks,
            "transactions": transactions,
            "watches": watches,
        }

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return Raft(reads="local").offers

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES[self.reads]

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        said = ask_all([node.address for node in nodes], PORT, "POST", "/status", b"{}")
        leading = [
            (status["term"], status["id"])
            for status in said
            if status and status["role"] == "leader"
        ]
        return [name for _, name in sorted(leading, reverse=True)]


class RaftClient:
    """One client of one node; its name and its numbers let the store know a command again.

    If its reads are `local`, it tells the node with each what it has seen. If they are `sync`, it
    first asks how far all that was acknowledged goes, and has seen that then.
    """

    def __init__(
        self,
        host: str,
        timeout: float,
        port: int = PORT,
        *,
        reads: Reads = "linearizable",
        lingers: bool = True,
    ) -> None:
        self._timeout, self._port, self._reads = timeout, port, reads
        self._seen = 0
        self._connection = Connection(host, port, timeout, lingers=lingers)
        # The node answers a little earlier than we give up, since it knows what is certain.
        self._patience = 0.9 * timeout
        self._name = uuid.uuid4().hex
        self._number = 0

    def read(self, key: str) -> Answer:
        said = self.ask("read", key=key, **self._told())
        return Answer(said["value"], _version(said))

    def write(self, key: str, value: str) -> Answer:
        return Answer(version=_version(self.ask("write", key=key, value=value)))

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        return Answer(version=_version(self.ask("cas", key=key, old=old, value=new)))

    def transact(self, operations: list[list[Any]]) -> dict[str, Any]:
        """Carry operations out together; return what the store answers."""
        return self.ask("txn", ops=operations, **self._told())

    def move(self, address: str) -> None:
        """Go on at another node; what was seen so far is told there."""
        self._connection.close()
        self._connection = Connection(address, self._port, self._timeout)

    def recover(self) -> None:
        """Let the connection go; the next request makes another one, and tells what was seen."""
        self._connection.close()

    def close(self) -> None:
        self._connection.close()

    def status(self) -> dict[str, Any]:
        """Return the node's name, role, term, leader and indexes."""
        return self.send("status", {})[1]

    def send(self, request: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Send any request; return status and answer."""
        reads = request in READS
        text = json.dumps(body).encode()
        status, answer = self._connection.request("POST", f"/{request}", text, reads=reads)
        return status, json.loads(answer)

    def _told(self) -> dict[str, int]:
        if self._reads == "sync":
            self.ask("sync")
        return {} if self._reads == "linearizable" else {"seen": self._seen}

    def ask(self, f: str, /, **fields: Any) -> dict[str, Any]:
        """Have a request carried out; return the store's answer."""
        self._number += 1
        who = {"client": self._name, "number": self._number, "timeout": self._patience}
        status, answer = self.send(f, fields | who)
        self._seen = max(self._seen, answer.get("version", 0))
        if status == 200:
            return answer
        reason: str = answer["error"]
        if reason == "mismatch":
            raise Mismatch(answer["actual"], known=True, version=_version(answer))
        if status == 409 and answer.get("definite"):
            raise (Over if answer.get("over") else Refused)(reason)
        raise (Definite if answer.get("definite") else Indefinite)(reason)


def _change(asked: Node, f: str, **fields: str) -> None:
    client = RaftClient(asked.address, CHANGE_S)
    try:
        client.ask(f, **fields)
    finally:
        client.close()


def _version(answer: dict[str, Any]) -> int:
    """Return the log index of the update that made the value; 0 stands for no update."""
    return int(answer["version"]) or UNKNOWN_VERSION


def _program(release: str) -> str:
    """Return where a release lies on a node."""
    return PROGRAM if release == "this" else f"{PROGRAM}-{release}"


def _packed(folder: Path) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for source in sorted(folder.glob("*.py")):
            archive.add(source, source.name)
    return packed.getvalue()
