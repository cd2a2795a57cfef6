"""The check `delivery`: every element that was acknowledged comes out of a queue, `once` or more.

It asks less than linearizability does: the order does not matter, only that nothing is lost, taken
twice, or made up. `at-least-once` lets an element come out again, as stores promise whose takers
acknowledge what they were given. The definition, which the tests try out literally:

- No element comes out that nobody put in, or before it was put in, or (for `once`) twice.
- An element is *due* if it was acknowledged and a dequeue that was invoked afterwards was told that
  the queue is empty. Whatever is due and never came out was taken by a dequeue whose answer nobody
  saw, one for each, invoked before that empty answer came.

So there is a matching to be found between what is missing and the dequeues that crashed. Each
missing element accepts all of these that were invoked before its deadline, so that counting by
deadline decides it (Hall's theorem for nested sets).
"""

import time
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from partita.checker.checks import Judgement
from partita.checker.explain import capital, quoted, who
from partita.checker.history import NEVER, OUTCOMES, History
from partita.checker.verdict import Counterexample

ONCE, AT_LEAST_ONCE = "once", "at-least-once"
_KINDS = ("lost", "duplicated", "unexpected", "reordered")
_OK, _FAIL, _INFO = (OUTCOMES.index(each) for each in ("ok", "fail", "info"))


class Delivery:
    """Whether every acknowledged element of a queue comes out, in any order."""

    name = "delivery"
    levels = (ONCE, AT_LEAST_ONCE)
    default = ONCE

    def judge(self, history: History, levels: Collection[str]) -> Judgement:
        begin = time.perf_counter()
        queues = _queues(history)
        twice = next((queue.twice for queue in queues.values() if queue.twice is not None), None)
        if twice is not None:
            why = f"{quoted(history[twice].input)} is put in more than once"
            return Judgement(self.name, {}, reason=why, applies=False)
        asked = [level for level in self.levels if level in levels]
        found = {level: wrong for level in asked if (wrong := _wrong(queues.values(), level))}
        figures = _figures(queues.values())
        inside = figures["unaccounted"]
        reason = None
        if len(found) < len(asked) and inside:
            reason = f"{inside} acknowledged elements may still be inside: it was never seen empty"
        return Judgement(
            self.name,
            {level: False if level in found else "unknown" if inside else True for level in asked},
            found,
            reason=reason,
            figures=figures,
            seconds=time.perf_counter() - begin,
            engine="counting",
            keys=len(queues),
        )


@dataclass(frozen=True, slots=True)
class Odd:
    """An element that was lost, duplicated, reordered or unexpected: rows of the history.

    `put` is None if nobody put it in. `overtook` are the put and the take of an element that was
    in before this one, for sure, and came out after it.
    """

    what: str
    key: Any
    put: int | None
    takes: tuple[int, ...] = ()
    overtook: tuple[int, int] | None = None


def odd_elements(history: History) -> list[Odd]:
    """What became of those that did not come out once and in their order, by kind and time.

    A history that puts an element in twice has none: nobody knows which one came out.
    """
    queues = _queues(history).values()
    if any(queue.twice is not None for queue in queues):
        return []
    found = [odd for queue in queues for odd in queue.odd()]
    return sorted(found, key=lambda odd: (_KINDS.index(odd.what), _first(history, odd)))


def _wrong(queues: Collection["_Queue"], level: str) -> Counterexample | None:
    """Return what contradicts a level, in the first queue where something does."""
    again = level == AT_LEAST_ONCE
    return next(filter(None, (queue.contradiction(again=again) for queue in queues)), None)


def _first(history: History, odd: Odd) -> int:
    rows = [*([] if odd.put is None else [odd.put]), *odd.takes]
    return min(int(history.invoked_rank[row]) for row in rows)


