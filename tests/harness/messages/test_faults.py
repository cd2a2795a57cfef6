"""Faults told to the router: they strike the links that they are told, until they are healed."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from partita.harness.messages.faults import faults_on
from partita.harness.messages.links import AT_ONCE, Links
from partita.nemesis.targets import Scope

HERE, BACK = ("n1", "n2"), ("n2", "n1")
# These faults ask hosts for nothing but their names, and nothing of the store.
NOBODY = cast(Any, SimpleNamespace(hosts=[SimpleNamespace(name=f"n{k}") for k in (1, 2, 3)]))


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


ALL = {"n1": {"n2", "n3"}, "n2": {"n1", "n3"}, "n3": {"n1", "n2"}}
ONE = {"n1": {"n2", "n3"}, "n2": {"n1"}, "n3": {"n1"}}
LINK = {"n1": {"n2"}, "n2": {"n1"}}


@pytest.mark.parametrize(
    ("name", "grudge", "struck"),
    [
        ("loss", ALL, {"n1", "n2", "n3"}),
        ("duplicate", ONE, {"n1"}),
        ("delay", LINK, set()),
        ("partition", ALL, set()),
    ],
)
def test_clients_are_struck_beside_a_node_of_which_all_links_are(
    name: str, grudge: dict[str, set[str]], struck: set[str]
) -> None:
    links = Links(seed=1)
    scope = Scope(grudge={node: frozenset(others) for node, others in grudge.items()})
    faults_on(links)[name]().begin(NOBODY, scope)
    nodes = ("n1", "n2", "n3")
    met = {node for node in nodes for _ in range(200) if links.fate(("c1", node), node) != AT_ONCE}
    assert met == struck
