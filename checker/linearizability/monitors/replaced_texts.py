"""The engine of text that is put and extended: a register in which an append is a cas.

Everything put or appended is told apart and was given once. So a text that was got says which put
it began with, and which pieces followed in which order: it is a state in which the key was at one
time only. A put writes such a state. An append that somebody saw leads from the state before its
piece to the one behind it, directly, as a cas does. One that nobody saw leads to a state that was
never got: what comes next is a put, or nothing. So it is a write that was never read.

That makes it a register whose values were each written once, and the chain engine decides it in
O(n log n). Where a text can be taken apart in two ways, or something was given twice, this engine
declines.
"""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import msgspec
import numpy as np
import numpy.typing as npt

from partita.checker.explain import capital, quoted, when, who
from partita.checker.history import OUTCOMES, History, IntColumn
from partita.checker.linearizability import chain
from partita.checker.linearizability.engine import Declined, Engine
from partita.checker.linearizability.monitors.operations import acts, stopped, unfit
from partita.checker.linearizability.places import together
from partita.checker.linearizability.register_view import RegisterView
from partita.checker.models.cas_register import CasRegister
from partita.checker.models.kv import KeyValue
from partita.checker.values import NO_PAIR, NULL, Values
from partita.checker.verdict import Finding, LimitReached, Limits, Mismatch

_APPEND, _GET, _PUT = range(3)
_ACTS = {"append": _APPEND, "get": _GET, "put": _PUT}
_FS = ["read", "write", "cas"]
_READ, _WRITE, _CAS = range(3)
_OK = OUTCOMES.index("ok")
_FIRST = 0  # the state that the key began with
_LOOK_AFTER = 1_000  # texts


def replaced_text(
    history: History, rows: IntColumn, model: KeyValue, limits: Limits, mismatch: Mismatch
) -> Finding | Declined | None:
    """Decide one key that is put, extended and got, or decline."""
    f = acts(history, rows, model, _ACTS)
    if not (f == _PUT).any() or not (f == _APPEND).any():
        return None
    try:
        states = _States.of(history, rows, model, limits)
    except LimitReached as reached:
        return stopped(str(reached).removesuffix(" reached"))
    if not isinstance(states, _States):
        return states
    view, known = states.as_register(rows)
    found = chain.chain(view.history, known, view.model, limits, mismatch)
    assert isinstance(found, Finding)  # no state comes about twice
    return states.told(view.told(found)) if found.valid is False else found


def order(history: History, rows: IntColumn, model: KeyValue, limits: Limits) -> IntColumn:
    """Return rows in an order that proves it valid."""
    states = _States.of(history, rows, model, limits)
    assert isinstance(states, _States)
    view, known = states.as_register(rows)
    # Appends of nothing fit anywhere.
    rest = np.setdiff1d(rows, known)
    return together(history, [chain.order(view.history, known, view.model, limits), rest])


class _Given(dict[str, int]):
    """Texts that were given, and their rows; which of them stand at a place of another text."""

    def lengths(self) -> list[int]:
        return sorted({len(each) for each in self})

    def at(self, place: int, text: str, lengths: list[int]) -> list[str]:
        parts = (text[place : place + length] for length in lengths if place + length <= len(text))
        return [part for part in parts if part in self]

    def one_begins_another(self) -> tuple[str, str] | None:
        neighbours = pairwise(sorted(self))
        return next(((one, other) for one, other in neighbours if other.startswith(one)), None)


