"""When which fault begins and ends: parsed from text, or planned from a seed. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

from partita.nemesis import process
from partita.nemesis.grudges import GRUDGES, NEEDS_LEADER, NODES_MIN

TARGETS: Mapping[str, Collection[str]] = {
    "partition": tuple(GRUDGES),
    **dict.fromkeys(process.ACTIONS, tuple(process.TARGETS)),
}
INTERVAL_S_MAX = 15.0
INTERVAL_S_MIN = 0.1
FORM = '"8s partition leader-minority; 25s heal; 32s kill leader; 38s heal"'


class ScheduleError(ValueError):
    """A schedule that means nothing: one line that says where, and what it should look like."""


@dataclass(frozen=True, slots=True)
class Step:
    """At `at` seconds after the load began: begin a fault, or `heal` every one in force."""

    at: float
    action: str
    target: str = ""

    def __str__(self) -> str:
        return f"{self.at:g}s {self.action} {self.target}".strip()


def parse(text: str) -> tuple[Step, ...]:
    """Read a schedule such as "65s partition leader-minority; 135s heal"."""
    steps = [_parse_step(part.strip()) for part in text.split(";") if part.strip()]
    if all(step.action == "heal" for step in steps):
        raise ScheduleError(f"the schedule has no fault: write for instance {FORM}")
    for before, after in pairwise(steps):
        if after.at < before.at:
            raise ScheduleError(f'schedule: "{after}" stands after "{before}", but comes before it')
    return tuple(steps)


def plan(names: Sequence[str], interval: float | None, time_limit: float) -> tuple[Step, ...]:
    """Let each fault in turn last one interval, with one interval of peace before and after it.

    The last fault is healed early enough for an interval of recovery, as far as the time allows.
    Without an interval: as long as lets every fault have its turn, and at most `INTERVAL_S_MAX`.
    """
    if interval is None:
        # Whole tenths of a second read better, and leave no rounding error at the end.
        interval = min(INTERVAL_S_MAX, floor(10 * time_limit / (2 * len(names) + 1)) / 10)
    faults = [fault(name) for name in names]
    if faults and interval < INTERVAL_S_MIN:
        raise ScheduleError(
            f"a fault must last {INTERVAL_S_MIN:g} s at least, not {interval:g}: "
            "give a longer --nemesis-interval or --time-limit"
        )
    steps: list[Step] = []
    at = interval
    while faults and at + interval <= time_limit - min(interval, 5.0):
        action, target = faults[len(steps) // 2 % len(faults)]
        steps += [Step(at, action, target), Step(at + interval, "heal")]
        at += 2 * interval
    if len(steps) // 2 < len(faults):
        needed = 2 * interval * len(faults) + min(interval, 5.0)
        raise ScheduleError(
            f"{len(faults)} faults of {interval:g} s do not fit into --time-limit {time_limit:g}: "
            f"give it {needed:g} s, or a smaller --nemesis-interval"
        )
    return tuple(steps)


def fault(name: str) -> tuple[str, str]:
    """Read a fault's name, such as "leader-minority" or "kill-leader", as action and target."""
    if name in GRUDGES:
        return "partition", name
    if name in process.NAMES:
        action, _, target = name.partition("-")
        return action, target
    known = ", ".join((*GRUDGES, *process.NAMES, "none"))
    raise ScheduleError(f"no nemesis is called {name!r}: choose from {known}")


def check(
    steps: Sequence[Step], nodes: int, time_limit: float, *, has_leader: bool, can_pause: bool
) -> None:
    """Refuse a schedule that cannot be carried out on so many nodes of such a system."""
    for step in steps:
        if step.at >= time_limit:
            raise ScheduleError(f'schedule: "{step}" is not before --time-limit {time_limit:g}')
        needed = _nodes_min(step)
        if nodes < needed:
            raise ScheduleError(
                f"{step.action} {step.target} needs {needed} nodes, there are {nodes}"
            )
        if step.action == "pause" and not can_pause:
            raise ScheduleError(
                f'"{step.action} {step.target}" needs a system that can be paused, '
                "and this one has no pause() and resume()"
            )
        if step.target in NEEDS_LEADER and not has_leader:
            raise ScheduleError(
                f'"{step.action} {step.target}" needs a system that can say who leads it, '
                "and this one has no primaries()"
            )


def _nodes_min(step: Step) -> int:
    if step.action == "partition":
        return NODES_MIN.get(step.target, 2)
    return 3 if step.target == "minority" else 1


def _parse_step(text: str) -> Step:
    match = re.fullmatch(r"([0-9.]+)\s*s?\s+([a-z-]+)(?:\s+([a-z-]+))?", text)
    try:
        at = float(match[1]) if match else -1.0
    except ValueError:
        at = -1.0
    if match is None or at < 0:
        raise ScheduleError(f"schedule: cannot read {text!r}: write for instance {FORM}")
    action, target = match[2], match[3] or ""
    if action == "heal":
        if target:
            raise ScheduleError(f"schedule: heal ends every fault, it takes no target: {text!r}")
    elif action not in TARGETS:
        raise ScheduleError(
            f"schedule: no action is called {action!r}: choose from {', '.join(TARGETS)}, heal"
        )
    elif target not in TARGETS[action]:
        raise ScheduleError(
            f"schedule: {action} needs a target, one of {', '.join(TARGETS[action])}, "
            f"not {target!r}"
        )
    return Step(at, action, target)
