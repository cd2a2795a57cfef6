"""The releases of ZooKeeper that can be had: Debian's, and one out of a package of Python's.

A release is told by its class path: what Java is to look through for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from partita.harness.nodes.cluster import Node
from partita.harness.systems import binary as binaries
from partita.harness.systems.pypi import Published
from partita.harness.systems.releases import Source
from partita.harness.systems.system import StoreError

JAVA = "default-jre-headless"
# Debian's jar comes without a way to log; the second one writes to stderr.
DEBIANS = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"
# Spark brings ZooKeeper along, and 300 other jars. These are what a server needs of them.
NEEDED = (
    *("zookeeper-*", "slf4j-api-*", "log4j-api-*", "log4j-core-*", "log4j-slf4j2-impl-*"),
    *("commons-cli-*", "commons-io-*", "metrics-core-*", "snappy-java-*", "audience-annotations-*"),
    *("netty-buffer-*", "netty-common-*", "netty-handler-4*", "netty-transport-4*"),
)


@dataclass(frozen=True, slots=True)
class Debians:
    """What Debian's packages install."""

    def fetch(self) -> None:
        pass

    def put(self, node: Node, name: str) -> str:
        node.install_packages(["zookeeper", JAVA])
        return DEBIANS


@dataclass(frozen=True, slots=True)
class Jars:
    """Jars out of a package, which lie on the node in a folder of their own."""

    published: Published

    def fetch(self) -> None:
        self.published.fetched()

    def put(self, node: Node, name: str) -> str:
        node.install_packages([JAVA])
        jars = sorted(self.published.fetched().glob("*.jar"))
        return binaries.put_all(node, name, {each.name: each for each in jars}) + "/*"


SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        "3.8.0": Debians(),
        "3.9.3": Jars(
            Published(
                "pyspark",
                "4.0.0",
                "pyspark-4.0.0/deps/jars",
                ("38db1b4f6095a080d7605e578d775528990e66dc326311d93e94a71cfc24e5a5",),
                NEEDED,
            )
        ),
    }
)


def installed(node: Node, class_path: str) -> str:
    """Say which release that is. Raises `StoreError` if it does not run."""
    if class_path == DEBIANS:
        query = ["dpkg-query", "-W", "-f", "${Version}", "zookeeper"]
        return node.run(query).stdout.strip()
    asked = ["java", "-cp", class_path, "org.apache.zookeeper.version.VersionInfoMain"]
    # "Apache ZooKeeper, version 3.9.3 2024-10-17 …"
    words = node.run(asked, check=False).stdout.split()
    if "version" not in words[:-1]:
        raise StoreError(f"{class_path} does not run on {node.name}: is it ZooKeeper?")
    return words[words.index("version") + 1]
