"""The text engine: text that is only ever extended, by pieces that are told apart.

The longest text that was got tells the order of all pieces that were ever seen, if it can be taken
apart in one way only: then each operation has its place, as in the append engine, of which this
is the case in which the elements of a list have no borders. An append where its piece stands, a
get behind the last piece that it returned, an acknowledged piece that nobody saw after all else;
a crashed one that nobody saw did not happen. That order must respect real time. At each position
no more than one piece may fit that was not used before, or the engine declines.

The longest text is taken apart in native code (checker/native/linearizability/monitors/pieces.cpp).
"""

from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

from partita.checker import _native
from partita.checker.explain import capital, moment, quoted, when, who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import acts, stopped, unfit
from partita.checker.linearizability.places import disorder, in_places, together
from partita.checker.models.kv import KeyValue
from partita.checker.values import Text
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
        log = _Log.of(history, rows, model, f, limits)
        if isinstance(log, Declined):
            return log
        return log.finding()
    except LimitReached as reached:
        return stopped(str(reached).removesuffix(" reached"))


def order(history: History, rows: IntColumn, model: KeyValue, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    log = _Log.of(history, rows, model, acts(history, rows, model, _ACTS), limits)
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
    order: list[int] = field(default_factory=list)  # places in `pieces`, as the longest has them
    colons: set[bool] = field(default_factory=set)  # whether what begins with one is EDN's text
    wrong: tuple[tuple[int, ...], str] | None = None  # what the texts alone contradict

    @staticmethod
    def of(
        history: History,
        rows: IntColumn,
        model: KeyValue,
        f: npt.NDArray[np.int8],
        limits: Limits,
    ) -> "_Log | Declined":
        if not isinstance(model.initial, str):
            return Declined("it began with a number, which is left to the search")
        log = _Log(history, limits, model.initial)
        log.poll()
        declined = log.note_appends(rows[f == _APPEND], model)
        declined = declined or log.note_gets(rows[(f == _GET) & (history.outcome[rows] == _OK)])
        if len(log.colons) > 1:
            return Declined("keywords and text look alike, which is left to the search")
        return declined or log.take_apart() or log

    def note_appends(self, rows: IntColumn, model: KeyValue) -> Declined | None:
        inputs = self.history.values.several(self.history.input[rows])
        for row, piece in zip(rows.tolist(), inputs, strict=True):
            if not isinstance(piece, str):
                raise unfit(self.history, row, model, "which is no text")
            self.note_colon(piece)
            if (piece := str(piece)) in self.pieces:
                return Declined(
                    f"{quoted(piece)} was appended more than once, as by"
                    f" {who(self.history, row)}, so that the search decided"
                )
            if piece:
                self.pieces[piece] = row
            else:
                self.empty.append(row)
        return None

    def note_gets(self, rows: IntColumn) -> Declined | None:
        lengths: dict[int, int] = {}
        for row, code in zip(rows.tolist(), self.history.output[rows].tolist(), strict=True):
            if code not in lengths:
                self.poll()
                got = self.got(row)
                if not isinstance(got, str):
                    return Declined("a get did not return text, which is left to the search")
                self.note_colon(got)
                lengths[code] = len(got)
            self.gets[row] = lengths[code]
        return None

    def note_colon(self, told: str) -> None:
        if told.startswith(":"):
            self.colons.add(isinstance(told, Text))

    def poll(self) -> None:
        if reason := self.limits.reached():
            raise LimitReached(reason)

    def got(self, row: int) -> Any:
        got = self.history.values.decoded(self.history.output[row])
        return "" if got is None else got

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
        pieces = list(self.pieces)
        stopped_by, self.order, fitting = _native.pieces_of_text(
            whole[len(self.initial) :],
            pieces,
            self.limits.deadline,
            self.limits.memory_bytes,
            self.limits.stop,
        )
        if stopped_by:
            raise LimitReached(f"{stopped_by} reached" if "limit" in stopped_by else stopped_by)
        lengths = [len(self.initial), *(len(pieces[each]) for each in self.order)]
        self.ends = {end: at for at, end in enumerate(accumulate(lengths))}
        at = sum(lengths)
        if fitting:
            one, other = sorted(pieces[each] for each in fitting)[:2]
            return Declined(
                f"a text can be taken apart in more than one way ({quoted(one)} or"
                f" {quoted(other)} at place {at + 1}), so that the search decided"
            )
        if at < len(whole):
            self.contradict(
                (longest,),
                f"returned {quoted(whole[at : at + 20])} at place {at + 1}, where no piece that"
                " anybody appended fits",
            )
            return None
        self.compare(longest, whole)
        return None

    def compare(self, longest: int, whole: str) -> None:
        alike = set()
        for row, length in self.gets.items():
            code = int(self.history.output[row])
            if code in alike:
                continue
            alike.add(code)
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
        appends = np.fromiter(self.pieces.values(), dtype=np.int64, count=len(self.pieces))
        places = np.where(self.history.outcome[appends] == _OK, _UNSEEN, -1)
        places[self.order] = 2 * np.arange(len(self.order))
        happened = places >= 0
        gets = [(row, 2 * self.ends[length] - 1) for row, length in self.gets.items()]
        got = np.array(gets, dtype=np.int64).reshape(-1, 2)
        return (
            np.concatenate([appends[happened], got[:, 0]]),
            np.concatenate([places[happened], got[:, 1]]),
        )

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
        is_seen = list(self.pieces.values()).index(late) in self.order
        seen = "before" if is_seen else "without"
        return (
            f"{capital(who(history, late))} was acknowledged at {over}, before"
            f" {who(history, early)} was invoked at {begin}. But {_getter(history, longest)}"
            f" returned the later one {seen} the earlier one."
        )


def _getter(history: History, row: int) -> str:
    """Name a get without its text, which may be long."""
    return f"process {history.process_of(row)}'s get ({when(history, row)})"


ENGINE = Engine("text", text, (KeyValue,), "text under one key", order)
