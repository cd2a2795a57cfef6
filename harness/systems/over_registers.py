"""Queues and sets for stores that have registers only: each is a list in one register."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from partita.harness.nodes.cluster import Node
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Client, answer_of
from partita.workloads.compare_and_set import change

Connect = Callable[[Node, float], Any]


def offered(connect: Connect) -> Mapping[str, Callable[[Node, float], Client]]:
    """Return what a store offers whose clients, made by `connect`, have registers."""

    def lists(node: Node, timeout: float) -> Client:
        return ListClient(connect(node, timeout), timeout)

    return {"registers": connect, "queues": lists, "sets": lists}


class ListClient:
    """A client of queues and of sets, over one of registers; calls take `timeout` seconds."""

    def __init__(self, registers: Registers, timeout: float) -> None:
        self._registers = registers
        self._timeout = timeout

    def enqueue(self, key: str, value: str) -> None:
        self._change(key, lambda elements: [*elements, value])

    def dequeue(self, key: str) -> str | None:
        before = self._change(key, lambda elements: elements[1:])
        return before[0] if before else None

    def add(self, key: str, element: str) -> None:
        self._change(
            key, lambda elements: elements if element in elements else [*elements, element]
        )

    def members(self, key: str) -> list[str]:
        return _elements(answer_of(self._registers.read(key)).value)

    def close(self) -> None:
        self._registers.close()

    def _change(self, key: str, changed: Callable[[list[str]], list[str]]) -> list[str]:
        """Change the list and return what it was."""

        def rewritten(text: str | None) -> str | None:
            new = changed(elements := _elements(text))
            return None if new == elements else json.dumps(new, separators=(",", ":"))

        before, _ = change(self._registers, key, rewritten, time.monotonic() + self._timeout)
        return _elements(before)


def _elements(text: str | None) -> list[str]:
    return json.loads(text) if text else []
