"""What all monitors do first: numbers for values, and a refusal of what the model has not."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from partita.checker.explain import quoted
from partita.checker.history import CodeColumn, History, IntColumn
from partita.checker.models.model import Model, ModelError, frozen
from partita.checker.values import NO_PAIR
from partita.checker.verdict import Finding, LimitReached

VALID, INVALID, DECLINED = range(3)

_QUOTE: Final = ord('"')


@dataclass(frozen=True, slots=True)
class Numbers:
    """Values by number: equal ones, as Python has it, have the same. All are below `count`."""

    columns: list[CodeColumn]
    extra: list[int]
    count: int


def numbers(history: History, columns: list[CodeColumn], extra: Iterable[Hashable] = ()) -> Numbers:
    """Number the values in some columns of codes, and some more that are given themselves.

    Codes do for whole numbers and text. Elsewhere unlike JSON may be equal in Python (1 and
    true), and models compare in Python: then values are looked at one by one.
    """
    codes = np.concatenate(columns).astype(np.int32)
    given = list(extra)
    if given or not are_plain(history, codes):
        return _compared(history, columns, given)
    if len(history.values) <= 8 * len(codes) + 64:
        return Numbers(_split(codes + 1, columns), [], len(history.values) + 1)
    found, inverse = np.unique(codes, return_inverse=True)
    return Numbers(_split(inverse.astype(np.int32), columns), [], len(found))


def _compared(history: History, columns: list[CodeColumn], given: list[Hashable]) -> Numbers:
    found, inverse = np.unique(np.concatenate(columns), return_inverse=True)
    known: dict[Hashable, int] = {}
    number = [
        known.setdefault(frozen(history.values.decoded(int(code))), len(known)) for code in found
    ]
    numbered = np.array(number, dtype=np.int32)[inverse]
    more = [known.setdefault(each, len(known)) for each in given]
    return Numbers(_split(numbered, columns), more, len(known))


def _split(joined: CodeColumn, columns: list[CodeColumn]) -> list[CodeColumn]:
    return np.split(joined, np.cumsum([len(column) for column in columns])[:-1])


def are_plain(history: History, codes: CodeColumn) -> bool:
    """Whether these are whole numbers, text or null: then equal values have equal codes."""
    values = history.values
    codes = codes[codes >= 0]
    if (values.pairs[codes, 0] != NO_PAIR).any():
        return False
    texts = values.payload[codes[values.is_text[codes] == 1]]
    begins = np.where(texts > 0, values.text_ends[texts - 1], 0)
    return bool((values.text[begins] == _QUOTE).all())


def placed(answer: tuple[int, str, list[int], list[int]]) -> IntColumn:
    """Return the order of what a monitor found valid, by places. Raises `LimitReached`."""
    decision, limit, _, places = answer
    if decision != VALID:
        raise LimitReached(f"{limit} reached")
    return np.array(places, dtype=np.int64)


def acts(
    history: History, rows: IntColumn, model: Model, known: dict[str, int]
) -> npt.NDArray[np.int8]:
    """Return a number for the f of each row. Raises `ModelError` where the model has none."""
    table = np.array([known.get(f, -1) for f in history.fs] or [-1], dtype=np.int8)
    found: npt.NDArray[np.int8] = table[history.f[rows]]
    if (found < 0).any():
        raise unfit(history, int(rows[np.argmax(found < 0)]), model)
    return found


def unfit(history: History, row: int, model: Model, why: str = "") -> ModelError:
    """Return the error for an operation that the model has not."""
    op = history[row]
    what = f"operation {row} (event {history.invoked_rank[row] + 1}) is {op.f!r}"
    what += f" with value {quoted(op.input)}"
    if op.output not in (None, op.input):
        what += f" and answer {quoted(op.output)}"
    return ModelError(f"model {model.name} does not fit the history: {what}{why and ', ' + why}")


def stopped(reason: str) -> Finding:
    """Return what a monitor found that hit a limit."""
    return Finding("unknown", reason=f"{reason} reached" if reason.endswith("limit") else reason)
