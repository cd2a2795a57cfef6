"""What stores have in common that are one daemon on each node, started by `node.start_daemon`.

A base for the systems that come with Partita; a user's own class need not know it: what such a
class leaves out is filled in from here (see `completion.py`).
"""

from collections.abc import Callable, Mapping, Sequence

from partita.harness.nodes.cluster import FOLDER, Node
from partita.harness.systems.over_registers import offered
from partita.workloads.client import Client


class Daemon:
    """A store whose process is called `name` and keeps everything in its folder on the node."""

    name: str

    @property
    def offers(self) -> Mapping[str, Callable[[Node, float], Client]]:
        return offered(self.client)

    def client(self, node: Node, timeout: float) -> Client:
        raise NotImplementedError(f"{self.name} says nothing about its clients")

    def install(self, node: Node) -> None:
        pass

    def versions(self, node: Node) -> str:
        return "not said"

    def running(self, node: Node) -> bool:
        return node.daemon_runs(self.name)

    def stop(self, node: Node) -> None:
        node.stop_daemon(self.name)

    def kill(self, node: Node) -> None:
        node.stop_daemon(self.name, signal="KILL")

    def pause(self, node: Node) -> None:
        node.signal_daemon(self.name, "STOP")

    def resume(self, node: Node) -> None:
        node.signal_daemon(self.name, "CONT")

    def wipe(self, node: Node) -> None:
        node.wipe(self.name)

    def data(self, node: Node) -> str:
        return f"{FOLDER}/{self.name}/data"

    def logs(self, node: Node) -> Sequence[str]:
        return [f"{FOLDER}/{self.name}/output.log"]
