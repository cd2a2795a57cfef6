"""How available the store was: overall, by node, by second, and around each fault.

The measure is open-loop. An operation counts from when it was *due*, not from when a client,
perhaps blocked by an earlier one, came round to sending it, and it counts as acknowledged if the
store answered within the time-out after that. A cas that failed with "mismatch" counts as
acknowledged: the store answered, and definitely. Only the load phase counts; the final reads come
after healing, when everything works.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker import OUTCOMES, History
from partita.reports.figures.faults import SECOND, Fault

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# What only reads, in runs that do not say so themselves.
READS = ("read", "get")


@dataclass(frozen=True, slots=True)
class Load:
    """The operations of the load phase, as columns of length n. Times are ns.

    `due` falls back on the time of sending where the history names none; `completed` is -1 for
    an operation of which nobody heard again. `answered`: the store said ok, or "mismatch".
    `in_time`: it did so within the time-out after the due time. `succeeded`: it said ok; `wrote`:
    to something that changes the store. `node` is a position in `nodes`, -1 for none of them.
    """

    nodes: tuple[str, ...]
    timeout: int
    due: Ints
    invoked: Ints
    completed: Ints
    node: Ints
    answered: Bools
    in_time: Bools
    succeeded: Bools
    wrote: Bools

    @property
    def end(self) -> int:
        """When the load was over, ns: the last moment at which anything was due or answered."""
        return int(max(self.due.max(initial=0), self.completed.max(initial=0)))


@dataclass(frozen=True, slots=True)
class Windows:
    """Shares of due operations acknowledged in time, by one-second windows of their due times.

    `overall` has a value for each window, `by_node` a row for each node; NaN: nothing was due.
    """

    start_s: Floats
    overall: Floats
    by_node: Floats


def load_of(
    history: History, nodes: Sequence[str], timeout_s: float, reads: Sequence[str] = READS
) -> Load:
    """The operations whose availability is measured; `timeout_s` is an operation's time-out.

    `reads` are those operations, by their f, that change nothing.
    """
    chosen = in_load_phase(history)
    invoked, completed = history.invoked_ns[chosen], history.completed_ns[chosen]
    due = np.where(history.due_ns[chosen] < 0, invoked, history.due_ns[chosen])
    outcome = history.outcome[chosen]
    mismatches = [code for code, name in enumerate(history.errors) if name == "mismatch"]
    acknowledged = outcome == OUTCOMES.index("ok")
    mismatched = (outcome == OUTCOMES.index("fail")) & np.isin(history.error[chosen], mismatches)
    answered = (acknowledged | mismatched) & (completed >= 0)
    timeout = round(timeout_s * SECOND)
    return Load(
        nodes=tuple(nodes),
        timeout=timeout,
        due=due,
        invoked=invoked,
        completed=completed,
        node=_positions(history.nodes, nodes)[history.node[chosen]],
        answered=answered,
        in_time=answered & (completed - due <= timeout),
        succeeded=acknowledged,
        wrote=acknowledged & ~history.among(reads)[chosen],
    )


def reads_of(run: Mapping[str, Any]) -> tuple[str, ...]:
    """The operations of a run (the content of run.json) that only read, by their f."""
    operations = run.get("operations")
    if not operations:
        return READS
    return tuple(f for f, known in operations.items() if known.get("reads"))


def in_load_phase(history: History) -> Bools:
    """The operations up to the next phase after "load", or after the beginning."""
    phases = list(history.others.of("phase"))
    begin = next((event.rank for event in phases if event.value == "load"), -1)
    later = (event.rank for event in phases if event.rank > begin and event.value != "load")
    end = next(later, np.iinfo(np.int64).max)
    return (history.invoked_rank > begin) & (history.invoked_rank < end)


def _positions(table: Sequence[str], nodes: Sequence[str]) -> Ints:
    """From a history's code of a node to its position in `nodes`; code -1 falls on the last."""
    found = [nodes.index(name) if name in nodes else -1 for name in table]
    return np.array([*found, -1], dtype=np.int64)


def availability(load: Load) -> float | None:
    """Share of due operations acknowledged in time; None if nothing was due."""
    return float(load.in_time.mean()) if len(load.due) else None


def availability_by_node(load: Load) -> dict[str, float | None]:
    """The same for each node."""
    shares = {}
    for position, node in enumerate(load.nodes):
        mine = load.in_time[load.node == position]
        shares[node] = float(mine.mean()) if len(mine) else None
    return shares


