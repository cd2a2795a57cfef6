"""Values by number, in columns as the reader made them: decoded one at a time, when looked at.

A history of ten million operations mentions nearly as many values; as Python objects they
would need more memory than everything else, and hardly any of them is ever looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, overload

import msgspec
import numpy as np
import numpy.typing as npt

from partita.checker import _native

NULL: Final = -1
NO_PAIR: Final = -2
# The number of a value that does not occur.
ABSENT: Final = -9


# How the native reader tells apart what is the same in JSON and not in EDN: the elements of a set
# stand between tabs, and the colon of a text that looks like a keyword is escaped.
_SET, _NO_ELEMENTS, _TEXT = b"[\t", b"[\t\t]", b'"\\u003a'
_SET_MARK, _TEXT_MARK = "\0set", "\0:"


class Unordered(list[Any]):
    """A set of EDN: its elements in an order of ours, so that equal sets are equal lists."""


class Text(str):
    """A text of EDN that looks like a keyword, and is not equal to the keyword."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and str.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash((_TEXT_MARK, str(self)))


@dataclass(frozen=True, slots=True)
class Values(Sequence[Any]):
    """A table of values: those with equal JSON have the same number.

    `payload` holds whole numbers themselves and indexes of texts, as `is_text` says; `pairs`
    the numbers of the two parts of a list of two (else `NO_PAIR`). Texts are compact JSON.
    """

    payload: npt.NDArray[np.int64]
    is_text: npt.NDArray[np.int8]
    pairs: npt.NDArray[np.int32]
    text_ends: npt.NDArray[np.int64]
    text: npt.NDArray[np.uint8]

    @staticmethod
    def empty() -> "Values":
        """Return a table without values."""
        return Values(
            np.zeros(0, dtype=np.int64),
            np.zeros(0, dtype=np.int8),
            np.zeros((0, 2), dtype=np.int32),
            np.zeros(0, dtype=np.int64),
            np.zeros(0, dtype=np.uint8),
        )

    def __len__(self) -> int:
        return len(self.payload)

    @overload
    def __getitem__(self, number: int) -> Any: ...
    @overload
    def __getitem__(self, number: slice) -> list[Any]: ...
    def __getitem__(self, number: int | slice) -> Any:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(len(self)))]
        first, second = self.pairs[number].tolist()
        if first != NO_PAIR:
            return [self.decoded(first), self.decoded(second)]
        payload = int(self.payload[number])
        return decoded_json(self._json(payload)) if self.is_text[number] else payload

    def decoded(self, number: int) -> Any:
        """Return a value by its number, None for null."""
        return None if number < 0 else self[number]

    def several(self, numbers: npt.NDArray[np.int32]) -> list[Any]:
        """Return values by their numbers, None for null: quicker than one after the other."""
        found: list[Any] = [None] * len(numbers)
        is_value = numbers >= 0
        known = numbers[is_value]
        places, payload = np.flatnonzero(is_value), self.payload[known]
        is_pair = self.pairs[known, 0] != NO_PAIR
        is_text = ~is_pair & (self.is_text[known] == 1)
        is_whole = ~is_pair & ~is_text
        for at, whole in zip(places[is_whole].tolist(), payload[is_whole].tolist(), strict=True):
            found[at] = whole
        for at, text in zip(places[is_text].tolist(), self._texts(payload[is_text]), strict=True):
            found[at] = text
        for at, number in zip(places[is_pair].tolist(), known[is_pair].tolist(), strict=True):
            found[at] = self[number]
        return found

    def _texts(self, indexes: npt.NDArray[np.int64]) -> list[Any]:
        if not len(indexes):
            return []
        begins = np.where(indexes > 0, self.text_ends[indexes - 1], 0).tolist()
        ends = self.text_ends[indexes].tolist()
        text = self.text.data
        each = (text[begin:end] for begin, end in zip(begins, ends, strict=True))
        # The first one is ours: a list that begins with some texts is read as a set.
        decoded: list[Any] = decoded_json(b",".join([b"[null", *each]) + b"]")
        return decoded[1:]

    def number(self, value: Any) -> int:
        """Return the number of a value, `ABSENT` if it does not occur."""
        if value is None:
            return NULL
        if isinstance(value, list | tuple) and not isinstance(value, Unordered) and len(value) == 2:
            return self.pair(*map(self.number, value))
        json = _native.compact_json(as_json(value))
        if isinstance(value, Text):
            json = json.replace(b'":', _TEXT, 1)
        if json.removeprefix(b"-").isdigit() and -(2**63) <= int(json) < 2**63:
            plain = (self.is_text == 0) & (self.pairs[:, 0] == NO_PAIR)
            return self._first(plain & (self.payload == int(json)))
        return self._number_of_text(json)

    def pair(self, first: int, second: int) -> int:
        """Return the number of a pair by those of its parts, `ABSENT` if it does not occur."""
        return self._first(np.all(self.pairs == [first, second], axis=1))

    def _number_of_text(self, json: bytes) -> int:
        lengths = np.diff(self.text_ends, prepend=0)
        for index in np.flatnonzero(lengths == len(json)):
            if self._json(int(index)) == json:
                return self._first((self.is_text == 1) & (self.payload == index))
        return ABSENT

    def _json(self, index: int) -> bytes:
        begin = self.text_ends[index - 1] if index else 0
        return self.text[begin : self.text_ends[index]].tobytes()

    @staticmethod
    def _first(found: npt.NDArray[np.bool_]) -> int:
        at = int(found.argmax()) if len(found) else 0
        return at if len(found) and found[at] else ABSENT

    def selected(self, numbers: npt.NDArray[np.int32]) -> tuple["Values", npt.NDArray[np.int32]]:
        """Return a table of these values and their parts alone, and the new number of each old.

        The second result has one entry more than this table, so that -1 stays -1.
        """
        used = np.zeros(len(self) + 1, dtype=bool)
        used[numbers] = True
        # Parts have smaller numbers than their pair: one pass from the last to the first would
        # do, and a few passes over all do as well, for pairs are hardly ever nested.
        while True:
            parts = self.pairs[used[:-1] & (self.pairs[:, 0] != NO_PAIR)].ravel()
            if used[parts].all():
                break
            used[parts] = True
        used[-1] = False
        kept = np.flatnonzero(used)
        new = np.full(len(self) + 1, NULL, dtype=np.int32)
        new[kept] = np.arange(len(kept), dtype=np.int32)
        return self._kept(kept, new), new

    def _kept(self, kept: npt.NDArray[np.intp], new: npt.NDArray[np.int32]) -> "Values":
        pairs, payload, is_text = self.pairs[kept], self.payload[kept], self.is_text[kept]
        pairs = np.where(pairs == NO_PAIR, NO_PAIR, new[pairs]).astype(np.int32)
        texts = [self._json(int(index)) for index in payload[is_text == 1]]
        payload[is_text == 1] = np.arange(len(texts))
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        text = np.frombuffer(b"".join(texts), dtype=np.uint8)
        return Values(payload, is_text, pairs, ends, text)


