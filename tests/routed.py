"""A router in a test, and programs that it passes messages between."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from partita.harness.messages.calls import Caller
from partita.harness.messages.journal import Messages
from partita.harness.messages.links import Links
from partita.harness.messages.process import Process
from partita.harness.messages.router import Router

PATIENCE_S = 20.0


class Cluster:
    """A router, and programs that were started with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.links = folder, Links(seed=1)
        self.path = folder / "messages.jsonl"
        self.router = Router(self.links, Messages(self.path, 1000))
        self.router.attach("c0", lambda src, body: None)

    def start(self, script: str, name: str, *, answers: bool = True) -> Process:
        said = self.folder / "said.log"
        command = [sys.executable, "-c", script]
        process = self.router.spawn(name, command, self.folder / name, said)
        body = {"type": "init", "msg_id": 1, "node_id": name, "node_ids": [name]}
        self.router.send("c0", name, body)
        if answers:
            eventually(lambda: process.ready)
        return process

    def caller(self, patience: float = PATIENCE_S) -> Caller:
        return Caller(self.router, patience)

    def lines(self) -> list[dict[str, Any]]:
        self.router.close()
        return [json.loads(line) for line in self.path.read_text().splitlines()]


@contextmanager
def routed(folder: Path) -> Iterator[Cluster]:
    made = Cluster(folder)
    try:
        yield made
    finally:
        if not made.router._over.is_set():
            made.router.close()


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.02)
