"""Random schedules: from one seed, faults that come in blocks and add up, with peace between.

A block is what begins one after another and is healed together. Most have one fault, some have two
at once, and some chase the leader: as soon as another one leads, that one is struck, without peace
between. Short faults are as likely as long ones are in proportion, for mistakes sit at one second
and at ten. A fault says itself how often it is drawn, and how long it lasts then (`Traits.storm`).
"""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from partita.checker.plugins import PluginError
from partita.nemesis import faults
from partita.nemesis.disks import Disk
from partita.nemesis.fault import Storm, Traits
from partita.nemesis.schedule import HEAL, Given, ScheduleError, Step

RANDOM = "random"  # as a nemesis: draw a storm

QUIET_S = 4.0  # without a fault at the end, so that what is left can be read
PEACE_S = (0.3, 3.0)
FIRST_S = (1.0, 2.5)
# In a storm these leave nobody to serve, and then only availability is tested.
DRAWS_MAX = 100  # of the first block, where the time is so short that few fit
OUTAGES, OUTAGE_S = 2, (0.3, 1.5)
EVERYBODY = ("all", "majority")
LEADERS = ("leader", "leader-minority")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A fault that can be drawn, and the targets that it can have here."""

    name: str
    traits: Traits
    drawn: Storm
    targets: Sequence[str]

    @property
    def chases(self) -> Sequence[str]:
        """The targets with which it follows the leadership, none if it cannot."""
        if self.traits.stacks != "replace" or not self.traits.silences:
            return ()
        return [each for each in self.targets if each in LEADERS]


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A fault, one of its targets, and when it begins within its block."""

    offset: float
    kind: _Kind
    target: str

    @property
    def is_outage(self) -> bool:
        """Whether it leaves nobody to serve."""
        return self.kind.traits.silences and self.target in EVERYBODY


def storm(
    seed: int,
    time_limit: float,
    nodes: int,
    has: Callable[[str], bool],
    given: Given,
    *,
    disk: Disk | None = None,
    without: Collection[str] = (),
) -> tuple[Step, ...]:
    """Draw a schedule for so many nodes and seconds: the same seed draws the same.

    `has` says whether the system has a method, `disk` is what its data lie on; the faults of
    `without` are not drawn. Raises `ScheduleError` if the time is too short for any fault.
    """
    rng = Random(f"storm/{seed}")
    kinds = [kind for kind in _kinds(nodes, has, disk) if kind.name not in without]
    if not kinds:
        raise ScheduleError("no random fault can be drawn for this system on these nodes")
    steps: list[Step] = []
    outages, too_long = 0, 0
    at = rng.uniform(*FIRST_S)
    while True:
        block, length = _block(rng, kinds, OUTAGES - outages)
        if at + length > time_limit - QUIET_S:
            too_long += 1
            if steps or too_long == DRAWS_MAX:
                break
            continue  # one that is shorter may fit
        outages += sum(each.is_outage for each in block)
        for each in block:
            name = each.kind.name
            steps.append(Step(round(at + each.offset, 1), name, each.target, given(name)))
        if not all(each.kind.traits.momentary for each in block):
            steps.append(Step(round(at + length, 1), HEAL))
        at += length + _log_uniform(rng, *PEACE_S)
    if not steps:
        raise ScheduleError(
            f"no random fault fits into --time-limit {time_limit:g}: give it {3 * QUIET_S:g} s"
        )
    return tuple(steps)


def _kinds(nodes: int, has: Callable[[str], bool], disk: Disk | None) -> list[_Kind]:
    """Return what can be drawn."""

    def fits(target: str, traits: Traits) -> bool:
        place = faults.target_called(target)
        if place is None or (place.needs_leader and not has("primaries")):
            return False
        return nodes >= place.nodes_min(traits.strikes)

    kinds = []
    for name in faults.names():
        with suppress(PluginError):  # partita list tells of it
            traits: Traits = faults.kind_of(name).traits
            if traits.storm is None or not all(map(has, traits.needs)):
                continue
            targets = [each for each in faults.targets_of(name) if fits(each, traits)]
            if targets and (not traits.own_disk or hasattr(disk, traits.own_disk)):
                kinds.append(_Kind(name, traits, traits.storm, targets))
    return kinds


def _block(rng: Random, kinds: Sequence[_Kind], outages: int) -> tuple[list[_Drawn], float]:
    """Draw a block, and how long it is in force."""
    first = _weighted(rng, kinds)
    (shape,) = rng.choices(["one", "two", "chase"], [6, 3, 2 if first.chases else 0])
    if shape == "chase":
        return _chase(rng, first)
    block = [_one(rng, first, outages, 0.0)]
    others = [kind for kind in kinds if kind is not first]
    if shape == "two" and others:
        left = outages - block[0].is_outage
        block.append(_one(rng, _weighted(rng, others), left, round(rng.uniform(0.2, 2.0), 1)))
    last = block[-1]
    outage = any(each.is_outage for each in block)
    return block, last.offset + _log_uniform(
        rng, *(OUTAGE_S if outage else last.kind.drawn.seconds)
    )


def _one(rng: Random, kind: _Kind, outages: int, offset: float) -> _Drawn:
    drawn = _Drawn(offset, kind, rng.choice(kind.targets))
    if drawn.is_outage and not outages:
        milder = [each for each in kind.targets if each not in EVERYBODY]
        return _Drawn(offset, kind, rng.choice(milder))
    return drawn


def _chase(rng: Random, kind: _Kind) -> tuple[list[_Drawn], float]:
    """Strike the leader, and then who leads next, two to four times."""
    block, offset = [], 0.0
    for _ in range(rng.randint(2, 4)):
        block.append(_Drawn(round(offset, 1), kind, rng.choice(kind.chases)))
        offset += rng.uniform(1.2, 3.0)
    return block, block[-1].offset + _log_uniform(rng, *kind.drawn.seconds)


def _weighted(rng: Random, kinds: Sequence[_Kind]) -> _Kind:
    (kind,) = rng.choices(kinds, [each.drawn.weight for each in kinds])
    return kind


def _log_uniform(rng: Random, least: float, most: float) -> float:
    return math.exp(rng.uniform(math.log(least), math.log(most)))
