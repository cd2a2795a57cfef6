"""Queues and sets for stores that have registers only: a list in one register, by compare-and-set.

Every change reads the list, changes it, and writes it back if it is unchanged; on a mismatch it
begins again, until its time is up.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from partita.harness.nodes.cluster import Node
from partita.workloads.capabilities.registers import Registers
from partita.workloads.client import Client, Definite, Indefinite, Mismatch, answer_of

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
        return self._read(key)[1]

    def close(self) -> None:
        self._registers.close()

    def _change(self, key: str, change: Callable[[list[str]], list[str]]) -> list[str]:
        """Change the list and return what it was. An unchanged list is not written."""
        deadline, attempts = time.monotonic() + self._timeout, 0
        while time.monotonic() < deadline or not attempts:
            attempts += 1
            text, elements = self._read(key)
            changed = change(elements)
            if changed == elements:
                return elements
            try:
                self._registers.cas(key, text, json.dumps(changed, separators=(",", ":")))
            except Mismatch:
                continue
            return elements
        raise Definite(f"mismatch {attempts} times, then out of time")

    def _read(self, key: str) -> tuple[str | None, list[str]]:
        """Read the list. Whatever goes wrong here, nothing was changed yet."""
        try:
            text = answer_of(self._registers.read(key)).value
        except Indefinite as error:
            raise Definite(f"could not read the list: {error}") from error
        return text, json.loads(text or "[]")
