"""Redis with Sentinel, from Debian's package: a primary, its replicas, and a Sentinel on each node.

Replication is asynchronous, and Sentinel makes a replica the primary when most Sentinels miss the
old one. Redis says what that means: acknowledged writes may be lost, and last failover wins
(https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/). So nothing is promised.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal

from partita.checker.settings import Setting
from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.redis_collections import RedisCollections
from partita.harness.systems.redis_locks import RedisLocks
from partita.harness.systems.redis_primary import GROUP, PORT, SENTINEL_PORT, Primary
from partita.harness.systems.resp import Resp
from partita.workloads.client import Answer, Client, Definite, Indefinite, Mismatch

NAME = "redis"
SENTINEL = "redis-sentinel"  # its daemon's name
HOME = f"{FOLDER}/{NAME}"
SENTINEL_HOME = f"{FOLDER}/{SENTINEL}"
PROGRAM = "/usr/bin/redis-server"
STATUS_S = 1.0

PROMISES: Mapping[str, str | None] = MappingProxyType(
    {"linearizability": None, "sessions": None, "delivery": None, "holders": None}
)

CONFIG = """\
port {port}
bind {address}
protected-mode no
dir {home}/data
appendonly yes
appendfsync {appendfsync}
save ""
repl-diskless-sync-delay 0
min-replicas-to-write {least}
min-replicas-max-lag {lag}
{of}
"""
SENTINEL_CONFIG = """\
port {port}
bind {address}
protected-mode no
dir {home}
sentinel monitor {group} {first} {redis} {quorum}
sentinel down-after-milliseconds {group} {down_after_ms}
sentinel failover-timeout {group} {failover_ms}
sentinel parallel-syncs {group} 1
"""
# Written once: Redis and Sentinel themselves write there what they have become.
ONCE = '[ -e "$1" ] || { mkdir -p "${1%/*}" "${1%/*}/data"; cat > "$1"; }'

_CAS = """
local held = redis.call('GET', KEYS[1])
local expected = ARGV[1] == 'some' and ARGV[2] or false
if held ~= expected then return {0, held} end
redis.call('SET', KEYS[1], ARGV[3])
return {1}
"""


class Redis:
    """The system `redis`: Redis and Sentinel on each node.

    `wait` is the number of replicas that must have a change before it counts as acknowledged,
    `min_replicas` the number that the primary must be in touch with to take it at all.
    """

    name = NAME
    alarms = ("=== REDIS BUG REPORT START", "=== ASSERTION FAILED ===", "Guru Meditation")

    def __init__(
        self,
        wait: Annotated[
            int, Setting("Replicas that a change waits for (WAIT).", least=0, most=100)
        ] = 0,
        min_replicas: Annotated[
            int, Setting("Redis's min-replicas-to-write.", least=0, most=100)
        ] = 0,
        appendfsync: Annotated[
            Literal["always", "everysec", "no"], Setting("When the log is put on the disk.")
        ] = "everysec",
        down_after: Annotated[
            float,
            Setting("Seconds of silence after which a Sentinel takes a node for lost.", 0.1, 600),
        ] = 2.0,
        server_args: binaries.Arguments = (),
    ) -> None:
        self._wait, self._min_replicas, self._appendfsync = wait, min_replicas, appendfsync
        self._down_after_ms = round(down_after * 1000)
        self._arguments = list(server_args)

    def install(self, node: Node) -> None:
        node.install_packages(["redis-server"])

    def versions(self, node: Node) -> str:
        # "Redis server v=7.0.15 sha=00000000:0 …"
        said = node.run([PROGRAM, "--version"]).stdout.split()
        return next((word[2:] for word in said if word.startswith("v=")), "not said")

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        first = nodes[0]
        config, sentinels = f"{HOME}/redis.conf", f"{SENTINEL_HOME}/sentinel.conf"
        self._write_once(node, config, self._configuration(node, first))
        self._write_once(node, sentinels, self._sentinel_configuration(node, nodes))
        node.start_daemon(NAME, [PROGRAM, config, *self._arguments])
        node.start_daemon(SENTINEL, [PROGRAM, sentinels, "--sentinel"])

    def healthy(self, node: Node) -> bool:
        """Say whether it leads or follows, and whether enough Sentinels know each other."""
        role = _asked(node, PORT, "ROLE")
        linked = bool(role) and (role[0] == "master" or role[3] == "connected")
        said = _asked(node, SENTINEL_PORT, "SENTINEL", "CKQUORUM", GROUP)
        return linked and isinstance(said, str) and said.startswith("OK")

    def running(self, node: Node) -> bool:
        return node.daemon_runs(NAME)

    def stop(self, node: Node) -> None:
        node.stop_daemon(SENTINEL)
        node.stop_daemon(NAME)

    def kill(self, node: Node) -> None:
        node.stop_daemon(SENTINEL, signal="KILL")
        node.stop_daemon(NAME, signal="KILL")

    def pause(self, node: Node) -> None:
        node.signal_daemon(SENTINEL, "STOP")
        node.signal_daemon(NAME, "STOP")

    def resume(self, node: Node) -> None:
        node.signal_daemon(NAME, "CONT")
        node.signal_daemon(SENTINEL, "CONT")

    def wipe(self, node: Node) -> None:
        node.wipe(SENTINEL)
        node.wipe(NAME)

    def data(self, node: Node) -> str:
        return f"{HOME}/data"

    def files(self, node: Node) -> Mapping[str, str]:
        return {"log": f"{HOME}/data/appendonlydir/*.aof"}

    def logs(self, node: Node) -> Sequence[str]:
        return [f"{HOME}/output.log", f"{SENTINEL_HOME}/output.log"]

    def peer_ports(self, node: Node) -> Sequence[int]:
        return (PORT, SENTINEL_PORT)

    def client(self, node: Node, timeout: float) -> Client:
        return RedisClient(Primary(node.address, timeout, self._wait))

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def collections(node: Node, timeout: float) -> Client:
            return RedisCollections(Primary(node.address, timeout, self._wait))

        def locks(node: Node, timeout: float) -> Client:
            # A renewal that was given up must not arrive later.
            connect = partial(Primary, node.address, timeout, self._wait, lingers=False)
            return RedisLocks(connect)

        return {
            "registers": self.client,
            "queues": collections,
            "sets": collections,
            "locks": locks,
        }

    @property
    def replicas(self) -> Mapping[str, Callable[[Node, float], Client]]:
        def own(node: Node, timeout: float) -> Client:
            return RedisReplica(node.address, timeout)

        return {"registers": own, "sets": own}

    def promises(self, capability: str) -> Mapping[str, str | None]:
        return PROMISES

    def primaries(self, nodes: Sequence[Node]) -> list[str]:
        """Return who takes itself for the primary, whom most Sentinels name first."""

        def looked(node: Node) -> tuple[bool, str]:
            role = _asked(node, PORT, "ROLE")
            named = _asked(node, SENTINEL_PORT, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP)
            return bool(role) and role[0] == "master", named[0] if named else ""

        with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
            found = list(pool.map(looked, nodes))
        named = [address for _, address in found]
        leading = [node for node, (leads, _) in zip(nodes, found, strict=True) if leads]
        leading.sort(key=lambda node: -named.count(node.address))
        return [node.name for node in leading]

    def _configuration(self, node: Node, first: Node) -> str:
        follows = f"replicaof {first.address} {PORT}" if node.name != first.name else ""
        return CONFIG.format(
            port=PORT,
            address=node.address,
            home=HOME,
            appendfsync=self._appendfsync,
            least=self._min_replicas,
            lag=max(1, self._down_after_ms // 1000),
            of=follows,
        )

    def _sentinel_configuration(self, node: Node, nodes: Sequence[Node]) -> str:
        return SENTINEL_CONFIG.format(
            port=SENTINEL_PORT,
            address=node.address,
            home=SENTINEL_HOME,
            group=GROUP,
            first=nodes[0].address,
            redis=PORT,
            quorum=len(nodes) // 2 + 1,
            down_after_ms=self._down_after_ms,
            failover_ms=10 * self._down_after_ms,
        )

    def _write_once(self, node: Node, path: str, content: str) -> None:
        node.run(["sh", "-c", ONCE, "write", path], stdin=content.encode())


class RedisClient:
    """A client of registers, at the primary that its node's Sentinel knows."""

    def __init__(self, primary: Primary) -> None:
        self._primary = primary

    def read(self, key: str) -> Answer:
        return Answer(self._primary.read("GET", key))

    def write(self, key: str, value: str) -> None:
        self._primary.change("SET", key, value)

    def cas(self, key: str, old: str | None, new: str) -> None:
        expected = ("none", "") if old is None else ("some", old)
        done, *met = self._primary.change("EVAL", _CAS, 1, key, *expected, new)
        if not done:
            raise Mismatch(met[0] if met else None, known=True)

    def close(self) -> None:
        self._primary.close()


class RedisReplica:
    """Reads what a node has itself, whether it is the primary or not."""

    def __init__(self, address: str, timeout: float) -> None:
        self._connection = Resp(address, PORT, timeout)

    def read(self, key: str) -> Answer:
        return Answer(self._connection.ask("GET", key, reads=True))

    def members(self, key: str) -> list[str]:
        found: list[str] = self._connection.ask("SMEMBERS", key, reads=True)
        return found

    def close(self) -> None:
        self._connection.close()


def _asked(node: Node, port: int, *words: str) -> Any:
    """Ask a node's Redis or Sentinel; None if it does not answer, or refuses."""
    try:
        connection = Resp(node.address, port, STATUS_S)
    except Definite:
        return None
    try:
        return connection.ask(*words, reads=True)
    except (Definite, Indefinite):
        return None
    finally:
        connection.close()
