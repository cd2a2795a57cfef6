"""The oracle of the check `streams`: its definition, tried out word by word.

Short enough to be believed by reading, and slow. The check is compared with it in the tests;
nothing else uses it, and it shares no code with it.
"""

from itertools import combinations, product
from typing import Any, NamedTuple

from partita.checker.history import History, Op


class Shown(NamedTuple):
    """That a poll showed a message of a log, or that a send was told where it is."""

    key: str
    offset: int
    message: Any
    op: Op


def keeps(history: History) -> bool:
    """Say whether the logs of a small history gave back what was sent to them."""
    ops = list(history)
    sends = [op for op in ops if op.f == "send"]
    done = [op for op in sends if op.outcome == "ok"]
    polls = [op for op in ops if op.f == "poll" and op.outcome == "ok"]
    polled = [
        Shown(key, offset, message, op)
        for op in polls
        for key, pairs in op.output.items()
        for offset, message in pairs
    ]
    there = [Shown(op.key, op.version, op.input, op) for op in done] + polled
    return (
        _each_at_one_place(there)
        and all(_was_sent(history, each, sends) for each in polled)
        and all(_leaves_nothing_out(op, key, there) for op in polls for key in op.output)
        and all(_grows(*two) for two in combinations(done, 2))
        and all(_was_committed(history, op, ops) for op in ops if op.f == "committed")
    )


def _each_at_one_place(there: list[Shown]) -> bool:
    return all(
        (one.offset == other.offset) == (one.message == other.message)
        for one, other in product(there, there)
        if one.key == other.key
    )


def _was_sent(history: History, shown: Shown, sends: list[Op]) -> bool:
    return any(
        send.key == shown.key
        and send.input == shown.message
        and send.outcome != "fail"
        and history.invoked_rank[send.index] < history.completed_rank[shown.op.index]
        for send in sends
    )


def _leaves_nothing_out(poll: Op, key: str, there: list[Shown]) -> bool:
    offsets = [offset for offset, _ in poll.output[key]]
    if not offsets:
        return True
    asked = poll.input.get(key, 0)
    exist = {each.offset for each in there if each.key == key}
    return offsets == sorted(each for each in exist if asked <= each <= max(offsets))


def _grows(first: Op, second: Op) -> bool:
    """Operations stand in the order of their invocations."""
    mine = first.process == second.process and first.key == second.key
    return not mine or first.version < second.version


def _was_committed(history: History, asked: Op, ops: list[Op]) -> bool:
    if asked.outcome != "ok":
        return True
    over = history.completed_rank[asked.index]
    return all(
        any(
            op.f == "commit"
            and op.outcome != "fail"
            and history.invoked_rank[op.index] < over
            and op.input.get(key, -1) >= told
            for op in ops
        )
        for key, told in asked.output.items()
    )
