"""Who claimed to lead, and when, from what the monitor polled."""

from collections.abc import Sequence

from partita.checker import Event, History
from partita.reports.figures.faults import SECOND

# The monitor speaks every few seconds at least: longer silence is ignorance, not constancy.
SILENCE = 15 * SECOND


def leaders_over_time(
    history: History, nodes: Sequence[str], end: int
) -> dict[str, list[tuple[int, int]]]:
    """For each node the stretches [begin, end) in ns in which it claimed to lead."""
    polls = list(history.others.of("leader"))
    return {node: _joined(_claims(polls, node, end)) for node in nodes}


def _claims(polls: Sequence[Event], node: str, end: int) -> list[tuple[int, int]]:
    nexts = [*(poll.time for poll in polls[1:]), end]
    return [
        (poll.time, min(after, poll.time + SILENCE))
        for poll, after in zip(polls, nexts, strict=False)
        if isinstance(poll.value, list) and node in poll.value
    ]


def _joined(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for begin, end in stretches:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return joined
