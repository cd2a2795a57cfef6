"""When which fault begins and ends: parsed from text, or planned. Touches no host.

A schedule is a list of steps, `TIME ACTION WHOM SETTINGS`:

    8s partition leader-minority      begin a fault, on a target
    8s kill n2,n3                     … or on nodes by name
    8s path/to/file.py:Class all      … of somebody's own
    8s delay all ms=50                … with settings
    20s heal                          end every fault in force
    20s heal partition,kill           end the faults of these names
    8s client-pause c1 ttl=2          … on hosts of clients; it may end by itself
    20s start n3                      end on these nodes what was done to nodes
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import floor
from random import Random
from typing import Any

from partita.checker.plugins import PluginError
from partita.nemesis import faults
from partita.nemesis.fault import Fault, HasBounds

INTERVAL_S_MAX = 15.0
INTERVAL_S_MIN = 0.1
HEAL, START = "heal", "start"
FORM = '"8s partition leader-minority; 25s heal; 32s kill leader; 38s heal"'


Given = Callable[[str], Mapping[str, Any]]


class ScheduleError(ValueError):
    """A schedule that means nothing: one line that says where, and what it should look like."""


@dataclass(frozen=True, slots=True)
class Step:
    """At `at` seconds after the load began: begin a fault, or end some.

    `target` is a target's name, or nodes' names, joined by commas; of a heal the faults' names,
    empty for all. `settings` have the values that the text stood for.
    """

    at: float
    action: str
    target: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        given = [f"{name}={value}" for name, value in self.settings.items()]
        return " ".join(filter(None, [f"{self.at:g}s", self.action, self.target, *given]))

    @property
    def begins(self) -> bool:
        """Whether it begins a fault."""
        return self.action not in (HEAL, START)

    @property
    def words(self) -> tuple[str, ...]:
        """What stands between the commas of its target."""
        return tuple(filter(None, self.target.split(",")))

    def fault(self, kinds: faults.Kinds = faults.NONE) -> Fault:
        """Make the fault that it begins, one of `kinds` if its name is there.

        Raises `PluginError`.
        """
        return faults.make(self.action, self.settings, kinds)


def _nothing_given(fault: str) -> Mapping[str, Any]:
    return {}


def parse(
    text: str,
    nodes: Collection[str] = (),
    given: Given = _nothing_given,
    clients: Collection[str] = (),
) -> tuple[Step, ...]:
    """Read a schedule such as "65s partition leader-minority; 135s heal".

    `nodes` are the names by which a step may name nodes, and `clients` the hosts of clients;
    `given(fault)` are settings that hold where a step says nothing else. Raises `ScheduleError`.
    """
    every = [*nodes, *clients]
    parts = [part.strip() for part in text.split(";") if part.strip()]
    steps = [_parse_step(part, nodes, given, clients) for part in parts]
    known = {*faults.names(), *(_made(step).name for step in steps if step.begins)}
    for step in steps:
        if step.action == HEAL:
            _check_heal(step, known, every)
    if not any(step.begins for step in steps):
        raise ScheduleError(f"the schedule has no fault: write for instance {FORM}")
    for before, after in pairwise(steps):
        if after.at < before.at:
            raise ScheduleError(f'schedule: "{after}" stands after "{before}", but comes before it')
    return tuple(steps)


def in_turn(text: str) -> list[str]:
    """Return the names in a nemesis such as "kill-leader, pause-one"; "none" stands for none."""
    names = [name.strip() for name in text.split(",")]
    return [name for name in names if name and name != "none"]


def plan(
    names: Sequence[str],
    interval: float | None,
    time_limit: float,
    given: Given = _nothing_given,
    session_s: float | None = None,
) -> tuple[Step, ...]:
    """Let each fault in turn last one interval, with one interval of peace before and after it.

    A fault that knows for how long it is to last ends by itself (see `HasLength`). The last one
    is healed early enough for an interval of recovery, as far as the time allows.
    Without an interval: as long as lets every fault have its turn, and at most `INTERVAL_S_MAX`.
    """
    chosen = [fault(name) for name in names]
    turns = [Turn(*each, given(each[0]), session_s) for each in chosen]
    if interval is None:
        interval = _interval(turns, time_limit)
    if turns and interval < INTERVAL_S_MIN:
        raise ScheduleError(
            f"a fault must last {INTERVAL_S_MIN:g} s at least, not {interval:g}: "
            "give a longer --nemesis-interval or --time-limit"
        )
    steps: list[Step] = []
    at, done = interval, 0
    while turns:
        turn = turns[done % len(turns)]
        over = at + (turn.length or interval)
        if over > time_limit - min(interval, 5.0):
            break
        steps.append(Step(at, turn.action, turn.target, turn.settings))
        steps += [] if turn.length else [Step(over, HEAL)]
        at, done = over + interval, done + 1
    if done < len(turns):
        raise ScheduleError(
            f"{_faults_of(turns, interval)} do not fit into --time-limit {time_limit:g}: "
            f"give it {_needed(turns, interval):g} s, or a smaller --nemesis-interval"
        )
    return tuple(steps)


class Turn:
    """A fault that takes turns with others: `length` is in seconds, None: one interval."""

    def __init__(
        self, action: str, target: str, settings: Mapping[str, Any], session_s: float | None
    ) -> None:
        self.action, self.target, self.settings = action, target, settings
        made = _made(Step(0, action, target, settings))
        self.length = faults.length_of(made, session_s)


def _interval(turns: Sequence[Turn], time_limit: float) -> float:
    """Return the longest interval that gives every fault a turn, in whole tenths of a second.

    They read better, and leave no rounding error at the end.
    """
    own = [turn.length for turn in turns if turn.length]
    free = 2 * len(turns) - len(own) + 1
    interval = min(INTERVAL_S_MAX, floor(10 * (time_limit - sum(own)) / free) / 10)
    return max(interval, 0.0)


def _needed(turns: Sequence[Turn], interval: float) -> float:
    return sum(interval + (turn.length or interval) for turn in turns) + min(interval, 5.0)


def _faults_of(turns: Sequence[Turn], interval: float) -> str:
    lengths = {turn.length or interval for turn in turns}
    each = f"{lengths.pop():g} s" if len(lengths) == 1 else "such lengths"
    return f"{len(turns)} faults of {each}"


def fault(name: str) -> tuple[str, str]:
    """Read a fault's name, such as "leader-minority" or "kill-leader", as action and target."""
    try:
        return faults.parse_name(name)
    except PluginError as error:
        raise ScheduleError(str(error)) from error


