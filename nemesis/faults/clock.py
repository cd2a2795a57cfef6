"""Clocks that are wrong: those of the store's processes, never the machine's.

What a store does by the wall clock goes wrong then, such as a lease that has run out everywhere but
where it is held. The monotonic clock is never changed: it is what a store should go by.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from partita.checker.settings import Setting, SettingError
from partita.nemesis import clocks
from partita.nemesis.clocks import Reading
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host
from partita.nemesis.targets import Scope

_NEAR_S = 0.05  # a clock is read back in the time of a few system calls
_LEAST_S = 0.1
_LEAST_RATE = 0.01
_LOOK_S = 0.2  # in which it is seen how fast a clock goes
_START_S = 3.0

_TRAITS = Traits(
    strikes="nodes",
    stacks="replace",
    survives_restart=False,
    needs=("data",),
    storm=Storm(0.5),
    how="the process's own copy of the code that tells the time (vDSO)",
    heal=clocks.heal(),
)

Seconds = Annotated[
    float, Setting("By how much it is off, in seconds; below 0 it is slow.", least=-1e8, most=1e8)
]


@dataclass(frozen=True, slots=True)
class _Wrong:
    """How clocks are wrong, and where: `nodes` are those that it was begun on.

    `options` are what the program is told for a node, `right` what undoes it. In a look of `look_s`
    it is seen that a clock is as it `should` be on a node, and `figure` is what a report shows of
    that, called `word`: without what other faults add to it.
    """

    options: Callable[[str], Sequence[str]]
    right: Sequence[str]
    should: Callable[[str, Reading], bool]
    word: str
    figure: Callable[[Reading], float]
    look_s: float = 0.0
    nodes: set[str] = field(default_factory=set)


class _WrongClock(Protocol):
    wrong: _Wrong


def _lacks(fault: _WrongClock, host: Host) -> str | None:
    return clocks.lacks(host)


def _begin(fault: _WrongClock, scene: Scene, scope: Scope) -> None:
    """Begin it there; whatever one of its name did elsewhere, whose place it takes, is over.

    A process that was started a moment ago is not yet what it will be: that is when it serves.
    """
    wrong = fault.wrong
    anew = wrong.nodes & set(scope.nodes)
    wrong.nodes.update(scope.nodes)
    others = {host.name for host in scene.hosts} - wrong.nodes
    wanted = {node: wrong.options(node) for node in scope.nodes}
    limit = time.monotonic() + _START_S
    while anew and time.monotonic() < limit and not anew <= set(scene.serving(scope)):
        clocks.change(scene, wanted)
        time.sleep(_LOOK_S)
    clocks.change(scene, wanted | dict.fromkeys(others, wrong.right))


def _prove(fault: _WrongClock, scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """It bit if on each node that is not kept down a process reads what it should."""
    wrong = fault.wrong
    found = clocks.read(scene, scope.nodes, wrong.look_s)
    shown = {node: _showing(wrong, node, readings) for node, readings in found.items()}
    up = [node for node in found if node not in scene.held]
    figures = {node: round(wrong.figure(each), 3) for node, each in shown.items() if each}
    return {"bit": bool(up) and all(shown[node] for node in up), wrong.word: figures}


def _lasted(fault: _WrongClock, scene: Scene, scope: Scope) -> Lasted:
    """A process that was started anew by another hand has the true time."""
    found = clocks.read(scene, scope.nodes)
    true = [
        node
        for node, readings in found.items()
        if readings and node not in scene.held and not _showing(fault.wrong, node, readings)
    ]
    return Lasted({"gone_on": sorted(true)} if true else {})


def _end(fault: _WrongClock, scene: Scene, scope: Scope) -> None:
    fault.wrong.nodes.difference_update(scope.nodes)
    clocks.change(scene, dict.fromkeys(scope.nodes, fault.wrong.right))


def _showing(wrong: _Wrong, node: str, readings: Sequence[Reading]) -> Reading | None:
    """Return the reading of a process whose clock is wrong as it should be, if there is one."""
    for each in readings:
        if each.monotonic < _NEAR_S and each.error < _NEAR_S and wrong.should(node, each):
            return each
    return None


def _enough(s: float) -> float:
    if abs(s) < _LEAST_S:
        raise SettingError(
            f"s={s:g} is too little to be seen: at least {_LEAST_S:g}, or as much below 0"
        )
    return s


class ClockJump:
    """Lets the clocks of the store's processes jump, and jump back a moment later."""

    name = "clock-jump"
    traits = _TRAITS

    def __init__(
        self,
        s: Seconds = 100,
        back: Annotated[
            float, Setting("Seconds after which it jumps back.", least=0.1, most=3600)
        ] = 1,
    ) -> None:
        jump = ("--jump", f"{_enough(s):f}")
        self._back = back
        self.wrong = _Wrong(
            options=lambda node: jump,
            right=("--jump", "0"),
            should=lambda node, reading: abs(reading.jump - s) < _NEAR_S,
            word="seconds_off",
            figure=lambda reading: reading.jump,
        )

    def lasts(self, session_s: float | None) -> float | None:
        return self._back

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end


