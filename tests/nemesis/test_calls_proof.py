"""A call that fails may end the store before anybody looks: then it bit all the same."""

from types import SimpleNamespace
from typing import Any

import pytest

from partita.nemesis.fault import Scene
from partita.nemesis.faults.calls import _prove as prove
from partita.nemesis.targets import Scope


class Silent:
    """A store of which some nodes answer."""

    def __init__(self, *serving: str) -> None:
        self._serving = serving

    def serves(self, node: str) -> bool:
        return node in self._serving


@pytest.mark.parametrize(
    ("figures", "serving", "bit"),
    [
        ({"processes": 1, "struck": 0}, ("n1",), True),
        ({"processes": 0, "struck": 1}, (), True),
        ({"processes": 0, "struck": 0}, (), False),
        ({}, ("n1",), False),
    ],
)
def test_it_bit_if_a_process_is_traced_or_a_call_was_struck(
    figures: dict[str, int], serving: tuple[str, ...], bit: bool
) -> None:
    host = SimpleNamespace(name="n1", lost=False)
    program: Any = SimpleNamespace(figures=lambda hosts: {"n1": figures})
    scene = Scene([host], Silent(*serving))  # type: ignore[list-item,arg-type]
    assert prove(program, scene, Scope(("n1",)))["bit"] is bit
