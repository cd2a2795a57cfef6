"""Carries a schedule out, proves that each fault bit, and always heals.

Every event is recorded when it begins and when it is complete, so that the history says what
was in force at any moment. While the driver lives it tells the hosts so; when it is gone they
heal themselves. A host that is lost is left out from then on. No fault is named here.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Any, TypeVar

from partita.nemesis import faults, switch
from partita.nemesis.disks import Disk
from partita.nemesis.fault import Fault, HasPreparation, Scene, Store
from partita.nemesis.ground import NETWORK, Ground
from partita.nemesis.hosts import Host, give_up_the_dead
from partita.nemesis.schedule import HEAL, START, Step
from partita.nemesis.targets import Scope, TargetError, scope_of

log = logging.getLogger(__name__)

Record = Callable[[str, str, Any, str | None], None]
T = TypeVar("T")
LEADER_WAIT_S = 15.0
HOLDER_WAIT_S = 3.0
Holders = Callable[[], Sequence[str] | None]


def _nobody() -> None:
    """In this run nobody holds anything."""


@dataclass(slots=True)
class InForce:
    """A fault in force: the number of its step, and what it strikes by now."""

    number: int
    fault: Fault
    scope: Scope
    until: float = inf  # when it is to be ended, if nobody does before; seconds from the origin

    def __str__(self) -> str:
        return f"{self.fault.name} {self.scope}"


class Driver:
    """One run's nemesis: `start` it beside the load, then `finish` it, come what may.

    `record(type, f, value, error)` journals an event; `leaders()` names the nodes that say
    they lead; `store` is what faults may do to the store's processes. `clients` are hosts of
    clients, `session_s` is for how long a session lives that is not renewed, and `holders()` names
    the hosts of clients that hold something, None if nobody ever does. `ground` is what the nodes
    stand on, `disk` what the store's data lie on. A fault that could not be injected, or a nemesis
    that died, is in `failure`; hosts that were lost are in `lost`, each with a sentence that says
    when.
    """

    def __init__(
        self,
        hosts: Sequence[Host],
        steps: Sequence[Step],
        seed: int,
        record: Record,
        leaders: Callable[[], list[str]],
        store: Store,
        *,
        clients: Sequence[Host] = (),
        session_s: float | None = None,
        holders: Holders = _nobody,
        ground: Ground = NETWORK,
        disk: Disk | None = None,
    ) -> None:
        self.hosts = hosts
        self.clients = clients
        self.everyone = [*hosts, *clients]
        self.session_s = session_s
        self.holders = holders
        self.ground = ground
        self.disk = disk
        self.steps = steps
        self.seed = seed
        self.record = record
        self.leaders = leaders
        self.store = store
        self.failure: str | None = None
        self.lost: dict[str, str] = {}
        self.begun = 0  # faults of the schedule that were begun
        numbered = enumerate(steps, 1)
        self._faults = {
            number: step.fault(ground.faults) for number, step in numbered if step.begins
        }
        self._in_force: list[InForce] = []
        self._reached: set[tuple[str, str]] = set()
        self._origin = time.monotonic()
        self._heard: dict[str, float] = {}  # when each host last answered, seconds from the origin
        self._losing = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._armed = False

    def prepare(self) -> None:
        """Arm the hosts' dead-man's switches and look who reaches whom while all is well."""
        if not self.steps:
            return
        made = list(self._faults.values())
        self.ground.heal(self.everyone, made)
        for fault in made:
            if isinstance(fault, HasPreparation):
                fault.prepare(Scene(self.hosts, self.store, clients=self.clients))
        self.ground.arm(self.everyone, made)
        self._armed = True
        self._reached = self.ground.reachable(self.everyone)
        missing = len(self.everyone) * (len(self.everyone) - 1) - len(self._reached)
        if missing:
            log.warning("%d pairs of nodes do not reach each other before any fault", missing)

    def start(self, origin: float) -> None:
        """Begin; the schedule's times count from `origin` on time.monotonic's clock."""
        self._origin = origin
        self._run(self._beat)
        if self.steps:
            self._run(self._carry_out)

    @property
    def in_force(self) -> str:
        """Say which faults are in force now; empty if none is."""
        return ", ".join(map(str, list(self._in_force)))

    def finish(self) -> None:
        """Stop, heal everything and disarm; what goes wrong is in `failure`, and never raised.

        A network that could not be healed must not hide what the history shows.
        """
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if not self._armed:
            return
        if self._in_force:
            self._try("heal", lambda: self._end(HEAL, self._in_force))
        made = list(self._faults.values())
        self._try("heal", lambda: self.ground.heal(self.everyone, made))
        healed = self._try("disarm", lambda: self.ground.disarm(self.everyone))
        if healed:
            self._fail(f"{', '.join(healed)} missed the controller and healed by itself")
        self._look_who_is_lost()

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

    # --- the hosts, and those that are lost ------------------------------------------------

    def _beat(self) -> None:
        while not self._stop.wait(switch.BEAT_S):
            with suppress(Exception):  # a host that misses beats heals itself, and we are told
                if self._armed:
                    heard = self.ground.beat(self.everyone)
                else:
                    give_up_the_dead(living := _living(self.everyone))
                    heard = [host.name for host in living if not host.lost]
                self._heard |= dict.fromkeys(heard, self._now())
                self._look_who_is_lost()

    def _look_who_is_lost(self) -> None:
        with self._losing:
            for host in self.everyone:
                if not host.lost or host.name in self.lost:
                    continue
                heard = self._heard.get(host.name, 0.0)
                said = f"{host.name} was lost between {heard:.1f} and {self._now():.1f} s"
                self.lost[host.name] = said
                log.warning("%s", said)
                self._note("info", "lost", {"node": host.name, "heard": round(heard, 3)})

    def _now(self) -> float:
        return time.monotonic() - self._origin

    # --- steps -----------------------------------------------------------------------------

    def _carry_out(self) -> None:
        for number, step in enumerate(self.steps, 1):
            try:
                if self._waited(step.at):
                    return
                self._do(number, step)
            except Exception as error:
                log.exception("the nemesis failed at %s", step)
                self._fail(f'the nemesis could not do "{step}": {error}')
                value = {"fault": number} if step.begins else {}
                self._note("fail", step.action, value, str(error))
                return
            self._look_who_is_lost()
        self._try("heal", lambda: self._waited(inf))

    def _waited(self, until: float) -> bool:
        """Wait, and end what is to be ended meanwhile; say whether it is time to stop."""
        while due := [each for each in self._in_force if each.until < until]:
            first = min(due, key=lambda each: each.until)
            if self._stop.wait(max(0.0, first.until - self._now())):
                return True
            self._end(HEAL, [first])
        return until < inf and self._stop.wait(max(0.0, until - self._now()))

    def _do(self, number: int, step: Step) -> None:
        if step.begins:
            self._begin(number, step)
        elif step.action == START:
            self._end(START, self._in_force, step.words)
        else:
            self._end(HEAL, [each for each in self._in_force if _is_meant(each, step)])

    def _begin(self, number: int, step: Step) -> None:
        fault = self._faults[number]
        # Chosen first: until the new one takes its place, the old one stays in force.
        mine = InForce(number, fault, self._choose(number, step, fault))
        if fault.traits.stacks == "replace":
            self._replace([each for each in self._in_force if each.fault.name == fault.name])
        value = _described(mine, step)
        self.begun += 1
        self._note("invoke", fault.name, value)
        # In force from before the attempt, so that a heal follows whatever becomes of it.
        self._in_force.append(mine)
        fault.begin(self._scene(mine), mine.scope)
        self._note("ok", fault.name, value)
        if (length := faults.length_of(fault, self.session_s)) is not None:
            mine.until = self._now() + length
        proof = fault.prove(self._scene(mine), mine.scope)
        self._note("info", "probe", {"fault": number, **proof})
        if fault.traits.momentary:
            self._end(HEAL, [mine])

    def _choose(self, number: int, step: Step, fault: Fault) -> Scope:
        target = faults.target_called(step.target)
        strikes = fault.traits.strikes
        hosts = self.clients if strikes == "clients" else self.hosts
        nodes = [host.name for host in _living(hosts)]
        if target is None:
            named = [name for name in step.words if name in nodes]
            if not named:
                raise TargetError(f"{step.target} is lost")
            return scope_of(strikes, nodes, named)
        if strikes == "clients":
            holders = [name for name in self._await_holder() if name in nodes]
            return target.scope(strikes, nodes, holders, Random(f"{self.seed}/{number}"))
        leaders = self._await_leader() if target.needs_leader else self.leaders()
        leaders = [name for name in leaders if name in nodes]
        return target.scope(strikes, nodes, leaders, Random(f"{self.seed}/{number}"))

    def _await_holder(self) -> Sequence[str]:
        deadline = time.monotonic() + HOLDER_WAIT_S
        while (holders := self.holders()) == []:
            if self._stop.wait(0.01) or time.monotonic() > deadline:
                break
        return holders or []

    def _await_leader(self) -> list[str]:
        deadline = time.monotonic() + LEADER_WAIT_S
        while not (leaders := self.leaders()):
            if self._stop.wait(0.1) or time.monotonic() > deadline:
                raise TargetError(f"no node said within {LEADER_WAIT_S:g} s that it leads")
        return leaders

    def _scene(self, mine: InForce) -> Scene:
        others = [each for each in self._in_force if each is not mine]
        held = {node for each in others if each.fault.traits.restarts for node in each.scope.nodes}
        scopes = [each.scope for each in others]
        silent = [each.scope for each in others if each.fault.traits.silences]
        return Scene(
            self.hosts,
            self.store,
            self._reached,
            scopes,
            held,
            self.clients,
            silent,
            self.disk,
            f"{self.seed}/{mine.number}",
        )

    # --- ends ------------------------------------------------------------------------------

    def _end(self, f: str, chosen: Iterable[InForce], nodes: Sequence[str] | None = None) -> None:
        """End faults, or what of them is on some nodes. All are tried before an error is raised."""
        parts = [(each, each.scope if nodes is None else each.scope.only(nodes)) for each in chosen]
        parts = [(each, part) for each, part in parts if nodes is None or part.nodes]
        whole = sorted(each.number for each, part in parts if part == each.scope)
        value: dict[str, Any] = {"faults": whole}
        if nodes is not None:
            value |= {"nodes": list(nodes), "of": sorted(each.number for each, _ in parts)}
        self._note("invoke", f, value)
        errors: list[Exception] = []
        try:
            value |= self._look_again(parts)
        except Exception as error:
            errors.append(error)
        for each, part in sorted(parts, key=_late):
            try:
                self._end_one(each, part)
            except Exception as error:
                errors.append(error)
        if errors:
            raise errors[0]
        self._note("ok", f, value)

    def _end_one(self, mine: InForce, part: Scope) -> None:
        mine.fault.end(self._scene(mine), part)
        if part == mine.scope:
            self._in_force.remove(mine)
        else:
            mine.scope = mine.scope.without(part.nodes)
        if not mine.fault.traits.restarts:
            return
        for other in self._in_force:
            again = other.scope.only(part.nodes)
            if other is not mine and again.nodes and not other.fault.traits.survives_restart:
                other.fault.begin(self._scene(other), again)

    def _replace(self, old: Sequence[InForce]) -> None:
        """End faults on paper; the next one takes their place without peace between."""
        if not old:
            return
        value: dict[str, Any] = {"faults": [each.number for each in old]}
        self._note("invoke", HEAL, value)
        value |= self._look_again([(each, each.scope) for each in old])
        self._in_force = [each for each in self._in_force if each not in old]
        self._note("ok", HEAL, value)

    def _look_again(self, parts: Iterable[tuple[InForce, Scope]]) -> dict[str, Any]:
        """Say which faults did not last until now, and return what they counted."""
        figures: dict[str, Any] = {}
        for each, part in parts:
            look = each.fault.lasted(self._scene(each), part)
            if look.gone:
                self._note("info", "probe", {"fault": each.number, "bit": False, **look.gone})
            if look.figures:
                figures[str(each.number)] = dict(look.figures)
        return {"figures": figures} if figures else {}


def _living(hosts: Sequence[Host]) -> list[Host]:
    return [host for host in hosts if not host.lost]


def _is_meant(each: InForce, step: Step) -> bool:
    """Say whether a heal names this fault, or names none and means all."""
    return not step.words or each.fault.name in step.words


def _late(part: tuple[InForce, Scope]) -> tuple[bool, bool]:
    """What starts processes ends last, for they may need the network, or a store that serves."""
    traits = part[0].fault.traits
    return traits.needs_store, traits.restarts


def _described(mine: InForce, step: Step) -> dict[str, Any]:
    """Return what the history says of a fault."""
    traits, scope = mine.fault.traits, mine.scope
    said = str(scope) if traits.strikes == "links" else str(mine)
    value = {"fault": mine.number, "target": step.target, "description": said}
    if step.settings:
        value["settings"] = dict(step.settings)
    grudge = {node: list(others) for node, others in scope.grudge.items()}
    if traits.strikes == "links":
        return value | {"grudge" if traits.silences else "links": grudge}
    if traits.strikes == "clients":
        return value | {"clients": list(scope.nodes)}
    return value | {"nodes" if traits.silences else "on": list(scope.nodes)}