class ClockSkew:
    """Sets the clocks of the store's processes apart from each other, for as long as it lasts."""

    name = "clock-skew"
    traits = _TRAITS

    def __init__(self, s: Seconds = 5) -> None:
        self._s = _enough(s)
        self._skews: dict[str, float] = {}
        self.wrong = _Wrong(
            options=lambda node: ("--skew", f"{self._skews[node]:f}"),
            right=("--skew", "0"),
            should=lambda node, reading: abs(reading.skew - self._skews[node]) < _NEAR_S,
            word="seconds_off",
            figure=lambda reading: reading.skew,
        )

    def begin(self, scene: Scene, scope: Scope) -> None:
        """Give a single node all of it, and several ones evenly from there to as much below 0."""
        if not self._skews:
            last = max(len(scope.nodes) - 1, 1)
            self._skews = {
                node: self._s * (1 - 2 * place / last) for place, node in enumerate(scope.nodes)
            }
        _begin(self, scene, scope)

    lacks, prove, lasted, end = _lacks, _prove, _lasted, _end


class ClockStrobe:
    """Lets the clocks of the store's processes jump to and fro."""

    name = "clock-strobe"
    traits = _TRAITS

    def __init__(
        self,
        s: Seconds = 200,
        period: Annotated[
            float, Setting("Seconds from one jump to the next of its kind.", least=0.02, most=10)
        ] = 0.2,
    ) -> None:
        strobe = ("--strobe", f"{_enough(s):f}", "--period", f"{period:f}")
        self.wrong = _Wrong(
            options=lambda node: strobe,
            right=("--strobe", "0"),
            should=lambda node, reading: abs(reading.strobe - s) < _NEAR_S,
            word="seconds_to_and_fro",
            figure=lambda reading: reading.most - reading.least,
            look_s=period,
        )

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end


class ClockRate:
    """Lets the clocks of the store's processes go faster or slower than time."""

    name = "clock-rate"
    traits = _TRAITS

    def __init__(
        self,
        factor: Annotated[
            float, Setting("Seconds that pass there in one.", least=0.01, most=100)
        ] = 2,
    ) -> None:
        if abs(factor - 1) < _LEAST_RATE:
            raise SettingError(f"factor={factor:g} is too little to be seen: another than about 1")
        rate = ("--factor", f"{factor:f}")
        self.wrong = _Wrong(
            options=lambda node: rate,
            right=("--factor", "1"),
            should=lambda node, reading: abs(reading.factor - factor) < _LEAST_RATE / 2,
            word="seconds_in_one",
            figure=lambda reading: reading.rate,
            look_s=_LOOK_S,
        )

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end
