"""A store that gets a part of a processor: measured by what it had, both ways, and healed."""

import os
import time
from collections.abc import Iterator

import pytest
from sleepers import driven
from test_slow_disk import groups
from workers import Workers

from partita.harness.nodes.cluster import Node
from partita.nemesis import faults, switch
from partita.nemesis.background import Background
from partita.nemesis.calls import PROGRAM

pytestmark = pytest.mark.cluster
NAMES = {"group": "a control group", "turns": "turns"}
EITHER = NAMES if "PARTITA_FAULTS" in os.environ else ["turns"]  # the other one is much the same


@pytest.fixture
def workers(nodes: list[Node]) -> Iterator[Workers]:
    """Two of the cluster's nodes with a store that works all the time."""
    system = Workers()
    before = groups("cpu")
    for node in nodes[:2]:
        system.start(node, nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes[:2]:
        system.kill(node)
        system.wipe(node)
    assert groups("cpu") == before


def way(node: Node, by: str) -> str:
    """The setting, unless it cannot be had here."""
    if lack := faults.make("starve", {"by": by}).lacks(node):
        pytest.skip(lack)
    return by


def share(workers: Workers, node: Node, seconds: float = 1.0) -> float:
    """How much of a processor the store had for a while."""
    before, began = workers.processor_s(node), time.monotonic()
    time.sleep(seconds)
    return (workers.processor_s(node) - before) / (time.monotonic() - began)


@pytest.mark.parametrize("by", NAMES)
def test_it_has_no_more_than_it_was_to_have_until_it_is_healed(
    workers: Workers, nodes: list[Node], by: str
) -> None:
    node = nodes[0]
    driver, events = driven(workers, nodes, f"0s starve n1 percent=10 by={way(node, by)}")
    (probe,) = (value for _, f, value in events if f == "probe")
    assert (probe["bit"], probe["by"]) == (True, NAMES[by])
    assert by != "group" or 0 < probe["processor_percent"] <= 30
    assert 0 < share(workers, node, 2) < 0.2
    driver.finish()
    assert driver.failure is None
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert ended["figures"]["1"]["times_without_processor"] > 5
    # However busy the machine is, sooner or later it has its turn.
    deadline = time.monotonic() + 30
    while share(workers, node, 0.5) < 0.25:
        assert time.monotonic() < deadline


def test_it_is_there_again_after_a_restart_on_that_node_and_stays_on_the_other(
    workers: Workers, nodes: list[Node]
) -> None:
    schedule = "0s starve n1,n2 percent=20; 0.1s kill n1; 0.2s heal kill"
    driver, events = driven(workers, nodes, schedule)
    assert all(0 < share(workers, node) < 0.4 for node in nodes[:2])
    driver.finish()
    assert all(value["bit"] for _, f, value in events if f == "probe")


def test_a_second_one_takes_the_place_of_the_first(workers: Workers, nodes: list[Node]) -> None:
    driver, events = driven(workers, nodes, "0s starve n1 by=turns; 0.1s starve n2 by=turns")
    deadline = time.monotonic() + 30
    while [f for _, f, _ in events].count("probe") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert Background(PROGRAM, "starve").ended(nodes[:2]) == {"n1"}
    driver.finish()


@pytest.mark.parametrize("by", EITHER)
def test_a_host_heals_alone(workers: Workers, nodes: list[Node], by: str) -> None:
    node = nodes[0]
    driver, _ = driven(workers, nodes, f"0s starve n1 percent=1 by={way(node, by)}")
    node.run(["sh", "-c", "pkill -KILL -x partita-calls; true"])
    node.run(["sh", "-c", faults.heals()])
    node.run(["sh", "-c", faults.heals()])
    deadline = time.monotonic() + 30
    while share(workers, node, 0.5) < 0.1:
        assert time.monotonic() < deadline
    driver.finish()


def test_a_store_that_never_waits_was_not_starved(workers: Workers, nodes: list[Node]) -> None:
    """Nobody is there to be stopped."""
    workers.kill(nodes[0])
    driver, events = driven(workers, nodes, "0s starve n1 by=turns")
    (probe,) = (value for _, f, value in events if f == "probe")
    assert probe["bit"] is False
    driver.finish()