@dataclass(slots=True)
class _Queue:
    """One queue's operations, by what they did: rows of the history."""

    history: History
    key: Any
    put: dict[Any, int] = field(default_factory=dict)  # by element, failed ones too
    taken: dict[Any, list[int]] = field(default_factory=dict)  # by element
    empty: list[int] = field(default_factory=list)  # dequeues that found nothing
    crashed: list[int] = field(default_factory=list)  # dequeues that nobody knows about
    twice: int | None = None
    _closings: tuple[list[int], list[int]] | None = None

    def contradiction(self, *, again: bool) -> Counterexample | None:
        """Return what must not be; an element may come out `again`, or not."""
        for element, rows in self.taken.items():
            if wrong := self._wrongly_taken(element, rows, again):
                return wrong
        return self._lost()

    def missing(self) -> list[tuple[int, int]]:
        """What is due and never came out: pairs of deadline and row, by deadline."""
        found = ((self._deadline(row), row) for row in self._acknowledged_inside())
        return sorted((deadline, row) for deadline, row in found if deadline < NEVER)

    def unaccounted(self) -> int:
        """How many were acknowledged and may still be inside."""
        return sum(self._deadline(row) == NEVER for row in self._acknowledged_inside())

    def odd(self) -> Iterator[Odd]:
        """Each element that did not come out once and in its order."""
        for row in self.lost():
            yield Odd("lost", self.key, row)
        for element, rows in self.taken.items():
            put = self.put.get(element)
            if put is None or self.history.outcome[put] == _FAIL:
                yield Odd("unexpected", self.key, put, tuple(rows))
            elif len(rows) > 1:
                yield Odd("duplicated", self.key, put, tuple(rows))
        for row, earlier in self.overtaken():
            takes = self.taken[int(self.history.input[row])][:1]
            yield Odd("reordered", self.key, row, tuple(takes), earlier)

    def overtaken(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Puts of what came out before one that was put in before them, for sure; put and take of
        that one."""
        out = [(row, self.taken[element][0]) for element, row in self.put.items()
               if self.taken.get(element)]  # fmt: skip
        invoked, over = self.history.invoked_rank, self.history.completed_rank
        before = sorted((int(over[row]), int(invoked[take]), row, take) for row, take in out)
        ends = [end for end, *_ in before]
        latest = list(accumulate(((begin, row, take) for _, begin, row, take in before), max))
        for row, take in out:
            place = bisect_left(ends, int(invoked[row]))
            if place and latest[place - 1][0] > over[take]:
                yield row, latest[place - 1][1:]

    def lost(self) -> list[int]:
        """Rows of elements that crashed dequeues cannot all have taken; as few as prove a loss."""
        for count, lacking in enumerate(self._lacking(), 1):
            if lacking > 0:
                return [row for _, row in self.missing()[:count]]
        return []

    def surely_lost(self) -> int:
        """How many were lost at least, whatever the crashed dequeues have taken."""
        return max([0, *self._lacking()])

    def _lacking(self) -> Iterator[int]:
        """By how many dequeues there are too few for the first so many of what is missing."""
        invoked = sorted(int(self.history.invoked_rank[row]) for row in self.crashed)
        for count, (deadline, _) in enumerate(self.missing(), 1):
            yield count - bisect_left(invoked, deadline)

    def _acknowledged_inside(self) -> Iterator[int]:
        outcome = self.history.outcome
        return (row for element, row in self.put.items()
                if outcome[row] == _OK and not self.taken.get(element))  # fmt: skip

    def _deadline(self, row: int) -> int:
        """The rank at which the first dequeue after this enqueue had found nothing."""
        if self._closings is None:
            invoked = [int(self.history.invoked_rank[each]) for each in self.empty]
            ends = _least_from([int(self.history.completed_rank[each]) for each in self.empty])
            self._closings = invoked, ends
        invoked, ends = self._closings
        return ends[bisect_right(invoked, int(self.history.completed_rank[row]))]

    def _wrongly_taken(self, element: Any, rows: list[int], again: bool) -> Counterexample | None:
        history, put = self.history, self.put.get(element)
        shown, take = quoted(history[rows[0]].output), who(history, rows[0])
        if put is None:
            return self._because([rows[0]], f"{take} took {shown}, which nobody ever put in.")
        if history.outcome[put] == _FAIL:
            text = f"{take} took {shown}, though {who(history, put)} certainly failed."
            return self._because([put, rows[0]], text)
        if len(rows) > 1 and not again:
            text = (
                f"{shown} was put in once, and came out twice: {take} and {who(history, rows[1])}."
            )
            return self._because([put, *rows[:2]], text)
        for row in rows:
            if history.completed_rank[row] < history.invoked_rank[put]:
                text = f"{who(history, row)} took {shown} before {who(history, put)} began."
                return self._because([put, row], text)
        return None

    def _lost(self) -> Counterexample | None:
        rows = self.lost()
        if not rows:
            return None
        last = rows[-1]
        deadline = self._deadline(last)
        end = next(row for row in self.empty if self.history.completed_rank[row] == deadline)
        first = who(self.history, rows[0])
        text = (
            f"{first} was acknowledged, and {quoted(self.history[rows[0]].input)} never came out, "
        )
        text += f"though {who(self.history, end)} found the queue empty."
        if len(rows) > 1:
            able = len(rows) - 1
            text += (
                f" {len(rows)} elements are missing so, and only {able} dequeues without an answer"
                " could have taken one each."
            )
        if (least := self.surely_lost()) > 1:
            text += f" In all, at least {least} were lost."
        return self._because([*rows, end], text)

    def _because(self, rows: Sequence[int], text: str) -> Counterexample:
        order = sorted(rows, key=lambda row: int(self.history.invoked_rank[row]))
        return Counterexample(tuple(order), capital(text), self.key)


def _queues(history: History) -> Mapping[int, _Queue]:
    queues: dict[int, _Queue] = {}
    enqueue, dequeue = history.f_code("enqueue"), history.f_code("dequeue")
    for row in range(len(history)):
        code = int(history.key[row])
        queue = queues.get(code)
        if queue is None:
            queue = queues[code] = _Queue(history, history.decoded_key(code))
        outcome = history.outcome[row]
        if history.f[row] == enqueue:
            element = int(history.input[row])
            if element in queue.put:
                queue.twice = row
            queue.put[element] = row
        elif history.f[row] == dequeue and outcome == _OK:
            element = int(history.output[row])
            if element < 0:
                queue.empty.append(row)
            else:
                queue.taken.setdefault(element, []).append(row)
        elif history.f[row] == dequeue and outcome == _INFO:
            queue.crashed.append(row)
    return queues


def _figures(queues: Collection[_Queue]) -> dict[str, Any]:
    """Counts over all queues, in the words of `elements.py`."""
    outcomes = [
        (int(queue.history.outcome[row]), len(queue.taken.get(element, ())))
        for queue in queues
        for element, row in queue.put.items()
    ]
    made_up = [rows for queue in queues for element, rows in queue.taken.items()
               if element not in queue.put]  # fmt: skip
    return {
        "acknowledged": sum(outcome == _OK for outcome, _ in outcomes),
        "dequeued": sum(times > 0 for _, times in outcomes),
        "lost": sum(queue.surely_lost() for queue in queues),
        "duplicated": sum(times > 1 for _, times in outcomes),
        "recovered": sum(outcome == _INFO and times > 0 for outcome, times in outcomes),
        "unexpected": len(made_up) + sum(o == _FAIL and times > 0 for o, times in outcomes),
        "reordered": sum(1 for queue in queues for _ in queue.overtaken()),
        "unaccounted": sum(queue.unaccounted() for queue in queues),
    }


def _least_from(values: Sequence[int]) -> list[int]:
    """For each place the least value from there on; `NEVER` behind the end."""
    least = [NEVER]
    for value in reversed(values):
        least.append(min(value, least[-1]))
    return least[::-1]