@dataclass(slots=True)
class _States:
    """What one key was, from put to put and piece to piece. States are numbers.

    `before` is the state from which a state's append led to it, -1 if it was put, or there at
    first. `shown` is a get that shows this, -1 if there is none. `of_row` says to which state each
    put and append leads, and which each get returned.
    """

    history: History
    initial: str
    puts: _Given = field(default_factory=_Given)
    pieces: _Given = field(default_factory=_Given)
    labels: list[str] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)
    of_row: dict[int, int] = field(default_factory=dict)

    @staticmethod
    def of(
        history: History, rows: IntColumn, model: KeyValue, limits: Limits
    ) -> "_States | Declined | Finding":
        if not isinstance(model.initial, str):
            return Declined("it began with a number, which is left to the search")
        states = _States(history, model.initial)
        states.reach(model.initial)
        f = acts(history, rows, model, _ACTS)
        gets = rows[(f == _GET) & (history.outcome[rows] == _OK)]
        declined = states.note_given(rows[f != _GET], f[f != _GET] == _PUT, model)
        found = declined or states.note_gets(gets, limits)
        states.note_unseen()
        return found or states

    def reach(self, label: str, row: int = -1, before: int = -1, shown: int = -1) -> int:
        """Note the state to which an operation leads."""
        self.labels.append(label)
        self.before.append(before)
        self.shown.append(shown)
        if row >= 0:
            self.of_row[row] = len(self.labels) - 1
        return len(self.labels) - 1

    def note_given(
        self, rows: IntColumn, are_puts: npt.NDArray[np.bool_], model: KeyValue
    ) -> Declined | None:
        inputs = self.history.values.several(self.history.input[rows])
        for row, is_put, given in zip(rows.tolist(), are_puts.tolist(), inputs, strict=True):
            if not isinstance(given, str):
                if is_put and isinstance(given, int | float):
                    return Declined("a number was put, which is left to the search")
                raise unfit(self.history, row, model, "which is no text")
            if given.startswith(":"):
                return Declined("what may be a keyword is left to the search")
            if not given and not is_put:
                continue
            if given in self.puts or given in self.pieces or given in (self.initial, ""):
                return Declined(
                    f"{quoted(given)} was there more than once, as by {who(self.history, row)},"
                    " so that the search decided"
                )
            if is_put:
                self.puts[given] = row
                self.reach(given, row)
            else:
                self.pieces[given] = row
        if alike := self.pieces.one_begins_another():
            return _two_ways(*alike)
        return None

    def note_gets(self, gets: IntColumn, limits: Limits) -> Declined | Finding | None:
        """Find which state each get returned. Sorted, a text follows what it begins with."""
        codes = self.history.output[gets].tolist()
        rows = dict(zip(codes, gets.tolist(), strict=True))
        texts = {code: self.history.values.decoded(code) or "" for code in rows}
        if not all(isinstance(text, str) for text in texts.values()):
            return Declined("a get did not return text, which is left to the search")
        put_lengths, lengths = self.puts.lengths(), self.pieces.lengths()
        states: dict[int, int] = {}
        passed: list[tuple[str, int, str]] = []
        for number, code in enumerate(sorted(rows, key=texts.__getitem__)):
            if number % _LOOK_AFTER == 0 and (reason := limits.reached()):
                raise LimitReached(f"{reason} reached")
            text, get = texts[code], rows[code]
            begun = self.puts.at(0, text, put_lengths)
            place = len(self.initial)
            if text == self.initial or (
                text.startswith(self.initial) and self.pieces.at(place, text, lengths)
            ):
                begun.append(self.initial)
            if len(begun) > 1:
                return _two_ways(*sorted(begun)[:2])
            if not begun:
                return self.contradicted(get, f"returned {quoted(text[:20])}, which nobody put")
            while passed and not (text.startswith(passed[-1][0]) and passed[-1][2] == begun[0]):
                passed.pop()
            if passed:
                known, state, _ = passed[-1]
            else:
                known, state = begun[0], self.of_row.get(self.puts.get(begun[0], -1), _FIRST)
            found = self.followed(text, len(known), state, get, lengths)
            if isinstance(found, Finding):
                return found
            states[code] = found
            passed.append((text, found, begun[0]))
        self.of_row |= {row: states[code] for row, code in zip(gets.tolist(), codes, strict=True)}
        return None

    def followed(
        self, text: str, place: int, state: int, get: int, lengths: list[int]
    ) -> int | Finding:
        """Go on from a state, a piece after the other, to where a text ends."""
        while place < len(text):
            fitting = self.pieces.at(place, text, lengths)
            if not fitting:
                part = quoted(text[place : place + 20])
                return self.contradicted(
                    get, f"returned {part} at place {place + 1}, where nothing that was appended"
                    " fits"
                )  # fmt: skip
            (piece,) = fitting  # none begins another
            row = self.pieces[piece]
            known = self.of_row.get(row)
            if known is None:
                known = self.reach(f"…{piece}", row, state, get)
            elif self.before[known] != state:
                return self.contradicted(
                    get,
                    f"and {self.getter(self.shown[known])} disagree on what stood before"
                    f" {quoted(piece)}, which was appended once",
                    row,
                    self.shown[known],
                )
            state, place = known, place + len(piece)
        return state

    def note_unseen(self) -> None:
        for piece, row in self.pieces.items():
            if row not in self.of_row:
                self.reach(f"…{piece}", row)

    def contradicted(self, get: int, what: str, *others: int) -> Finding:
        sentence = f"{capital(self.getter(get))} {what}."
        return Finding(False, tuple(sorted({get, *others})), sentence)

    def getter(self, row: int) -> str:
        """Name a get without its text, which may be long."""
        return f"process {self.history.process_of(row)}'s get ({when(self.history, row)})"

    def as_register(self, rows: IntColumn) -> tuple[RegisterView, IntColumn]:
        """Return the history of a register that goes through these states, and its rows."""
        history = self.history
        kinds, given = np.zeros(len(history), np.int32), np.full(len(history), NULL, np.int32)
        returned = given.copy()
        pairs = [(NO_PAIR, NO_PAIR)] * len(self.labels)
        for row in (*self.puts.values(), *self.pieces.values()):
            state = self.of_row[row]
            seen = self.before[state] >= 0
            kinds[row], given[row] = (_CAS, len(pairs)) if seen else (_WRITE, state)
            pairs += [(self.before[state], state)] if seen else []
        is_get = history.f[rows] == history.f_code("get")
        for row in rows[is_get & (history.outcome[rows] == _OK)].tolist():
            returned[row] = self.of_row[row]
        given_rows = np.array([*self.puts.values(), *self.pieces.values()], dtype=np.int64)
        known = np.sort(np.concatenate([rows[is_get], given_rows]))
        view = replace(
            history,
            fs=_FS,
            f=kinds.astype(history.f.dtype),
            input=given,
            output=returned,
            values=_table(self.labels, pairs),
        )
        model = CasRegister(self.initial, observes_mismatch=False)
        return RegisterView(view, model, history), known

    def told(self, finding: Finding) -> Finding:
        """Add what shows where the appends stood of which a finding tells."""
        states = [self.of_row[row] for row in finding.operations if row in self.pieces.values()]
        shown = {self.shown[state] for state in states} - {-1}
        return replace(finding, operations=tuple(sorted({*finding.operations, *shown})))


def _table(labels: list[str], pairs: list[tuple[int, int]]) -> Values:
    """Return a table of values: a text for each state, and behind them the pairs of the cas."""
    texts = [msgspec.json.encode(label) for label in labels]
    is_text = np.arange(len(pairs)) < len(texts)
    return Values(
        np.where(is_text, np.arange(len(pairs)), 0),
        is_text.astype(np.int8),
        np.array(pairs, dtype=np.int32).reshape(-1, 2),
        np.cumsum([len(text) for text in texts], dtype=np.int64),
        np.frombuffer(b"".join(texts), dtype=np.uint8),
    )


def _two_ways(one: str, other: str) -> Declined:
    both = f"{quoted(one)} or {quoted(other)}"
    return Declined(f"a text may begin with {both}, so that the search decided")


ENGINE = Engine(
    "replaced-text",
    replaced_text,
    (KeyValue,),
    "text under one key that is put and extended",
    order,
)
