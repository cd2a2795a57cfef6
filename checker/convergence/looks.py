"""What each node showed in the end, and whether it had the time to show all.

The final reads are those after all was healed: a run says when that was. In a history that does
not, they are the reads after the last add had ended. Each node may be read several times; the last
answer counts. A node is a node of the history, or a process if it names none.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.history import NEVER, OUTCOMES, History, IntColumn

ADDS = ("add", "broadcast")
READ = "read"
OK, FAIL, INFO = (OUTCOMES.index(each) for each in ("ok", "fail", "info"))


@dataclass(frozen=True, slots=True)
class Look:
    """A node's last final read: the row, what it showed, and since when (ns) it showed the same.

    `since` is -1 if the node had shown nothing else before.
    """

    row: int
    shown: Any
    since: int = -1


@dataclass(frozen=True, slots=True)
class Looks:
    """The last looks by node, the nodes that answered none, and when all was healed (ns)."""

    last: Mapping[str, Look]
    silent: Sequence[str]
    healed: int
    quiet_since: int
    until: int  # when the earliest of the last reads was sent

    def settled(self, settle_ns: int) -> bool:
        """Say whether nothing changed any more for so long before each node's last answer."""
        timed = self.healed >= 0 and self.until >= 0 and not self.silent and bool(self.last)
        return timed and self.until >= self.quiet_since + settle_ns


@dataclass(frozen=True, slots=True)
class Heal:
    """When the final reads began: the rank of an event, and its time (ns, -1 if not said)."""

    rank: int
    time: int


def heal_of(history: History) -> Heal:
    """Find when all was healed, in the whole history."""
    told = next(
        (event for event in history.others.of("phase") if event.value == "final reads"), None
    )
    if told is not None:
        return Heal(told.rank, told.time)
    adds = np.flatnonzero(history.among(ADDS))
    open_ = history.ended_rank[adds] == NEVER
    ranks = np.where(open_, history.invoked_rank[adds], history.ended_rank[adds])
    times = np.where(open_, history.invoked_ns[adds], history.completed_ns[adds])
    return Heal(int(ranks.max(initial=-1)), int(times.max(initial=-1)))


def places_of(history: History) -> Sequence[str]:
    """Return the name of each operation's node."""
    return [
        history.nodes[node] if node >= 0 else f"process {history.process_of(row)}"
        for row, node in enumerate(history.node.tolist())
    ]


def looks_at(
    history: History,
    reads: IntColumn,
    heal: Heal,
    places: Sequence[str],
    shown: Callable[[int], Any],
) -> Looks:
    """Gather what each node showed last. `reads` succeeded; `shown` makes answers comparable."""
    by_place: dict[str, list[int]] = defaultdict(list)
    for row in reads[history.invoked_rank[reads] > heal.rank].tolist():
        by_place[places[row]].append(row)
    last = {place: _look(history, rows, shown) for place, rows in sorted(by_place.items())}
    invoked = [int(history.invoked_ns[look.row]) for look in last.values()]
    return Looks(
        last,
        sorted(set(places) - set(last)),
        heal.time,
        max([heal.time, *(look.since for look in last.values())]),
        min(invoked, default=-1),
    )


def _look(history: History, rows: Sequence[int], shown: Callable[[int], Any]) -> Look:
    """Go back from the last answer to the first of those that were the same."""
    value, first = shown(rows[-1]), len(rows) - 1
    while first and shown(rows[first - 1]) == value:
        first -= 1
    return Look(rows[-1], value, int(history.completed_ns[rows[first]]) if first else -1)
