"""Asks every node, once all is healed, what it has itself, for the check `replicas`.

Before each round a mark is written, and each node must show it before it is asked, see
`partita.checker.replicas`. If all have the same, one round is enough; only what differs is kept.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from partita.checker.plugins import in_a_line
from partita.checker.replicas import COMPARED, DIFFERS, NOT_READY, PROCESS
from partita.harness.nodes.cluster import Node, on_all
from partita.harness.run.journal import Journal
from partita.harness.systems.system import HasReplicas, System
from partita.workloads.client import answer_of
from partita.workloads.workload import HasLastKeys, Workload

log = logging.getLogger(__name__)

REGISTERS = "registers"  # a mark is one
TRANSACTIONS = "transactions"
MARK = "partita-mark"
ROUNDS = 4
MARK_S = 10.0  # for the mark to be acknowledged
SHOWN_S = 30.0  # for each node to show it
PAUSE_S = 1.0  # between two rounds: what was under way arrives
READ_S = 5.0

# What a node has under a key, by what the workload asks for. It is taken as it is: what was damaged
# may not be what a workload could read.
READ: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        REGISTERS: lambda client, key: answer_of(client.read(key)).value,
        "sets": lambda client, key: sorted(answer_of(client.members(key)).value),
        TRANSACTIONS: lambda client, key: client.snapshot([key]).seen[0].value,
    }
)

Connect = Callable[[Node, float], Any]
Reading = dict[Any, Any]  # by key


class _NotReadyError(Exception):
    """A node that does not show the mark, or cannot be read: why, in a sentence."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """How a mark is written, how a node is asked for its own mark and values, and what for."""

    mark: Connect
    own_mark: Connect
    own: Connect
    read: Callable[[Any, Any], Any]
    keys: Sequence[Any]


def compare(system: System, workload: Workload, nodes: Sequence[Node], journal: Journal) -> None:
    """Compare what the nodes have, and journal it. Raises `JournalError`.

    Does nothing where the system's nodes cannot be asked so, or the workload reads none of it.
    """
    asking = _asking(system, workload)
    if asking is None or len(nodes) < 2:
        return
    for number in range(ROUNDS):
        if number:
            time.sleep(PAUSE_S)
        if not _round(asking, nodes, journal):
            return


def _asking(system: System, workload: Workload) -> _Asking | None:
    """Return how to ask the nodes, None if they cannot be asked."""
    try:
        own = system.replicas if isinstance(system, HasReplicas) else {}
        mark = system.offers.get(REGISTERS)
    except Exception:  # it is anybody's: the run is not to be lost by it
        log.exception("replicas of %s failed", system.name)
        return None
    read = READ.get(workload.capability)
    if mark is None or read is None or not {REGISTERS, workload.capability} <= own.keys():
        return None
    keys = _keys(workload)
    if not keys:
        return None
    return _Asking(mark, own[REGISTERS], own[workload.capability], read, keys)


def _keys(workload: Workload) -> Sequence[Any]:
    if isinstance(workload, HasLastKeys):
        return workload.last_keys()
    if workload.capability == TRANSACTIONS:  # its operations have no keys
        return ()
    final = workload.final()
    # Others go on for as long as they are not told that nothing is left.
    listed = final if isinstance(final, Sequence) else ()
    return [key for f, key in listed if workload.operations[f].reads]


def _round(asking: _Asking, nodes: Sequence[Node], journal: Journal) -> bool:
    """Compare once; say whether another round could tell more."""
    mark = uuid.uuid4().hex
    problem = _marked(asking.mark, nodes, mark)
    marked = journal.now() / 1e9
    readings: dict[str, Reading] = {}
    not_ready: dict[str, str] = {}

    def ask(node: Node) -> None:
        try:
            if problem:
                raise _NotReadyError(problem)
            readings[node.name] = _read(asking, node, mark)
        except _NotReadyError as error:
            not_ready[node.name] = str(error)

    on_all(nodes, ask)
    ready = [node.name for node in nodes if node.name in readings]
    about = {"nodes": ready, "keys": len(asking.keys), "marked": marked}
    journal.note("info", PROCESS, COMPARED, about)
    if not_ready:
        journal.note("info", PROCESS, NOT_READY, not_ready)
    differing = _differing(readings, asking.keys)
    for key, values in differing.items():
        journal.note("info", PROCESS, DIFFERS, {"key": key, "values": values})
    return bool(differing)


def _differing(readings: Mapping[str, Reading], keys: Sequence[Any]) -> dict[Any, dict[str, Any]]:
    """Return, by key, what each node has, where not all have the same."""
    found = {}
    for key in keys:
        values = {node: reading[key] for node, reading in readings.items()}
        if any(value != next(iter(values.values())) for value in values.values()):
            found[key] = values
    return found


def _marked(connect: Connect, nodes: Sequence[Node], mark: str) -> str | None:
    """Write the mark through any node; return why that was not possible, None if it was."""
    deadline = time.monotonic() + MARK_S
    said = "nobody was asked"
    while time.monotonic() < deadline:
        for node in nodes:
            try:
                with closing(connect(node, READ_S)) as client:
                    client.write(MARK, mark)
                return None
            except Exception as error:  # it is anybody's; another node may take it
                said = in_a_line(error)
        time.sleep(0.2)
    return f"no write was acknowledged within {MARK_S:g} s: {said}"


def _read(asking: _Asking, node: Node, mark: str) -> Reading:
    """Wait until the node shows the mark; return what it has under each key."""
    deadline = time.monotonic() + SHOWN_S
    said = "it showed an older one"
    while time.monotonic() < deadline:
        try:
            with closing(asking.own_mark(node, READ_S)) as client:
                while answer_of(client.read(MARK)).value != mark:
                    if time.monotonic() >= deadline:
                        break
                    time.sleep(0.05)
                else:
                    with closing(asking.own(node, READ_S)) as own:
                        return {key: asking.read(own, key) for key in asking.keys}
        except Exception as error:  # it is anybody's, and may have been about to serve
            said = in_a_line(error)
            time.sleep(0.2)
    raise _NotReadyError(f"within {SHOWN_S:g} s it did not show a write of before: {said}")