def by_second(load: Load) -> Windows:
    """The same in one-second windows, from 0 to the last due time."""
    seconds = load.due // SECOND
    count = int(seconds.max(initial=-1)) + 1
    nodes = range(len(load.nodes))
    shares = [_shares(seconds[load.node == n], load.in_time[load.node == n], count) for n in nodes]
    return Windows(
        start_s=np.arange(count, dtype=np.float64),
        overall=_shares(seconds, load.in_time, count),
        by_node=np.array(shares).reshape(len(load.nodes), count),
    )


def _shares(window: Ints, in_time: Bools, count: int) -> Floats:
    due = np.bincount(window, minlength=count).astype(np.float64)
    shares = np.full(count, np.nan)
    shares[due > 0] = np.bincount(window[in_time], minlength=count)[due > 0] / due[due > 0]
    return shares


def longest_unavailability(
    load: Load, begin: int | None = None, end: int | None = None
) -> tuple[int, int]:
    """The longest stretch (its begin and end, ns) with operations outstanding and none answered.

    An operation is outstanding from its due time to its answer, or where none came, until its
    time-out. An answer that came too late still ends the stretch: the store was back. `begin` and
    `end` bound the time that is looked at; (0, 0) if nothing was outstanding in it.
    """
    starts, stops = _outstanding(load)
    points = np.unique(np.concatenate([starts, stops, load.completed[load.answered]]))
    if begin is not None or end is not None:
        points = np.unique(np.clip(points, begin, end))
    if len(points) < 2:
        return (0, 0)
    # Between two neighbouring points something is outstanding throughout, or nothing is.
    left, right = points[:-1], points[1:]
    latest = np.searchsorted(starts, left, "right") - 1
    inside = (latest >= 0) & (left < stops[latest])
    gaps = np.where(inside, right - left, 0)
    longest = int(gaps.argmax())
    return (int(left[longest]), int(right[longest])) if gaps[longest] else (0, 0)


def _outstanding(load: Load) -> tuple[Ints, Ints]:
    """Begins and ends of the stretches in which something was outstanding, joined and sorted."""
    order = np.argsort(load.due, kind="stable")
    begin = load.due[order]
    end = np.where(load.answered, load.completed, load.due + load.timeout)[order]
    reach = np.maximum.accumulate(end)
    starts = np.ones(len(begin), dtype=np.bool_)
    starts[1:] = begin[1:] > reach[:-1]
    stops = np.append(starts[1:], True)[: len(begin)]
    return begin[starts], reach[stops]


def succeeded_between(load: Load, begin: int, end: int) -> int:
    """Number of the operations that were sent and acknowledged as ok in a stretch of time (ns)."""
    inside = (load.invoked >= begin) & (load.completed <= end)
    return int((load.succeeded & inside).sum())


def availability_between(load: Load, begin: int, end: int) -> float | None:
    """Share of the operations due in a stretch of time (ns) that were acknowledged in time."""
    inside = (load.due >= begin) & (load.due < end)
    return float(load.in_time[inside].mean()) if inside.any() else None


def seconds_to_new_leader(load: Load, fault: Fault, quorum: frozenset[str]) -> float | None:
    """From the complete cut to the first acknowledged write, invoked after it, on a quorum's node.

    The cut is when the injection was complete: before, a write may still slip through. None if
    no node had a quorum, or no such write was acknowledged before the fault was over.
    """
    inside = load.wrote & (load.invoked >= fault.cut) & _on(load, quorum)
    completed = load.completed[inside & (load.completed <= fault.ended(load.end))]
    return float(completed.min() - fault.cut) / SECOND if len(completed) else None


def recover_by_node(load: Load, fault: Fault, quorum: frozenset[str]) -> dict[str, float | None]:
    """From the heal to the first acknowledged write on each node that had no quorum, seconds.

    0 for a node that was back before healing was complete, None for one on which no write was
    acknowledged any more; empty if the fault left every node its quorum, or was never healed.
    """
    if fault.heal is None or fault.end is None:
        return {}
    back = {node: _first_write(load, node, fault.heal) for node in load.nodes if node not in quorum}
    return {
        node: None if time is None else max(0, time - fault.end) / SECOND
        for node, time in back.items()
    }


def _first_write(load: Load, node: str, after: int) -> int | None:
    """When a write was first acknowledged on a node after some moment, ns."""
    completed = load.completed[load.wrote & (load.completed >= after) & _on(load, [node])]
    return int(completed.min()) if len(completed) else None


def _on(load: Load, nodes: frozenset[str] | Sequence[str]) -> Bools:
    return np.isin(load.node, [load.nodes.index(node) for node in nodes])


def slowest(seconds: dict[str, float | None]) -> float | None:
    """The time until every node was back; None if one never was, or none had to be."""
    known = [value for value in seconds.values() if value is not None]
    return max(known) if known and len(known) == len(seconds) else None
