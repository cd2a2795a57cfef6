"""Python on the nodes, for stores that are written in it."""

from partita.harness.nodes.cluster import Node
from partita.harness.systems.system import StoreError

_TEST = ("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 11))")


def require_python(node: Node, who: str) -> None:
    """Install it where it is missing. Raises `StoreError` where it is older than `who` needs."""
    if node.run(_TEST, check=False).status == 0:
        return
    node.install_packages(["python3"])
    if node.run(_TEST, check=False).status != 0:
        raise StoreError(f"{node.name} has no Python 3.11 or newer, which {who} needs")
