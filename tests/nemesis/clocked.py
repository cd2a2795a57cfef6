"""A store whose process does nothing but note what its clocks say."""

import time

from partita.harness.nodes.cluster import Node

NAME = "clocked"
FOLDER = f"/srv/partita/{NAME}"
_NOTE = """
import os, sys, time
while True:
    with open("noted.new", "w") as note:
        note.write(f"{time.time()} {time.monotonic()}")
    os.rename("noted.new", "noted")
    time.sleep(0.01)
"""


class Clocked:
    """A system whose process notes its wall clock and its monotonic clock; it serves if it did."""

    name = NAME

    def start(self, node: Node, nodes: object) -> None:
        node.start_daemon(NAME, ["python3", "-c", _NOTE])

    def healthy(self, node: Node) -> bool:
        return (
            node.daemon_runs(NAME)
            and node.run(["test", "-e", f"{FOLDER}/noted"], check=False).status == 0
        )

    def stop(self, node: Node) -> None:
        node.stop_daemon(NAME)
        node.run(["rm", "-f", f"{FOLDER}/noted"])

    def kill(self, node: Node) -> None:
        node.stop_daemon(NAME, signal="KILL")
        node.run(["rm", "-f", f"{FOLDER}/noted"])

    def wipe(self, node: Node) -> None:
        node.wipe(NAME)

    def data(self, node: Node) -> str:
        return f"{FOLDER}/data"

    def off(self, node: Node) -> float:
        """By how many seconds the wall clock of its process is off."""
        asked = time.monotonic()
        here = time.time() - asked
        while True:
            wall, monotonic = map(float, node.run(["cat", f"{FOLDER}/noted"]).stdout.split())
            if monotonic > asked:  # noted after we asked
                return wall - monotonic - here
