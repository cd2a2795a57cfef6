"""Ids that nodes make up, each for itself; none may be given twice."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from partita.checker.uniqueness import Uniqueness
from partita.workloads.capabilities.ids import Ids
from partita.workloads.client import Answer
from partita.workloads.workload import Operation


class UniqueIds:
    """Ids that are asked for on all nodes; none is given twice."""

    name = "unique-ids"
    capability = "ids"
    operations: Mapping[str, Operation] = {"generate": Operation(answers=True)}
    checks = (Uniqueness(),)

    def draw(self, random: Random, number: int) -> tuple[str, None, Any]:
        return "generate", None, None

    def prepare(self, f: str, key: None, value: Any) -> Any:
        return value

    def invoke(self, client: Ids, f: str, key: None, value: Any, until: float) -> Answer:
        return Answer(client.generate())

    def final(self) -> Sequence[tuple[str, None]]:
        return ()
