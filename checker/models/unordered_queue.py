"""A queue that keeps no order: a bag."""

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from partita.checker.history import Op
from partita.checker.models.fitting import POSSIBLE, SHOWN, UNFIT, Operations
from partita.checker.models.model import State, begins_with, frozen, unfit


@dataclass(frozen=True, slots=True)
class UnorderedQueue:
    """A bag: `enqueue` puts in, `dequeue` takes any (null: it was empty), `drain` takes all.

    Nobody knows what a dequeue without an answer took. So a state is what is inside, and how many
    of these takes have not been accounted for: each may have taken one of the values since.
    """

    values: Any = None
    name: str = "unordered-queue"
    takes: ClassVar = "enqueue with a value, dequeue, and drain, answered by a list"

    @staticmethod
    def fits(operations: Operations) -> int:
        """A queue that is drained has no order to keep: Jepsen's total-queue."""
        if not operations.names <= {"enqueue", "dequeue", "drain"}:
            return UNFIT
        return SHOWN if "drain" in operations.names else POSSIBLE

    def __post_init__(self) -> None:
        begins_with(self.name, self.values, list | tuple, "a list")

    @property
    def initial(self) -> Hashable:
        return _state(Counter(map(frozen, self.values or [])), 0)

    def step(self, state: State, op: Op) -> Hashable | None:
        inside, unknown = Counter(dict(state[0])), state[1]
        if op.f == "enqueue":
            inside[frozen(op.input)] += 1
            return _state(inside, unknown)
        if op.f == "dequeue":
            if op.outcome == "info":
                return _state(inside, unknown + 1)
            return _taken(inside, unknown, op.output)
        if op.f != "drain" or not isinstance(op.output, list | tuple | None):
            raise unfit(self, op)
        if op.outcome == "info":
            return _state(Counter(), unknown)
        return _emptied(inside, unknown, Counter(map(frozen, op.output or [])))


def _taken(inside: Counter[Hashable], unknown: int, output: Any) -> Hashable | None:
    if output is None and not inside[None]:  # else it was taken, which leaves more possible
        return _emptied(inside, unknown, Counter())
    value = frozen(output)
    if not inside[value]:
        return None
    inside[value] -= 1
    return _state(inside, unknown)


def _emptied(inside: Counter[Hashable], unknown: int, answer: Counter[Hashable]) -> Hashable | None:
    """What is inside but for the answer, unknown takes must have taken."""
    left = inside.total() - answer.total()
    return _state(Counter(), unknown - left) if answer <= inside and left <= unknown else None


def _state(inside: Counter[Hashable], unknown: int) -> Hashable:
    return frozenset((value, count) for value, count in inside.items() if count), unknown
