"""Carries a schedule out, proves that each fault bit, and always heals.

Every event is recorded when it begins and when it is complete, so that the history says what
was in force at any moment. While the driver lives it tells the hosts so; when it is gone they
heal themselves.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from partita.nemesis import partition, process
from partita.nemesis.grudges import GRUDGES, NEEDS_LEADER, Grudge, GrudgeError, cut_pairs, describe
from partita.nemesis.hosts import Host, on_all
from partita.nemesis.schedule import Step

log = logging.getLogger(__name__)

Record = Callable[[str, str, Any, str | None], None]
T = TypeVar("T")
LEADER_WAIT_S = 15.0


class Driver:
    """One run's nemesis: `start` it beside the load, then `finish` it, come what may.

    `record(type, f, value, error)` journals an event; `leaders()` names the nodes that say
    they lead; `processes` are the store's. Partitions replace each other, process faults add up.
    A fault that could not be injected, or a nemesis that died, is in `failure`.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        steps: Sequence[Step],
        seed: int,
        record: Record,
        leaders: Callable[[], list[str]],
        processes: process.Processes,
    ) -> None:
        self.hosts = hosts
        self.steps = steps
        self.seed = seed
        self.record = record
        self.leaders = leaders
        self.processes = processes
        self.failure: str | None = None
        self.begun = 0  # faults of the schedule that were begun
        self._cut: dict[int, Grudge] = {}  # the partition in force, by the fault's number
        self._struck: dict[int, tuple[str, process.Nodes]] = {}  # action and nodes
        self._baseline: set[tuple[str, str]] = set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._armed = False

    def prepare(self) -> None:
        """Arm the hosts' dead-man's switches and look who reaches whom while all is well."""
        if not self.steps:
            return
        partition.heal(self.hosts)
        partition.arm(self.hosts)
        self._armed = True
        self._baseline = partition.reachable(self.hosts)
        missing = len(self.hosts) * (len(self.hosts) - 1) - len(self._baseline)
        if missing:
            log.warning("%d pairs of nodes do not reach each other before any fault", missing)

    def start(self, origin: float) -> None:
        """Begin; the schedule's times count from `origin` on time.monotonic's clock."""
        if self.steps:
            self._run(self._beat)
            self._run(lambda: self._carry_out(origin))

    @property
    def in_force(self) -> str:
        """Say which faults are in force now; empty if none is."""
        said = [describe(grudge) for grudge in list(self._cut.values())]
        said += [f"{action} {' '.join(nodes)}" for action, nodes in list(self._struck.values())]
        return ", ".join(said)

    def finish(self) -> None:
        """Stop, heal everything and disarm; what goes wrong is in `failure`, and never raised.

        A network that could not be healed must not hide what the history shows.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if not self._armed:
            return
        if self._cut or self._struck:
            self._try("heal", self._heal)
        self._try("heal", lambda: partition.heal(self.hosts))
        healed = self._try("disarm", lambda: partition.disarm(self.hosts))
        if healed:
            self._fail(f"{', '.join(healed)} missed the controller and healed by itself")

    def _try(self, what: str, action: Callable[[], T]) -> T | None:
        """Do one of several things that must all be tried; what goes wrong is in `failure`."""
        try:
            return action()
        except Exception as error:
            log.exception("could not %s", what)
            self._fail(f"the nemesis could not {what}, and the nodes will heal alone: {error}")
            return None

    def _note(self, kind: str, f: str, value: Any, error: str | None = None) -> None:
        """Record an event. A journal that cannot be written must not keep anyone from healing."""
        try:
            self.record(kind, f, value, error)
        except Exception as problem:
            self._fail(f"the nemesis could not record what it did: {problem}")

    def _fail(self, reason: str) -> None:
        self.failure = self.failure or reason

    def _run(self, action: Callable[[], None]) -> None:
        thread = threading.Thread(target=action, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _beat(self) -> None:
        while not self._stop.wait(partition.BEAT_S):
            with suppress(Exception):  # a host that misses beats heals itself, and we are told
                partition.beat(self.hosts)

    def _carry_out(self, origin: float) -> None:
        for number, step in enumerate(self.steps, 1):
            if self._stop.wait(max(0.0, origin + step.at - time.monotonic())):
                return
            try:
                if step.action == "heal":
                    self._heal()
                elif step.action == "partition":
                    self._partition(number, step)
                else:
                    self._strike(number, step)
            except Exception as error:
                log.exception("the nemesis failed at %s", step)
                self._fail(f'the nemesis could not do "{step}": {error}')
                self._note("fail", step.action, {"fault": number}, str(error))
                return

    def _partition(self, number: int, step: Step) -> None:
        # Chosen first: until the new grudge takes its place, the old one stays in force.
        grudge = GRUDGES[step.target](*self._choice(number, step))
        if self._cut:
            self._replace()
        value = {
            "fault": number,
            "target": step.target,
            "description": describe(grudge),
            "grudge": {node: list(dropped) for node, dropped in grudge.items()},
        }
        self.begun += 1
        self._note("invoke", "partition", value, None)
        # In force from before the attempt, so that a heal follows whatever becomes of it.
        self._cut[number] = grudge
        partition.inject(self.hosts, grudge)
        self._note("ok", "partition", value, None)
        self._note("info", "probe", self._probe(number, grudge), None)

    def _strike(self, number: int, step: Step) -> None:
        nodes = sorted(process.TARGETS[step.target](*self._choice(number, step)))
        value = {
            "fault": number,
            "target": step.target,
            "description": f"{step.action} {' '.join(nodes)}",
            "nodes": nodes,
        }
        self.begun += 1
        self._note("invoke", step.action, value, None)
        self._struck[number] = step.action, nodes
        self._on(nodes, lambda name: self.processes.strike(step.action, name))
        self._note("ok", step.action, value, None)
        serving = [name for name, yes in self._on(nodes, self.processes.serves).items() if yes]
        silent = sorted(set(nodes) - set(serving))
        bit = not serving
        self._note("info", "probe", {"fault": number, "bit": bit, "silent": silent}, None)

    def _on(self, names: process.Nodes, action: Callable[[str], T]) -> dict[str, T]:
        chosen = [host for host in self.hosts if host.name in names]
        return on_all(chosen, lambda host: action(host.name))

    def _choice(self, number: int, step: Step) -> tuple[list[str], list[str], Random]:
        """Gather what a target is chosen from: the nodes, the leaders, and a seeded generator."""
        leaders = self._await_leader() if step.target in NEEDS_LEADER else self.leaders()
        return [host.name for host in self.hosts], leaders, Random(f"{self.seed}/{number}")

    def _await_leader(self) -> list[str]:
        deadline = time.monotonic() + LEADER_WAIT_S
        while not (leaders := self.leaders()):
            if self._stop.wait(0.1) or time.monotonic() > deadline:
                raise GrudgeError(f"no node said within {LEADER_WAIT_S:g} s that it leads")
        return leaders

    def _probe(self, number: int, grudge: Grudge) -> dict[str, Any]:
        """Say whether the cut is what was meant: what should be cut is, and nothing else."""
        pairs = cut_pairs(grudge)
        answered = partition.reachable(self.hosts)
        before = {pair for pair in self._baseline if pair[::-1] in self._baseline}
        unreachable = [
            pair for pair in pairs if pair not in answered and pair[::-1] not in answered
        ]
        proven = [pair for pair in unreachable if pair in before]
        cut = set(pairs)
        strays = sorted(
            pair for pair in before - answered if pair not in cut and pair[::-1] not in cut
        )
        return {
            "fault": number,
            "bit": bool(pairs) and len(proven) == len(pairs) and not strays,
            "cut": pairs,
            "unreachable": unreachable,
            "strays": strays,
        }

    def _heal(self) -> None:
        """End every fault in force: the network first, since a restart may need it."""
        faults = sorted([*self._cut, *self._struck])
        self._note("invoke", "heal", {"faults": faults}, None)
        value: dict[str, Any] = {"faults": faults}
        try:
            self._look_again()
            value |= self._dropped()
        finally:
            partition.heal(self.hosts)
            self._cut = {}
            struck = {name for _, nodes in self._struck.values() for name in nodes}
            self._on(sorted(struck), self.processes.restore)
        self._struck = {}
        self._note("ok", "heal", value, None)

    def _replace(self) -> None:
        """End the grudge in force on paper; the next one replaces it without peace between."""
        faults = list(self._cut)
        self._note("invoke", "heal", {"faults": faults}, None)
        self._look_again(struck=False)
        value = {"faults": faults} | self._dropped()
        self._cut = {}
        self._note("ok", "heal", value, None)

    def _look_again(self, *, struck: bool = True) -> None:
        """Say which faults did not last until now: a firewall reloaded, a process restarted."""
        for number, grudge in self._cut.items():
            if gone := partition.missing(self.hosts, grudge):
                self._note("info", "probe", {"fault": number, "bit": False, "gone_on": gone}, None)
        for number, (_, nodes) in self._struck.items() if struck else ():
            serving = sorted(
                name for name, yes in self._on(nodes, self.processes.serves).items() if yes
            )
            if serving:
                value = {"fault": number, "bit": False, "serving_again": serving}
                self._note("info", "probe", value, None)

    def _dropped(self) -> dict[str, Any]:
        """Return how many packets the grudge in force caught, by fault and by link."""
        counts = partition.dropped(self.hosts)
        links = {f"{source}>{target}": count for (source, target), count in counts.items()}
        total = {str(number): sum(counts.values()) for number in self._cut}
        return {"dropped": total, "dropped_by_link": links}
