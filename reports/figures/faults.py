"""The faults of a run, read back from what the nemesis wrote into the history.

Everything that a report says about a fault (when it began and ended, whom it cut off, whether
it bit) comes from here, so that charts, tables and figures cannot disagree.

Injecting and healing take their time over SSH, and meanwhile a fault is there by halves. It is
*in force* from the end of its injection (the cut) to the beginning of its healing: only then is
nothing due to the store that the network did not allow.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from partita.checker import Event, History

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Times are ns since the run began.

    `begin` and `cut` are when its injection began and was complete, `heal` and `end` when its
    healing began and was complete (both None: never healed). `grudge` maps each node to the nodes
    whose packets it drops; `down` names the nodes that were killed, stopped or paused, and
    `restored` says when one of them was started again before the fault was over. `bit` is what
    the probe found: None if nobody looked.
    """

    number: int
    action: str
    target: str
    description: str
    begin: int
    cut: int
    heal: int | None
    end: int | None
    grudge: dict[str, list[str]] = field(default_factory=dict)
    down: tuple[str, ...] = ()
    restored: dict[str, int] = field(default_factory=dict)
    bit: bool | None = None
    proof: dict[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def label(self) -> str:
        """What stands above the fault's band in a chart."""
        said = self.description or self.target
        return said if said.startswith(self.action) else f"{self.action} {said}".strip()

    def ended(self, run_end: int) -> int:
        """When it was over, ns: at the run's end at the latest."""
        return run_end if self.end is None else self.end

    def at(self, time: int) -> "Fault":
        """The fault as it was then: without the nodes that had been started again."""
        down = tuple(node for node in self.down if time < self.restored.get(node, time + 1))
        return replace(self, down=down)

    def in_force(self, time: int) -> bool:
        return self.cut <= time and (self.heal is None or time < self.heal)


@dataclass(frozen=True, slots=True)
class Lost:
    """A node whose machine was lost: last heard of at `heard_s`, given up at `said_s`."""

    node: str
    heard_s: float
    said_s: float


def lost_of(history: History) -> list[Lost]:
    """The nodes that were lost in mid-run, in the order in which that was seen."""
    events = history.others.of("lost")
    return [_lost(event) for event in events if event.process == "nemesis"]


def _lost(event: Event) -> Lost:
    value, said = _mapping(event.value), event.time / SECOND
    heard = value.get("heard")
    known = heard if isinstance(heard, int | float) else said
    return Lost(str(value.get("node")), float(known), said)


def faults_of(history: History) -> list[Fault]:
    """The faults of a run, in the order in which they began."""
    events = list(history.others.at(history.others.by("nemesis")))
    about: dict[int, list[Event]] = {}
    for event in events:
        number = _mapping(event.value).get("fault")
        if event.f != "heal" and number is not None:
            about.setdefault(number, []).append(event)
    return [_fault(number, mine, events) for number, mine in about.items()]


def _fault(number: int, mine: list[Event], events: list[Event]) -> Fault:
    """From what was written about one fault: first that it begins, or that it could not."""
    begin = mine[0]
    value = _mapping(begin.value)
    heals = [event for event in events if number in _mapping(event.value).get("faults", ())]
    probes = [_mapping(event.value) for event in mine if event.f == "probe"]
    failures = [event for event in mine if event.type == "fail"]
    complete = [event.time for event in mine if event.f == begin.f and event.type == "ok"]
    figures = _figures(heals, number)
    proof = _proof(probes) | figures
    heal, end = (begin.time, begin.time) if begin.type == "fail" else _healing(heals)
    return Fault(
        number=number,
        action=begin.f,
        target=str(value.get("target") or ""),
        description=str(value.get("description") or " ".join(value.get("nodes", ()))),
        begin=begin.time,
        cut=complete[0] if complete else begin.time,
        heal=heal,
        end=end,
        grudge={node: list(drops) for node, drops in _mapping(value.get("grudge")).items()},
        down=() if value.get("grudge") else tuple(value.get("nodes", ())),
        restored=_restored(number, events),
        bit=False if failures or 0 in figures.values() else _bit(probes),
        proof=proof,
        error=_error(failures[0]) if failures else None,
    )


def _error(failure: Event) -> str:
    return str(failure.error or _mapping(failure.value).get("error") or "nobody knows why")


def _healing(heals: list[Event]) -> tuple[int | None, int | None]:
    """When the first healing that did not fail began, and when it was complete.

    One whose end nobody wrote down counts: the controller died with it.
    """
    begun: int | None = None
    for heal in heals:
        if heal.type == "invoke":
            begun = heal.time if begun is None else begun
        elif heal.type == "fail":
            begun = None
        else:
            return (heal.time if begun is None else begun), heal.time
    return begun, begun


def _restored(number: int, events: list[Event]) -> dict[str, int]:
    """When which node was started again, though the fault went on elsewhere."""
    starts = [
        (event.time, _mapping(event.value))
        for event in events
        if event.f == "start" and event.type == "ok"
    ]
    return {
        node: time
        for time, value in starts
        if number in value.get("of", ())
        for node in value.get("nodes", ())
    }


def _bit(probes: list[Mapping[str, Any]]) -> bool | None:
    said = [probe["bit"] for probe in probes if probe.get("bit") is not None]
    return bool(said[-1]) if said else None


def _proof(probes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What shows that the fault bit: counts of pairs, and what else a probe said."""
    proof: dict[str, Any] = {}
    for probe in probes:
        for name, value in probe.items():
            if name in ("cut", "unreachable"):
                proof[f"pairs_{name}"] = len(value)
            elif name not in ("fault", "bit") and value not in ([], {}, None):
                proof[name] = value
    return proof


def _figures(heals: Iterable[Event], number: int) -> dict[str, Any]:
    """What the fault's own mechanism counted until it was healed; a 0 says that it never bit."""
    figures: dict[str, Any] = {}
    for heal in heals:
        value = _mapping(heal.value)
        dropped = _mapping(value.get("dropped"))  # as runs had it before there were other figures
        if str(number) in dropped:
            figures["packets_dropped"] = dropped[str(number)]
        counted = _mapping(_mapping(value.get("figures")).get(str(number)))
        figures |= {
            name: count for name, count in counted.items() if isinstance(count, int | float)
        }
    return figures


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
