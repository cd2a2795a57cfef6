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
from typing import Any

from nemesis import partition
from nemesis.grudges import GRUDGES, NEEDS_LEADER, Grudge, GrudgeError, cut_pairs, describe
from nemesis.hosts import Host
from nemesis.schedule import Step

log = logging.getLogger(__name__)

Record = Callable[[str, str, Any, str | None], None]
LEADER_WAIT_S = 15.0


class Driver:
    """One run's nemesis: `start` it beside the load, then `finish` it, come what may.

    `record(type, f, value, error)` journals an event; `leaders()` names the nodes that say
    they lead. A fault that could not be injected, or a nemesis that died, is in `failure`.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        steps: Sequence[Step],
        seed: int,
        record: Record,
        leaders: Callable[[], list[str]],
    ) -> None:
        self.hosts = hosts
        self.steps = steps
        self.seed = seed
        self.record = record
        self.leaders = leaders
        self.failure: str | None = None
        self.begun = 0  # faults of the schedule that were begun
        self._in_force: dict[int, Grudge] = {}
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
        """Say which grudges are in force now; empty if none is."""
        return ", ".join(describe(grudge) for grudge in list(self._in_force.values()))

    def finish(self) -> None:
        """Stop, heal everything and disarm; what goes wrong is in `failure`, and never raised.

        A network that could not be healed must not hide what the history shows.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if not self._armed:
            return
        try:
            if self._in_force:
                self._heal()
            partition.heal(self.hosts)
            healed = partition.disarm(self.hosts)
        except Exception as error:
            log.exception("healing failed")
            self._fail(f"the network could not be healed, the nodes will do it alone: {error}")
        else:
            if healed:
                self._fail(f"{', '.join(healed)} missed the controller and healed by itself")

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
                else:
                    self._partition(number, step)
            except Exception as error:
                log.exception("the nemesis failed at %s", step)
                self._fail(f'the nemesis could not do "{step}": {error}')
                self.record("fail", step.action, {"fault": number}, str(error))
                return

    def _partition(self, number: int, step: Step) -> None:
        if self._in_force:
            self._heal()  # one grudge at a time: the new one takes the old one's place
        grudge = self._grudge(number, step)
        value = {
            "fault": number,
            "target": step.target,
            "description": describe(grudge),
            "grudge": {node: list(dropped) for node, dropped in grudge.items()},
        }
        self.begun += 1
        self.record("invoke", "partition", value, None)
        # In force from before the attempt, so that a heal follows whatever becomes of it.
        self._in_force[number] = grudge
        partition.inject(self.hosts, grudge)
        self.record("ok", "partition", value, None)
        self.record("info", "probe", self._probe(number, grudge), None)

    def _grudge(self, number: int, step: Step) -> Grudge:
        leaders = self._await_leader() if step.target in NEEDS_LEADER else self.leaders()
        names = [host.name for host in self.hosts]
        return GRUDGES[step.target](names, leaders, Random(f"{self.seed}/{number}"))

    def _await_leader(self) -> list[str]:
        deadline = time.monotonic() + LEADER_WAIT_S
        while not (leaders := self.leaders()):
            if self._stop.wait(0.5) or time.monotonic() > deadline:
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
        faults = sorted(self._in_force)
        self.record("invoke", "heal", {"faults": faults}, None)
        try:
            counts = partition.dropped(self.hosts)
        finally:
            partition.heal(self.hosts)
        self._in_force = {}
        links = {f"{source}>{target}": count for (source, target), count in counts.items()}
        total = {str(number): sum(counts.values()) for number in faults}
        value = {"faults": faults, "dropped": total, "dropped_by_link": links}
        self.record("ok", "heal", value, None)
