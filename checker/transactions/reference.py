"""The reference: isolation by its definition, tried out exhaustively.

Short enough to be believed by reading, exponential, and so for half a dozen transactions at most.
The engine is compared with it in the tests; nothing else uses it.

All models are told in one form (Cerone, Bernardi, Gotsman, CONCUR 2015). Transactions commit in
some order. Each of them *sees* some of those before it, whole ones: under each key it finds what
the last of these to write it had left, then what it wrote itself. A model says which sets may be
seen. Its *strong* form asks besides that whatever had ended before the transaction was invoked is
seen; its *strong-session* form asks that only of what the same process did.

Read committed has no such sets: each single read finds what any one before it had left.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

from partita.checker.history import NEVER, History

Order = Literal["", "strong-session", "strong"]


@dataclass(frozen=True, slots=True, eq=False)
class Transaction:
    """What one transaction did. Nothing is known of the reads of one that may not have committed.

    A list that was read is a tuple, so that it is compared as a whole.
    """

    process: int
    micro_ops: tuple[tuple[str, Any, Any], ...]
    sure: bool
    invoked: int
    ended: int

    @property
    def written(self) -> set[Any]:
        return {key for f, key, _ in self.micro_ops if f != "r"}

    def follows(self, other: "Transaction", order: Order) -> bool:
        """Say whether it was invoked when the other one had ended, as far as that matters."""
        mine = self.process == other.process
        return other.ended < self.invoked and (order == "strong" or (order != "" and mine))


Seen = frozenset[Transaction]


@dataclass(frozen=True, slots=True)
class Commit:
    """A transaction in its place in the order: whom it saw, and what it left under each key."""

    transaction: Transaction
    seen: Seen
    left: dict[Any, Any]


def all_of_them(before: list[Transaction]) -> Iterator[Seen]:
    yield frozenset(before)


def beginnings(before: list[Transaction]) -> Iterator[Seen]:
    for count in range(len(before) + 1):
        yield frozenset(before[:count])


def any_of_them(before: list[Transaction]) -> Iterator[Seen]:
    for count in range(len(before) + 1):
        yield from map(frozenset, combinations(before, count))


def no_conflict(me: Transaction, seen: Seen, before: Iterable[Commit]) -> bool:
    """Who wrote what I write is seen by me: of two concurrent ones only one may commit."""
    return all(
        commit.transaction in seen for commit in before if commit.transaction.written & me.written
    )


def transitive(me: Transaction, seen: Seen, before: Iterable[Commit]) -> bool:
    """What was seen by those that I see is seen by me."""
    return all(commit.seen <= seen for commit in before if commit.transaction in seen)


# By model: which sets may be seen, and what must be true of them.
MODELS: dict[
    str,
    tuple[
        Callable[[list[Transaction]], Iterator[Seen]],
        tuple[Callable[[Transaction, Seen, Iterable[Commit]], bool], ...],
    ],
] = {
    "serializable": (all_of_them, ()),
    "snapshot-isolation": (beginnings, (no_conflict,)),
    "prefix": (beginnings, ()),
    "parallel-snapshot-isolation": (any_of_them, (transitive, no_conflict)),
    "causal": (any_of_them, (transitive,)),
    "update-atomic": (any_of_them, (no_conflict,)),
    "read-atomic": (any_of_them, ()),
    "read-committed": (all_of_them, ()),
}


def allowed(history: History, model: str, order: Order = "") -> bool:
    """Say whether a history of transactions fits a model of `MODELS`, or such a form of it."""
    given = [_transaction(history, row) for row in range(len(history))]
    everyone = [each for each in given if each is not None]
    needed = {me: {each for each in everyone if me.follows(each, order)} for me in everyone}
    sets, rules = MODELS[model]

    def possible(before: list[Commit], left: set[Transaction]) -> bool:
        """Say whether the others can commit now: those that are sure to have done so must."""
        if not any(each.sure for each in left):
            return True
        for me in left:
            for seen in sets([commit.transaction for commit in before]):
                if not needed[me] <= seen or not all(rule(me, seen, before) for rule in rules):
                    continue
                made = _carried_out(me, seen, before, each_read=model == "read-committed")
                if made is None:
                    continue
                if possible([*before, Commit(me, seen, made)], left - {me}):
                    return True
                if transitive not in rules:
                    break  # what I saw matters to nobody else, so another set is no better
        return False

    return possible([], set(everyone))


def _carried_out(
    me: Transaction, seen: Seen, before: list[Commit], *, each_read: bool
) -> dict[Any, Any] | None:
    """Return what a transaction leaves behind; None if it cannot have read what it did.

    A list is one line: what I add comes after all that was added before, seen or not. So whoever
    reads a list to which it has added must find just that.
    """
    found = _states(commit for commit in before if commit.transaction in seen)
    made = _states(before)
    mine: set[Any] = set()
    for f, key, value in me.micro_ops:
        if f == "r" and me.sure:
            finds = value == found.get(key) and (key not in mine or value == made[key])
            if each_read:
                olds = [None, *(commit.left[key] for commit in before if key in commit.left)]
                finds = value in olds or (key in mine and value == made[key])
            if not finds:
                return None
        elif f != "r":
            mine.add(key)
            for states in (found, made):
                states[key] = (*(states.get(key) or ()), value) if f == "append" else value
    return {key: made[key] for key in me.written}


def _states(commits: Iterable[Commit]) -> dict[Any, Any]:
    return {key: value for commit in commits for key, value in commit.left.items()}


def _transaction(history: History, row: int) -> Transaction | None:
    """Return what a row did, None if it certainly did nothing."""
    op = history[row]
    if op.outcome == "fail":
        return None
    sure = op.outcome == "ok"
    return Transaction(
        process=int(history.process[row]),
        micro_ops=tuple(map(_micro_op, op.output if sure else op.input)),
        sure=sure,
        invoked=int(history.invoked_rank[row]),
        ended=int(history.completed_rank[row]) if sure else NEVER,
    )


def _micro_op(given: list[Any]) -> tuple[str, Any, Any]:
    f, key, value = given
    if isinstance(value, list):  # nobody can tell an empty list from none
        value = tuple(value) or None
    return str(f).removeprefix(":"), key, value
