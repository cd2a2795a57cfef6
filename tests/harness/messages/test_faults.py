"""Faults told to the router: they strike the links that they are told, until they are healed."""

from typing import Any, cast

import pytest

from partita.harness.messages.faults import faults_on
from partita.harness.messages.links import Links
from partita.nemesis.targets import Scope

HERE, BACK = ("n1", "n2"), ("n2", "n1")
NOBODY = cast(Any, None)  # these faults ask neither hosts nor the store


@pytest.mark.parametrize(
    ("name", "settings", "strikes"),
    [
        ("partition", {}, lambda fate: not fate.after),
        ("loss", {"percent": 50}, lambda fate: not fate.after),
        ("duplicate", {"percent": 50}, lambda fate: len(fate.after) == 2),
        ("delay", {"ms": 30}, lambda fate: fate.after == (0.03,)),
        ("reorder", {"percent": 50, "ms": 30}, lambda fate: fate.after == (0.03,)),
    ],
)
def test_a_fault_strikes_its_links_and_no_others_until_it_ends(
    name: str, settings: dict[str, float], strikes: Any
) -> None:
    links = Links(seed=1)
    fault = faults_on(links)[name](**settings)
    scope = Scope(grudge={"n2": frozenset({"n1"})})
    fault.begin(NOBODY, scope)
    assert fault.prove(NOBODY, scope)["bit"] is True
    struck = sum(strikes(links.fate(HERE)) for _ in range(100))
    assert struck == 100 if "percent" not in settings else 20 < struck < 80
    assert not any(strikes(links.fate(BACK)) for _ in range(100))
    (count,) = fault.lasted(NOBODY, scope).figures.values()
    assert count == struck
    fault.end(NOBODY, scope)
    assert not any(strikes(links.fate(HERE)) for _ in range(100))
