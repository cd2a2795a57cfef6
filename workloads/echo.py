"""Texts sent to a node, which answers with the same text: the first thing that a new node does."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from partita.checker.echoes import Echoed
from partita.workloads.capabilities.echoes import Echoes
from partita.workloads.client import Answer
from partita.workloads.workload import Operation


class Echo:
    """Texts that come back from the node as they were sent."""

    name = "echo"
    capability = "echoes"
    operations: Mapping[str, Operation] = {"echo": Operation(answers=True)}
    checks = (Echoed(),)

    def draw(self, random: Random, number: int) -> tuple[str, None, Any]:
        return "echo", None, f"Please echo {number}"

    def prepare(self, f: str, key: None, value: Any) -> Any:
        return value

    def invoke(self, client: Echoes, f: str, key: None, value: Any, until: float) -> Answer:
        return Answer(client.echo(value))

    def final(self) -> Sequence[tuple[str, None]]:
        return ()