class Decoded(dict[int, Any]):
    """Values by their numbers, each decoded once, unless somebody could change it."""

    def __init__(self, values: Values) -> None:
        super().__init__()
        self._values = values

    def __missing__(self, number: int) -> Any:
        value = self._values.decoded(number)
        if not isinstance(value, list | dict):
            self[number] = value
        return value


def as_json(value: Any) -> bytes:
    """Return a value in JSON, which has lists for EDN's sets, and no keywords."""
    return msgspec.json.encode(value, enc_hook=_plain)


def canonical(value: Any) -> bytes:
    """Return a value as JSON that is the same for equal values, whose objects are in any order."""
    return msgspec.json.encode(value, enc_hook=_plain, order="sorted")


def _plain(value: Any) -> Any:
    if isinstance(value, Text):
        return str.__str__(value)
    if isinstance(value, Unordered):
        return list(value)
    raise TypeError(f"a {type(value).__name__} is no value of a history")


def decoded_json(json: bytes) -> Any:
    """Return a value by the text that stands for it in a table of values."""
    if _SET not in json and _TEXT not in json:
        return msgspec.json.decode(json)
    marked = json.replace(_NO_ELEMENTS, b'["\\u0000set"]').replace(_SET, b'["\\u0000set",')
    return _unmarked(msgspec.json.decode(marked.replace(_TEXT, b'"\\u0000:')))


def _unmarked(value: Any) -> Any:
    if isinstance(value, str):
        return Text(value[1:]) if value.startswith(_TEXT_MARK) else value
    if isinstance(value, list):
        elements = [_unmarked(each) for each in value]
        return Unordered(elements[1:]) if elements[:1] == [_SET_MARK] else elements
    if isinstance(value, dict):
        return {_unmarked(name): _unmarked(each) for name, each in value.items()}
    return value
