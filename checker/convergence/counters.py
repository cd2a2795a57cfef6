"""Counters: in the end every node shows one sum, which the adds can have come to.

What was acknowledged is in the sum. An add of which nobody knows is in it, or is not.
"""

from collections.abc import Sequence
from typing import Any

from partita.checker.convergence.looks import INFO, OK, Looks
from partita.checker.convergence.outcome import Outcome, seconds, since_the_heal, unsettled
from partita.checker.explain import capital, quoted
from partita.checker.history import History, IntColumn
from partita.checker.verdict import Counterexample

# Sums further apart than this are not listed one by one: then the interval counts.
_SPAN_MAX = 1 << 24


class Sums:
    """What a counter may show: what is certain, and any part of what is not."""

    def __init__(self, certain: int, unknown: Sequence[int]) -> None:
        self.certain = certain
        self.least = certain + sum(each for each in unknown if each < 0)
        self.most = certain + sum(each for each in unknown if each > 0)
        self._reached = self._all(unknown) if self.most - self.least <= _SPAN_MAX else None

    def __contains__(self, value: object) -> bool:
        if type(value) is not int or not self.least <= value <= self.most:
            return False
        return self._reached is None or bool(self._reached >> (value - self.least) & 1)

    def _all(self, unknown: Sequence[int]) -> int:
        """Return the sums that can be, as bits: the lowest one stands for `least`."""
        reached = 1 << (self.certain - self.least)
        for each in unknown:
            reached |= reached << each if each > 0 else reached >> -each
        return reached


def shown_by(history: History, row: int) -> Any:
    """Return what a read showed."""
    return history.values.decoded(history.output[row])


def judged(
    history: History, key: Any, adds: IntColumn, reads: IntColumn, looks: Looks, settle_ns: int
) -> Outcome:
    """Judge one counter."""
    deltas = history.values.several(history.input[adds])
    outcomes = history.outcome[adds].tolist()
    done = [each for each, how in zip(deltas, outcomes, strict=True) if how == OK]
    unknown = [each for each, how in zip(deltas, outcomes, strict=True) if how == INFO]
    if odd := next((each for each in [*done, *unknown] if type(each) is not int), None):
        return Outcome("unknown", {}, f"{quoted(odd)} was added, which is no whole number")
    sums = Sums(sum(done), unknown)
    figures = {
        "acknowledged_adds": len(done),
        "unknown_adds": len(unknown),
        "least": sums.least,
        "most": sums.most,
        "shown_by_node": {node: look.shown for node, look in looks.last.items()},
    }
    if not done:
        return Outcome("unknown", figures, "no add was acknowledged")
    if looks.silent or not looks.last:
        return Outcome("unknown", figures, unsettled(looks))
    told = _disagreement(history, sums, looks)
    if told is None:
        return Outcome(True, figures)
    if not looks.settled(settle_ns):
        return Outcome("unknown", figures, unsettled(looks))
    rows, text = told
    return Outcome(False, figures, found=Counterexample(rows, capital(text), key))


def _disagreement(history: History, sums: Sums, looks: Looks) -> tuple[tuple[int, ...], str] | None:
    """Say which node shows what cannot be, or which two differ."""
    for node, look in looks.last.items():
        if look.shown not in sums:
            shown = f"in the end {node} shows {quoted(look.shown)} at {seconds(history, look.row)}"
            return (look.row,), f"{shown}, and {_due(sums, look.shown)}. {since_the_heal(looks)}."
    (first, one), *others = looks.last.items()
    for node, other in others:
        if other.shown != one.shown:
            text = f"in the end {first} shows {quoted(one.shown)} at {seconds(history, one.row)}, "
            text += f"and {node} {quoted(other.shown)} at {seconds(history, other.row)}. "
            text += f"{since_the_heal(looks)}."
            return (one.row, other.row), text
    return None


def _due(sums: Sums, shown: Any) -> str:
    """Say what the sum should be."""
    if sums.least == sums.most:
        return f"all that was added comes to {sums.certain}"
    within = type(shown) is int and sums.least <= shown <= sums.most
    none = "no choice of them comes to that" if within else "that is outside"
    return (
        f"what was added comes to {sums.certain}, and with adds of which nobody knows to something "
        f"between {sums.least} and {sums.most}: {none}"
    )
