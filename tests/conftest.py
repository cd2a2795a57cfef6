"""What several tests share: a local cluster, and a way to run the command."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sleepers import Sleepers
from store_servers import consul, etcd

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_nodes
from partita.nemesis import switch

__all__ = ["consul", "etcd"]  # fixtures: each store is started once, when it is first used

Partita = Callable[..., "subprocess.CompletedProcess[str]"]


# What is started in the background of a script ignores Ctrl-C, what `nohup` starts the end of its
# terminal, and so would all that is started here: but tests send both.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a cluster, and skip it where none can be made."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")
        if item.get_closest_marker("cluster") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root: sudo script/test"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[local.LocalCluster]:
    """Five hosts made of namespaces, with sshd and nothing else."""
    with local.cluster_of(5, f"pytest-{os.getpid()}") as made:
        yield made


@pytest.fixture(scope="session")
def nodes(cluster: local.LocalCluster) -> Iterator[list[Node]]:
    """The cluster's nodes, connected."""
    found = local_nodes(cluster)
    yield found
    for node in found:
        node.close()


@pytest.fixture
def sleepers(nodes: list[Node]) -> Iterator[Sleepers]:
    """The cluster's nodes with a store that only sleeps, for faults to strike."""
    system = Sleepers()
    for node in nodes:
        system.start(node, nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes:
        system.kill(node)
        system.wipe(node)


@pytest.fixture
def partita(tmp_path: Path) -> Partita:
    """Run `partita ARGUMENT…` in a folder of its own; returns the completed process."""

    def run(
        *arguments: str, timeout: float = 240, **more: object
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "partita", *arguments]
        return subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **more,
        )

    return run
