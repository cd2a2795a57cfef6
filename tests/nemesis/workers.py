"""A store whose process works all the time, and may want more and more memory."""

from partita.harness.nodes.cluster import Node
from partita.harness.systems.daemon import Daemon

NAME = "worker"
FOLDER = f"/srv/partita/{NAME}"

# Beside the data stands how far it got: rounds of work, and megabytes.
_WORK = """
import os, sys, time
data, wants = sys.argv[1], int(sys.argv[2])
os.makedirs(data, exist_ok=True)
had = []
for rounds in range(10**9):
    if len(had) < wants:
        had.append(bytearray(os.urandom(1024) * 1024))
        time.sleep(0.05)
    sum(range(20000))
    with open("rounds.new", "w") as file:
        file.write(f"{rounds} {len(had)}")
    os.rename("rounds.new", "rounds")
"""


class Workers(Daemon):
    """A system whose process works; it serves if it is there. `wants_mb` is what it takes."""

    name = NAME

    def __init__(self, wants_mb: int = 0) -> None:
        self._wants_mb = wants_mb

    def start(self, node: Node, nodes: object) -> None:
        node.start_daemon(NAME, ["python3", "-c", _WORK, self.data(node), str(self._wants_mb)])

    def healthy(self, node: Node) -> bool:
        return self.running(node)

    def rounds(self, node: Node) -> int:
        """How many rounds of work it has done."""
        said = node.run(["cat", f"{FOLDER}/rounds"], check=False).stdout.split()
        return int(said[0]) if said else 0

    def processor_s(self, node: Node) -> float:
        """How much of the processor's time its process had."""
        script = "sed 's/.*) //' /proc/$(cat \"$1\")/stat | cut -d ' ' -f 12,13"
        said = node.run(["sh", "-c", script, "time", f"{FOLDER}/pid"]).stdout.split()
        return sum(map(int, said)) / 100
