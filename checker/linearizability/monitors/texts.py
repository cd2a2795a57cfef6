"""The text engine: text that is only ever extended, by pieces that are told apart.

The longest text that was got tells the order of all pieces that were ever seen, if it can be taken
apart in one way only: then each operation has its place, as in the append engine, of which this
is the case in which the elements of a list have no borders. An append where its piece stands, a
get behind the last piece that it returned, an acknowledged piece that nobody saw after all else;
a crashed one that nobody saw did not happen. That order must respect real time. At each position
no more than one piece may fit that was not used before, or the engine declines.
"""

from dataclasses import dataclass, field

import numpy as np

from partita.checker.explain import capital, moment, quoted, when, who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import acts, stopped, unfit
from partita.checker.linearizability.places import disorder, in_places, together
from partita.checker.models.kv import KeyValue
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch

_APPEND, _GET, _PUT = range(3)
_ACTS = {"append": _APPEND, "get": _GET, "put": _PUT}
_UNSEEN = np.iinfo(np.int64).max - 1
_OK = OUTCOMES.index("ok")


def text(
    history: History, rows: IntColumn, model: KeyValue, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one text that is only extended, or decline."""
    f = acts(history, rows, model, _ACTS)
    if (f == _PUT).any() or not (f == _APPEND).any():
        return None
    try:
        log = _Log.of(history, rows, model, limits)
        if isinstance(log, Declined):
            return log
        return log.finding()
    except LimitReached as reached:
        return stopped(str(reached).removesuffix(" reached"))


def order(history: History, rows: IntColumn, model: KeyValue, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    log = _Log.of(history, rows, model, limits)
    assert isinstance(log, _Log)
    # Appends of nothing fit anywhere.
    anywhere = np.array(log.empty, dtype=np.int64)
    return together(history, [in_places(history, *log.places()), anywhere])


@dataclass(slots=True)
class _Log:
    """One text's operations, sorted out."""

    history: History
    limits: Limits
    initial: str
    pieces: dict[str, int] = field(default_factory=dict)  # rows of appends, by what they add
    empty: list[int] = field(default_factory=list)  # rows of appends of nothing
    gets: dict[int, int] = field(default_factory=dict)  # length of what each returned, by row
    ends: dict[int, int] = field(default_factory=dict)  # in the longest: how many pieces end where
    order: list[str] = field(default_factory=list)  # pieces as they stand in the longest
    wrong: tuple[tuple[int, ...], str] | None = None  # what the texts alone contradict

    @staticmethod
    def of(history: History, rows: IntColumn, model: KeyValue, limits: Limits) -> "_Log | Declined":
        if not isinstance(model.initial, str):
            return Declined("it began with a number, which is left to the search")
        log = _Log(history, limits, model.initial)
        for at, row in enumerate(rows.tolist()):
            if at % 1024 == 0:
                log.poll()
            if declined := log.note(row, model):
                return declined
        return log.take_apart() or log

    def note(self, row: int, model: KeyValue) -> Declined | None:
        op = self.history[row]
        if op.f == "append":
            if not isinstance(op.input, str):
                raise unfit(self.history, row, model, "which is no text")
            if op.input in self.pieces:
                return Declined(
                    f"{quoted(op.input)} was appended more than once, as by"
                    f" {who(self.history, row)}, so that the search decided"
                )
            if op.input:
                self.pieces[op.input] = row
            else:
                self.empty.append(row)
        elif op.outcome == "ok":
            if not isinstance(op.output, str | None):
                return Declined("a get did not return text, which is left to the search")
            self.gets[row] = len(op.output or "")
        return None

    def poll(self) -> None:
        if reason := self.limits.reached():
            raise LimitReached(reason)

    def got(self, row: int) -> str:
        return self.history[row].output or ""

    def take_apart(self) -> Declined | None:
        """Find the pieces of the longest text, and compare the others with it."""
        self.ends = {len(self.initial): 0}
        if not self.gets:
            return None
        longest = max(self.gets, key=self.gets.__getitem__)
        whole = self.got(longest)
        if not whole.startswith(self.initial):
            self.contradict((longest,), f"does not begin with {quoted(self.initial)}, as it must")
            return None
        lengths = sorted({len(piece) for piece in self.pieces})
        used: set[str] = set()
        at = len(self.initial)
        while at < len(whole):
            if len(used) % 1024 == 0:
                self.poll()
            here = (whole[at : at + length] for length in lengths)
            fitting = {piece for piece in here if piece in self.pieces and piece not in used}
            if len(fitting) > 1:
                one, other = sorted(fitting)[:2]
                return Declined(
                    f"a text can be taken apart in more than one way ({quoted(one)} or"
                    f" {quoted(other)} at place {at + 1}), so that the search decided"
                )
            if not fitting:
                self.contradict(
                    (longest,),
                    f"returned {quoted(whole[at : at + 20])} at place {at + 1}, where no piece that"
                    " anybody appended fits",
                )
                return None
            (piece,) = fitting
            used.add(piece)
            self.order.append(piece)
            at += len(piece)
            self.ends[at] = len(self.order)
        self.compare(longest, whole)
        return None

    def compare(self, longest: int, whole: str) -> None:
        for row, length in self.gets.items():
            self.poll()
            if not whole.startswith(self.got(row)):
                self.contradict(
                    (row, longest),
                    f"and {_getter(self.history, longest)} disagree on how the text begins, but it"
                    " is only ever extended",
                )
                return
            if length not in self.ends:
                self.contradict(
                    (row, longest),
                    f"returned {length} characters, which is in the midst of a piece:"
                    f" {_getter(self.history, longest)} shows where they end",
                )
                return

    def contradict(self, operations: tuple[int, ...], what: str) -> None:
        self.wrong = operations, f"{capital(_getter(self.history, operations[0]))} {what}."

    def finding(self) -> Finding:
        if self.wrong:
            operations, sentence = self.wrong
            return Finding(False, tuple(sorted(set(operations))), sentence)
        found = disorder(self.history, *self.places())
        if found is None:
            return Finding(True)
        early, late = found
        longest = [] if not self.gets else [max(self.gets, key=self.gets.__getitem__)]
        both_add = early not in self.gets and late not in self.gets
        named = {early, late, *(longest if both_add else [])}
        return Finding(False, tuple(sorted(named)), self.out_of_order(early, late, *longest))

    def places(self) -> tuple[IntColumn, IntColumn]:
        """Places are even for appends and odd for gets, the last for pieces that nobody saw."""
        place = {self.pieces[piece]: 2 * at for at, piece in enumerate(self.order)}
        for row in self.pieces.values():
            if row not in place and self.history.outcome[row] == _OK:
                place[row] = _UNSEEN
        for row, length in self.gets.items():
            place[row] = 2 * self.ends[length] - 1
        found = np.array(list(place.items()), dtype=np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def out_of_order(self, early: int, late: int, longest: int) -> str:
        """Explain why `early`, which was invoked when `late` was over, must come before it."""
        history = self.history
        over, begin = moment(history, late, completed=True), moment(history, early)
        if early in self.gets and late in self.gets:
            return (
                f"{capital(_getter(history, late))} had returned {self.gets[late]} characters by"
                f" {over}, but {_getter(history, early)}, invoked only at {begin}, returned the"
                f" first {self.gets[early]} of them."
            )
        if early in self.gets:
            return (
                f"{capital(who(history, late))} was acknowledged at {over}, but"
                f" {_getter(history, early)}, invoked only at {begin}, did not return it."
            )
        if late in self.gets:
            return (
                f"{capital(_getter(history, late))} returned a piece before it was appended:"
                f" {who(history, early)} was invoked only at {begin}."
            )
        seen = "before" if history[late].input in self.order else "without"
        return (
            f"{capital(who(history, late))} was acknowledged at {over}, before"
            f" {who(history, early)} was invoked at {begin}. But {_getter(history, longest)}"
            f" returned the later one {seen} the earlier one."
        )


def _getter(history: History, row: int) -> str:
    """Name a get without its text, which may be long."""
    return f"process {history.process_of(row)}'s get ({when(history, row)})"


ENGINE = Engine("text", text, (KeyValue,), "text under one key", order)
