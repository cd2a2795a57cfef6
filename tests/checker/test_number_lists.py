"""Lists of whole numbers are read at a stroke, and that shows in nothing but in the time.

A blank behind the bracket has the reader take the elements one by one, as it does all others.
"""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from partita.checker import _native

_LONG = "7" * 4096  # as long as a number may be
_TOKENS = ["0", "1", "9", "12", "00", "01", "10", "-1", "1.5", "1e2", "1N", "", "x", "[1]", "nil"]
_TOKENS += ['"1"', "[]", _LONG, _LONG + "7", "/", ":"]
_SEPARATORS = [" ", ",", ", ", "  ", "\n", "\t"]


def _read(value: str, notation: str) -> Any:
    """Return the text that stands for a value, or what is said of it."""
    event = '{{"process":1,"type":"invoke","f":"add","value":{}}}'
    if notation == "edn":
        event = "{{:process 1, :type :invoke, :f :add, :value {}}}"
    found = _native.read_text(event.format(value).encode(), notation, False)
    if found[0] is None:
        return found[2]
    columns, notes = found
    values = {name: getattr(each, "tolist", lambda each=each: each)()
              for name, each in columns["values"].items()}  # fmt: skip
    return values, columns["input"].tolist(), notes


@pytest.mark.parametrize("notation", ["edn", "json-lines", "json"])
@given(
    tokens=st.lists(st.sampled_from(_TOKENS) | st.integers(0, 10**12).map(str), max_size=40),
    separator=st.sampled_from(_SEPARATORS),
    closing=st.sampled_from(["]", "]", "]", ")", ""]),
)
@settings(deadline=None, max_examples=400)
def test_as_if_read_one_by_one(
    notation: str, tokens: list[str], separator: str, closing: str
) -> None:
    text = separator.join(tokens) + closing
    assert _read("[" + text, notation) == _read("[ " + text, notation)


@pytest.mark.parametrize(("notation", "separator"), [("edn", " "), ("json", ",")])
@pytest.mark.parametrize("size", [1, 2, 15, 16, 17, 1_000, 5_000])
def test_every_place_in_a_long_list_is_looked_at(notation: str, separator: str, size: int) -> None:
    numbers = ["1" + "0" * (at % 4) for at in range(size)]
    for at in {0, 1, size // 2, size - 2, size - 1} & set(range(size)):
        for wrong in ("01", "", "x", _LONG, _LONG + "7", "5" + separator):
            text = separator.join([*numbers[:at], wrong, *numbers[at + 1 :]])
            assert _read(f"[{text}]", notation) == _read(f"[ {text}]", notation), (at, wrong)


@pytest.mark.parametrize("notation", ["edn", "json"])
@pytest.mark.parametrize("depth", range(195, 205))
def test_as_deep_as_other_lists(notation: str, depth: int) -> None:
    around = "[" * depth, "]" * depth
    assert _read("1".join(around), notation) == _read(" 1".join(around), notation)
