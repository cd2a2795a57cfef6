"""The oracle of the check `convergence`: its definition, tried out word by word, for one object.

Short enough to be believed by reading, and slow. The check is compared with it in the tests;
nothing else uses it, and it shares no code with it.
"""

from itertools import chain, combinations, pairwise
from typing import Any, Literal

from partita.checker.history import History, Op

Known = Literal[True, False, "unknown"]


def converges(history: History, settle_ns: int) -> Known:
    """Say whether a small history ended with all nodes the same. Elements and sums are ints."""
    ops = list(history)
    adds = [op for op in ops if op.f in ("add", "broadcast")]
    reads = [op for op in ops if op.f == "read" and op.outcome == "ok"]
    of_sets = any(isinstance(op.output, list) for op in reads)
    if of_sets and not all(_is_possible(history, read, adds) for read in reads):
        return False
    if not any(op.outcome == "ok" for op in adds):
        return "unknown"
    final = [event for event in history.others if event.value == "final reads"]
    healed = final[0].time
    late = [op for op in reads if history.invoked_rank[op.index] > final[0].rank]
    answers = {node: [op for op in late if op.node == node] for node in {op.node for op in ops}}
    if not all(answers.values()):
        return "unknown"
    ends = [each[-1].output for each in answers.values()]
    if of_sets:
        same = all(set(end) == set(ends[0]) for end in ends)
        whole = all(op.input in ends[0] for op in adds if op.outcome == "ok")
    else:
        same = all(end == ends[0] for end in ends)
        whole = all(end in _sums(adds) for end in ends)
    if same and whole:
        return True
    had_time = all(_had_time(each, answers, healed, settle_ns) for each in answers.values())
    return False if had_time else "unknown"


def _is_possible(history: History, read: Op, adds: list[Op]) -> bool:
    """Say whether all that a read showed had been added by then, or perhaps had."""
    over = history.completed_rank[read.index]
    begun = [
        op.input for op in adds if op.outcome != "fail" and history.invoked_rank[op.index] < over
    ]
    shown = read.output
    return (
        isinstance(shown, list)
        and len(set(shown)) == len(shown)
        and all(each in begun for each in shown)
    )


def _sums(adds: list[Op]) -> set[int]:
    """Return what the acknowledged adds come to, with any choice of those of which nobody knows."""
    certain = sum(op.input for op in adds if op.outcome == "ok")
    unknown = [op.input for op in adds if op.outcome == "info"]
    choices = (combinations(unknown, count) for count in range(len(unknown) + 1))
    return {certain + sum(choice) for choice in chain.from_iterable(choices)}


def _had_time(mine: list[Op], answers: dict[Any, list[Op]], healed: int, settle_ns: int) -> bool:
    """Say whether, long before the last answer of a node, no node changed any more."""
    quiet = mine[-1].invoked - settle_ns
    changed = [
        later.completed
        for each in answers.values()
        for earlier, later in pairwise(each)
        if _value(earlier) != _value(later)
    ]
    return healed <= quiet and all((time or 0) <= quiet for time in changed)


def _value(read: Op) -> Any:
    return sorted(read.output) if isinstance(read.output, list) else read.output