def check(
    steps: Sequence[Step],
    nodes: int,
    time_limit: float,
    *,
    has: Callable[[str], bool],
    clients: int = 0,
) -> None:
    """Refuse a schedule that cannot be carried out on so many nodes of such a system.

    `clients` is the number of hosts of clients.

    `has` says whether the system has a method of that name. Raises `ScheduleError`.
    """
    in_force: dict[str, Fault] = {}
    for step in steps:
        if step.at >= time_limit:
            raise ScheduleError(f'schedule: "{step}" is not before --time-limit {time_limit:g}')
        if step.action == HEAL:
            in_force = _after_heal(step, in_force)
        elif step.action == START:
            if all(each.traits.strikes == "links" for each in in_force.values()):
                raise ScheduleError(f'schedule: "{step}": no fault is in force on a node then')
        else:
            made = _made(step)
            _check_number(step, made, clients if made.traits.strikes == "clients" else nodes)
            _check_system(step, made, has)
            if made.traits.stacks == "alone" and made.name in in_force:
                raise ScheduleError(f'schedule: "{step}" needs a heal of {made.name} before it')
            if not made.traits.momentary:
                in_force[made.name] = made


def needs_of(steps: Sequence[Step]) -> set[str]:
    """Return the methods that a schedule's faults need of a system."""
    return {name for step in steps if step.begins for name in step.fault().traits.needs}


def _after_heal(step: Step, in_force: Mapping[str, Fault]) -> dict[str, Fault]:
    for name in step.words:
        if name not in in_force:
            raise ScheduleError(f'schedule: "{step}": no {name} is in force then')
    left = {name: each for name, each in in_force.items() if name not in step.words}
    return left if step.words else {}


def _check_number(step: Step, made: Fault, there: int) -> None:
    what = f"{made.name} {step.target}"
    if made.traits.strikes == "clients" and not there:
        raise ScheduleError(
            f"{what} needs client nodes, and this run has none: --client-nodes 2 makes some on a "
            "local cluster, --client-node HOST names one"
        )
    place = faults.target_called(step.target)
    needed = place.nodes_min(made.traits.strikes) if place else 1
    if there < needed:
        kind = "client nodes" if made.traits.strikes == "clients" else "nodes"
        raise ScheduleError(f"{what} needs {needed} {kind}, there are {there}")
    if isinstance(made, HasBounds):
        struck = _number_struck(step, made, there)
        if why := made.refuses(struck, there):
            raise ScheduleError(f'schedule: "{step}": {why}')


