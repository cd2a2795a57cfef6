"""Why there is no order: what the search engine could not fit together, in English.

The engine names a few operations that contradict each other whichever of the others happened.
The commonest contradictions of registers get a sentence of their own, which is made only after
what it says has been looked up in the history.
"""

from dataclasses import dataclass

import numpy as np

from partita.checker.explain import capital, listed, moment, quoted, who
from partita.checker.history import History, IntColumn, Op
from partita.checker.linearizability.chain_explanation import left_behind
from partita.checker.models.cas_register import CasRegister
from partita.checker.models.model import Model

_NOTHING = -9  # a code that no value has, unlike -1, which is null

# A reader does not want to see more operations than this in one sentence.
_SHOWN = 12


def explain(
    history: History, rows: IntColumn, model: Model, last: int, chosen: list[int]
) -> tuple[tuple[int, ...], str]:
    """Return the operations that contradict each other, and why they do.

    `last` is the operation before whose completion everything fitted, `chosen` those that
    were found to contradict each other (none, if they could not be narrowed down).
    """
    if isinstance(model, CasRegister) and chosen:
        register = _Register(history, rows, model)
        if len(chosen) == 1 and (sentence := register.phantom(chosen[0])):
            return tuple(chosen), sentence
        if len(chosen) == 2 and (found := register.stale(chosen)):
            return found
    if not chosen or len(chosen) > _SHOWN:
        over = moment(history, last, completed=True)
        return (last,), (
            f"All that was over before {over} can be put in order, but then {who(history, last)}"
            " has no place in it."
        )
    names = [who(history, row) for row in chosen]
    verb = "fits nowhere" if len(names) == 1 else "do not fit together in any order"
    return tuple(chosen), (
        f"{capital(listed(names))} {verb}, whichever of the other operations happened."
    )


@dataclass(frozen=True, slots=True)
class _Register:
    """What the operations of a register asked for and left behind."""

    history: History
    rows: IntColumn
    model: CasRegister

    def phantom(self, row: int) -> str | None:
        """Say so if this operation saw a value that nothing wrote."""
        op = self.history[row]
        value = self._asked(op)
        if value == _NOTHING or len(self._makers(value, row)) or value == self._initial():
            return None
        verb = "succeeded" if op.f == "cas" and op.outcome == "ok" else "returned it"
        return (
            f"Nothing had written {self._quoted(value)}, which is not the initial value"
            f" ({quoted(self.model.value)}) either, before {who(self.history, row)} {verb}."
        )

    def stale(self, chosen: list[int]) -> tuple[tuple[int, ...], str] | None:
        """Say so if one of two saw a value that was gone before it began.

        It was gone because of the other one, or because of who wrote what the other one saw.
        """
        for late in chosen:
            (other,) = set(chosen) - {late}
            makers = self._makers(self._held(other), other)
            for replacer in [other, *(map(int, makers) if len(makers) == 1 else ())]:
                if found := self._replaced(replacer, late):
                    return found
        return None

    def _replaced(self, first: int, second: int) -> tuple[tuple[int, ...], str] | None:
        history = self.history
        value = self._asked(history[second])
        if value == _NOTHING or self._held(first) in (value, _NOTHING):
            return None
        if history.completed_rank[first] > history.invoked_rank[second]:
            return None
        makers = self._makers(value, second)
        if (history.completed_rank[makers] > history.invoked_rank[first]).any():
            return None
        sentence = (
            f"{capital(who(history, second))} came too late for {self._quoted(value)}:"
            f" {who(history, first)} was over at {moment(history, first, completed=True)}, before"
            f" it was invoked at {moment(history, second)}, and"
        )
        if not len(makers):
            return (first, second), f"{sentence} {self._quoted(value)} was only there at first."
        latest = int(makers[np.argmax(history.completed_rank[makers])])
        sentence += (
            f" {who(history, latest, timed=False)}, the last to write {self._quoted(value)}, was"
            f" over at {moment(history, latest, completed=True)}, before"
            f" {who(history, first, timed=False)} had begun at {moment(history, first)}."
        )
        return tuple(sorted({first, second, latest})), sentence

    def _makers(self, value: int, until: int) -> IntColumn:
        """Who could have written a value before this operation was over."""
        left = left_behind(self.history, self.rows)
        makers = self.rows[left == value]
        begun = self.history.invoked_rank[makers] < self.history.completed_rank[until]
        found: IntColumn = makers[begun & (makers != until)]
        return found

    def _asked(self, op: Op) -> int:
        """The code of the value that an operation must have met."""
        if op.outcome == "ok" and op.f == "cas":
            return int(self.history.pairs[self.history.input[op.index], 0])
        if op.outcome == "ok" and op.f == "read":
            return int(self.history.output[op.index])
        return _NOTHING if op.output is None else int(self.history.output[op.index])

    def _held(self, row: int) -> int:
        """The code of the value that was there when an operation had been done."""
        op = self.history[row]
        if op.f == "write":
            return int(self.history.input[row])
        if op.f == "cas" and op.outcome == "ok":
            return int(self.history.pairs[self.history.input[row], 1])
        return self._asked(op)

    def _initial(self) -> int:
        return self.history.code(self.model.value)

    def _quoted(self, code: int) -> str:
        return quoted(None if code < 0 else self.history.values[code])
