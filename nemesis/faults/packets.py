"""Slow and careless networks: what is sent arrives late, out of order, or a little at a time.

Elections and time-outs go wrong at 100 ms, and not only when nothing comes at all. Each of these
strikes what a node *receives* from others, so that a link can be slow in one direction only. A
packet here is what the kernel hands over, which between machines of one host is up to 64 kB.
"""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Annotated, Any, Protocol

from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Scene, Storm, Traits
from partita.nemesis.hosts import Host
from partita.nemesis.packets import Line
from partita.nemesis.ports import PortClass, Ports
from partita.nemesis.targets import Scope

_DELAY, _REORDER, _SLOW = (
    Line(name, number) for number, name in enumerate(("delay", "reorder", "slow"))
)

BY_PROGRAM = "NFQUEUE and a program of Partita's"
_PATIENCE_S = 2.0

Ms = Annotated[float, Setting("Milliseconds that each packet waits.", least=1, most=5000)]


class _Holds(Protocol):
    """A fault that holds packets back.

    Each round trip gains `least_ms` certainly, and `most_ms` at most, while nobody else sends.
    """

    line: Line
    least_ms: float
    most_ms: float
    before: Mapping[tuple[str, str], float]


def _lacks(fault: _Holds, host: Host) -> str | None:
    return fault.line.lacks(host)


def _begin(fault: _Holds, scene: Scene, scope: Scope) -> None:
    fault.before = fault.line.round_trips(scene, scope, _PATIENCE_S)
    fault.line.begin(scene, scope)


def _prove(fault: _Holds, scene: Scene, scope: Scope) -> Mapping[str, Any]:
    """It bit if no link that answered before is less than half as late as it should be."""
    after = fault.line.round_trips(scene, scope, _PATIENCE_S + 10 * fault.most_ms / 1000)
    later = [after[link] - took for link, took in fault.before.items() if link in after]
    late = not fault.least_ms or min(later, default=0) >= fault.least_ms / 2
    missing = fault.line.gone(scene, scope)
    return {
        "bit": bool(later) and not missing and late,
        "round_trip_ms_before": _middle(fault.before.values()),
        "round_trip_ms": _middle(after.values()),
    }


def _middle(values: Iterable[float]) -> float | None:
    found = list(values)
    return round(median(found), 1) if found else None


def _lasted(fault: _Holds, scene: Scene, scope: Scope) -> Lasted:
    """What was never held back did not bite: the count is 0 then."""
    return fault.line.lasted(scene, scope)


def _end(fault: _Holds, scene: Scene, scope: Scope) -> None:
    fault.line.end(scene)


class Delay:
    """Lets packets wait before they arrive, in the order in which they were sent."""

    name = "delay"
    traits = Traits(
        strikes="links",
        stacks="replace",
        storm=Storm(2, (2.0, 8.0)),
        how=BY_PROGRAM,
        heal=_DELAY.heal,
    )

    def __init__(
        self,
        ms: Ms = 50,
        jitter: Annotated[
            float, Setting("Milliseconds more or less, drawn for each packet.", least=0, most=5000)
        ] = 0,
        port: PortClass = "all",
    ) -> None:
        self.traits = Ports(port).traits(type(self).traits)
        self.line = _DELAY.with_options(Ports(port), "--delay-ms", ms, "--jitter-ms", jitter)
        self.least_ms, self.most_ms = max(0.0, ms - jitter), ms + jitter
        self.before: Mapping[tuple[str, str], float] = {}

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end


class Reorder:
    """Lets most packets wait, and some overtake them."""

    name = "reorder"
    traits = Traits(
        strikes="links", stacks="replace", storm=Storm(1), how=BY_PROGRAM, heal=_REORDER.heal
    )

    def __init__(
        self,
        percent: Annotated[float, Setting("How many packets overtake.", least=1, most=99)] = 25,
        ms: Ms = 20,
        port: PortClass = "all",
    ) -> None:
        self.traits = Ports(port).traits(type(self).traits)
        self.line = _REORDER.with_options(
            Ports(port), "--delay-ms", ms, "--reorder-percent", percent
        )
        # A probe's one packet may be one that overtakes.
        self.least_ms, self.most_ms = 0.0, ms
        self.before: Mapping[tuple[str, str], float] = {}

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end


class Slow:
    """Lets so many bits through in a second; what has to wait over two seconds for it is lost."""

    name = "slow"
    traits = Traits(
        strikes="links", stacks="replace", storm=Storm(1), how=BY_PROGRAM, heal=_SLOW.heal
    )

    def __init__(
        self,
        kbit: Annotated[
            float, Setting("Thousands of bits in a second, to each node.", least=8, most=1e7)
        ] = 8000,
        port: PortClass = "all",
    ) -> None:
        self.traits = Ports(port).traits(type(self).traits)
        self.line = _SLOW.with_options(Ports(port), "--kbit", kbit)
        # A probe is too small to be late; what counts is what has to wait later on.
        self.least_ms, self.most_ms = 0.0, 2000.0
        self.before: Mapping[tuple[str, str], float] = {}

    lacks, begin, prove, lasted, end = _lacks, _begin, _prove, _lasted, _end