def _number_struck(step: Step, made: Fault, there: int) -> int:
    """Return how many nodes it strikes, which does not depend on who they are."""
    place = faults.target_called(step.target)
    if place is None:
        return len(set(step.words))
    names = [str(number) for number in range(there)]
    return len(place.scope(made.traits.strikes, names, names[:1], Random(0)).nodes)


def _check_system(step: Step, made: Fault, has: Callable[[str], bool]) -> None:
    what = f"{made.name} {step.target}"
    place = faults.target_called(step.target)
    if not all(map(has, made.traits.needs)):
        methods = " and ".join(f"{name}()" for name in made.traits.needs)
        raise ScheduleError(
            f'"{what}" needs a system with {methods}, and this one has no {methods}'
        )
    if place and place.needs_leader and not has("primaries"):
        raise ScheduleError(
            f'"{what}" needs a system that can say who leads it, and this one has no primaries()'
        )


def _made(step: Step) -> Fault:
    try:
        return step.fault()
    except PluginError as error:
        raise ScheduleError(f'schedule: "{step}": {error}') from error


def _parse_step(text: str, nodes: Collection[str], given: Given, clients: Collection[str]) -> Step:
    match = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*s?\s+(\S.*)", text)
    if match is None:
        raise ScheduleError(f"schedule: cannot read {text!r}: write for instance {FORM}")
    action, *words = match[2].split()
    given_words = [word.split("=", 1) for word in words if "=" in word]
    settings = dict(given_words)
    if len(settings) < len(given_words):
        raise ScheduleError(f"schedule: {text!r} gives a setting twice")
    whom = [word for word in words if "=" not in word]
    if len(whom) > 1:
        raise ScheduleError(f"schedule: cannot read {text!r}: nodes' names are joined by commas")
    step = Step(float(match[1]), action, "".join(whom), settings)
    if step.begins:
        return _with_values(step, nodes, given, clients)
    if settings:
        raise ScheduleError(f"schedule: {action} takes no settings: {text!r}")
    if action == START:
        _check_start(step, [*nodes, *clients])
    return step


def _with_values(
    step: Step, nodes: Collection[str], given: Given, clients: Collection[str]
) -> Step:
    """Check a step that begins a fault, and read its settings."""
    if ".py:" not in step.action and step.action not in faults.names():
        known = ", ".join([*faults.names(), HEAL, START])
        raise ScheduleError(f"schedule: no action is called {step.action!r}: choose from {known}")
    try:
        traits = faults.kind_of(step.action).traits
        places = faults.targets_of(step.action)
        settings = {**given(step.action), **faults.values(step.action, step.settings)}
    except PluginError as error:
        raise ScheduleError(f'schedule: "{step}": {error}') from error
    step = replace(step, target=step.target or traits.target)
    nodes = clients if traits.strikes == "clients" else nodes
    if step.target not in places and not (step.words and set(step.words) <= set(nodes)):
        raise ScheduleError(
            f"schedule: {step.action} needs a target, one of {', '.join(places)}, "
            f"or nodes' names{f' ({_list(nodes)})' if nodes else ''}, not {step.target!r}"
        )
    return replace(step, settings=settings)


def _check_heal(step: Step, known: Collection[str], nodes: Collection[str]) -> None:
    for name in step.words:
        if name in nodes:
            raise ScheduleError(
                f'schedule: "{step}": what was done to a node ends with "start {name}"'
            )
        if name not in known:
            raise ScheduleError(
                "schedule: heal takes no target: it ends every fault, "
                f'or the kinds that it names, of {_list(sorted(known))}: "{step}"'
            )


def _check_start(step: Step, nodes: Collection[str]) -> None:
    if not step.words or not set(step.words) <= set(nodes):
        raise ScheduleError(
            f"schedule: start takes nodes' names, joined by commas"
            f'{f" ({_list(nodes)})" if nodes else ""}: "{step}"'
        )


def _list(names: Collection[str]) -> str:
    return ", ".join(names)
