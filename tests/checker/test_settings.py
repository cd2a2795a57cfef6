"""Settings: a constructor's parameters, as options and as words of a schedule."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from partita.checker.plugins import PluginError
from partita.checker.settings import (
    REQUIRED,
    Parameter,
    Setting,
    SettingError,
    in_force,
    make_with,
    parameters,
)


class Thing:
    """Has one of each."""

    def __init__(
        self,
        key: str,
        plain="x",
        mode: Annotated[Literal["a", "b"], Setting("Which.")] = "a",
        count: Annotated[int, Setting("How many.", least=1, most=10)] = 5,
        seconds: float | None = None,
        flag: bool = False,
        file: Annotated[Path | None, Setting(metavar="FILE")] = None,
        words: Sequence[str] = (),
        odd: dict[str, int] | None = None,
    ) -> None:
        self.count, self.mode = count, mode


@dataclass
class Delay:
    """A dataclass is as good."""

    ms: Annotated[float, Setting("Milliseconds.", least=1, most=5000)] = 50


def one(name: str) -> Parameter:
    return next(each for each in parameters(Thing) if each.name == name)


def test_every_type_that_can_be_given() -> None:
    found = {each.name: each for each in parameters(Thing)}
    assert list(found) == [
        "key", "plain", "mode", "count", "seconds", "flag", "file", "words",
    ]  # fmt: skip
    assert found["key"].default is REQUIRED
    assert found["mode"].choices == ("a", "b")
    assert found["count"].about.help == "How many."
    assert [each.option for each in parameters(Delay)] == ["--ms"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("key", "k", "k"),
        ("mode", "b", "b"),
        ("count", "10", 10),
        ("seconds", "0.5", 0.5),
        ("flag", "true", True),
        ("flag", "no", False),
        ("file", "a/b", Path("a/b")),
        ("words", "--x 'a b'", ("--x", "a b")),
    ],
)
def test_a_text_becomes_a_value(name: str, text: str, value: Any) -> None:
    assert one(name).read(text) == value


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mode", "c", "there is no 'c': choose from a, b"),
        ("count", "0", "must be at least 1 and at most 10, not 0"),
        ("count", "many", "'many' is no whole number"),
        ("seconds", "nan", "no number of use"),
        ("seconds", "soon", "'soon' is no number"),
        ("flag", "perhaps", "neither true nor false"),
        ("words", "'", "a quotation mark is missing"),
    ],
)
def test_what_does_not_fit_is_said(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingError, match=said):
        one(name).read(text)


def test_what_was_not_given_keeps_its_default() -> None:
    assert make_with(Thing, {"key": "k", "count": None}).count == 5
    assert in_force(Thing, {"key": "k", "file": Path("x"), "words": ("a",)}) == {
        "key": "k", "plain": "x", "mode": "a", "count": 5, "seconds": None, "flag": False,
        "file": "x", "words": ["a"],
    }  # fmt: skip


def test_a_parameter_that_no_option_can_give_needs_a_default() -> None:
    class Odd:
        def __init__(self, table: dict[str, int]) -> None: ...

    with pytest.raises(PluginError, match="Odd takes 'table', which no option can give"):
        parameters(Odd)


def test_annotations_may_be_texts() -> None:
    space: dict[str, Any] = {}
    code = (
        "from __future__ import annotations\nfrom typing import Annotated, Literal\n"
        "class Late:\n    def __init__(self, n: int = 1, m: Literal['x'] = 'x', o: Nowhere = 2):\n"
        "        pass\n"
    )
    exec(code, space)
    assert [each.name for each in parameters(space["Late"])] == ["n", "m", "o"]
