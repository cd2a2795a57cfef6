"""A store whose process writes and syncs a file again and again, and notes what became of it."""

from collections.abc import Callable

from partita.harness.nodes.cluster import Node
from partita.harness.systems.daemon import Daemon

NAME = "writer"
FOLDER = f"/srv/partita/{NAME}"

# A line for each round, beside the data: how many milliseconds the sync took, or "EIO".
_WRITE = """
import os, sys, time
data, noted = sys.argv[1:]
os.makedirs(data, exist_ok=True)
file = os.open(data + "/log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
while True:
    began = time.monotonic()
    try:
        os.write(file, b"." * 100)
        os.fsync(file)
        said = f"{1000 * (time.monotonic() - began):.1f}"
    except OSError as error:
        said = os.strerror(error.errno).replace(" ", "-")
    with open(noted, "a") as notes:
        notes.write(said + "\\n")
    time.sleep(0.02)
"""


class Writers(Daemon):
    """A system whose process writes; it serves if that is there, and its files are intact."""

    name = NAME

    def __init__(self, intact: Callable[[Node], bool] = lambda node: True) -> None:
        self._intact = intact

    def start(self, node: Node, nodes: object) -> None:
        command = ["python3", "-c", _WRITE, self.data(node), f"{FOLDER}/noted"]
        node.start_daemon(NAME, command)

    def healthy(self, node: Node) -> bool:
        return self._intact(node) and self.running(node)

    def files(self, node: Node) -> dict[str, str]:
        return {"log": f"{FOLDER}/data/st*"}

    def noted(self, node: Node) -> list[str]:
        """What became of each round since it was last asked for."""
        take = f"mv {FOLDER}/noted {FOLDER}/taken && cat {FOLDER}/taken"
        return node.run(["sh", "-c", take], check=False).stdout.split()

    def rounds(self, node: Node, least: int = 3) -> list[str]:
        """What became of the next rounds."""
        self.noted(node)
        found: list[str] = []
        while len(found) < least:
            found += self.noted(node)
        return found
