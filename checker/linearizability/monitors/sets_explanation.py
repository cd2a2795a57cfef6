"""Why a growing set's history has no order: what the set engine found, in English."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from partita.checker.explain import capital, moment, quoted, when, who
from partita.checker.history import OUTCOMES, CodeColumn, History
from partita.checker.models.model import frozen
from partita.checker.verdict import Finding


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A broken rule, and the operations that break it, by row (None: was there at first).

    `lists` has the numbers of the elements that each named read returned, in its order, and
    `added` those of all elements that were added.
    """

    history: History
    rule: str
    rows: list[int | None]
    lists: Mapping[int, CodeColumn]
    added: CodeColumn

    def element(self, read: int, besides: CodeColumn) -> Any:
        """Return the first element of a read that is not among these."""
        at = int(np.argmax(~np.isin(self.lists[read], besides)))
        return self.history[read].output[at]

    def reader(self, read: int) -> str:
        """Name a read without its list, which may be long."""
        return f"process {self.history.process_of(read)}'s read ({when(self.history, read)})"

    def over(self, row: int) -> str:
        return moment(self.history, row, completed=True)


def explain(found: Contradiction) -> Finding:
    """Turn it into an invalid finding."""
    operations = sorted({row for row in found.rows if row is not None})
    return Finding(False, tuple(operations), _SENTENCES[found.rule](found))


def _never_added(found: Contradiction) -> str:
    history, read = found.history, _row(found.rows[0])
    element = found.element(read, found.added)
    sentence = f"{capital(found.reader(read))} returned {quoted(element)}, which"
    same = (history.key == history.key[read]) & (history.outcome == OUTCOMES.index("fail"))
    failed = same & (history.f == history.f_code("add")) & (history.input == history.code(element))
    if failed.any():
        return f"{sentence} was never added: {who(history, int(np.argmax(failed)))} failed."
    return f"{sentence} nobody ever tried to add."


def _twice(found: Contradiction) -> str:
    read = _row(found.rows[0])
    seen: set[Hashable] = set()
    for each in found.history[read].output:
        if frozen(each) in seen:
            return f"{capital(found.reader(read))} returned {quoted(each)} twice."
        seen.add(frozen(each))
    raise AssertionError("no element is there twice")


def _disagree(found: Contradiction) -> str:
    first, second = sorted(map(_row, found.rows))
    one = quoted(found.element(first, found.lists[second]))
    other = quoted(found.element(second, found.lists[first]))
    return (
        f"{capital(found.reader(first))} returned {one} and not {other}, but"
        f" {found.reader(second)} returned {other} and not {one}. Nothing is ever taken out: one of"
        " the two was never all there was."
    )


def _lost(found: Contradiction) -> str:
    add, read = found.rows
    history, read = found.history, _row(read)
    if add is None:
        return f"{capital(found.reader(read))} did not return all that was there at first."
    return (
        f"{capital(who(history, add))} was acknowledged at {found.over(add)}, but"
        f" {found.reader(read)}, invoked only at {moment(history, read)}, did not return it."
    )


def _overtaken(found: Contradiction) -> str:
    history = found.history
    earlier, later, read = map(_row, found.rows)
    return (
        f"{capital(who(history, earlier))} was acknowledged at {found.over(earlier)}, before"
        f" {who(history, later)} was invoked at {moment(history, later)}. But"
        f" {found.reader(read)} returned the later one without the earlier one."
    )


def _too_early(found: Contradiction) -> str:
    history = found.history
    read, later = map(_row, found.rows)
    if later not in found.lists:
        return (
            f"{capital(found.reader(read))} returned {quoted(history[later].input)} before it was"
            f" added: {who(history, later)} was invoked only at {moment(history, later)}."
        )
    element = quoted(found.element(read, found.lists[later]))
    return (
        f"{capital(found.reader(read))} had returned {element} by {found.over(read)}, but"
        f" {found.reader(later)}, invoked only at {moment(history, later)}, did not."
    )


def _row(row: int | None) -> int:
    assert row is not None
    return row


_SENTENCES: Mapping[str, Callable[[Contradiction], str]] = {
    "twice": _twice,
    "never added": _never_added,
    "disagree": _disagree,
    "lost": _lost,
    "overtaken": _overtaken,
    "too early": _too_early,
}
