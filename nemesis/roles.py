"""What a run struck by chance, said by the role that it had: so a repetition strikes the same.

A storm that cuts off "one" node may fail only because that one led. In the next run another node
leads, and nothing fails. If the schedule says "leader", it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from partita.checker.events import Event
from partita.nemesis import faults
from partita.nemesis.schedule import Step

# What a target by chance is where it met the leader.
ROLES = {"one": "leader", "minority": "leader-minority", "random-halves": "leader-minority"}


@dataclass(slots=True)
class _Seen:
    """Who led, and whom the faults struck that struck a leader, by the numbers of their steps."""

    leaders: set[str] = field(default_factory=set)
    met: set[int] = field(default_factory=set)


def by_role(steps: Sequence[Step], others: Sequence[Event]) -> tuple[Step, ...]:
    """Return the steps of a run with the leader named where chance met it.

    `others` are the events of the run's history that are no operations.
    """
    seen = _Seen()
    for event in others:
        if event.process == "monitor" and event.f == "leader":
            seen.leaders = set(event.value or ())
        elif event.process == "nemesis" and isinstance(event.value, dict):
            number = event.value.get("fault")
            if event.type == "invoke" and number and _struck(event.value) & seen.leaders:
                seen.met.add(number)
    return tuple(
        _named(step) if number in seen.met else step for number, step in enumerate(steps, 1)
    )


def _named(step: Step) -> Step:
    role = ROLES.get(step.target)
    if role is None or role not in faults.targets_of(step.action):
        return step
    return replace(step, target=role)


def _struck(value: Mapping[str, Any]) -> set[str]:
    """Return the nodes that a fault struck, of links those on the smaller side."""
    nodes = value.get("nodes") or value.get("on")
    if nodes:
        return set(nodes)
    grudge: Mapping[str, Sequence[str]] = value.get("grudge") or value.get("links") or {}
    return {node for node, others in grudge.items() if 2 * len(others) > len(grudge)}
