"""A store that wants ever more memory meets its limit, both ways; one that does not never does."""

import os
import time
from collections.abc import Iterator

import pytest
from sleepers import driven
from test_slow_disk import groups
from workers import Workers

from partita.harness.nodes.cluster import Node
from partita.nemesis import faults, switch

pytestmark = pytest.mark.cluster
NAMES = {"group": "a control group", "process": "a limit of the process"}


@pytest.fixture
def hungry(nodes: list[Node]) -> Iterator[Workers]:
    """The first of the cluster's nodes with a store that takes up to 200 MB."""
    yield from started(Workers(wants_mb=200), nodes)


@pytest.fixture
def modest(nodes: list[Node]) -> Iterator[Workers]:
    yield from started(Workers(), nodes)


def started(system: Workers, nodes: list[Node]) -> Iterator[Workers]:
    before = groups("memory")
    system.start(nodes[0], nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    system.kill(nodes[0])
    system.wipe(nodes[0])
    assert groups("memory") == before


@pytest.mark.parametrize("by", NAMES)
def test_whoever_wants_more_ends_and_is_started_again(
    hungry: Workers, nodes: list[Node], by: str
) -> None:
    node = nodes[0]
    if lack := faults.make("memory-limit", {"by": by}).lacks(node):
        pytest.skip(lack)
    driver, events = driven(hungry, nodes, f"0s memory-limit n1 mb=10 by={by}")
    (probe,) = (value for _, f, value in events if f == "probe")
    assert (probe["bit"], probe["by"]) == (True, NAMES[by])
    deadline = time.monotonic() + 60
    while hungry.healthy(node):
        assert time.monotonic() < deadline, "it has all that it wants"
        time.sleep(0.1)
    driver.finish()
    assert driver.failure is None
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert ended["figures"]["1"]["limit_met"] > 0
    assert ended["figures"]["1"]["ended"] == 1
    assert hungry.healthy(node)


@pytest.mark.parametrize("by", NAMES if "PARTITA_FAULTS" in os.environ else ["process"])
def test_a_limit_that_nobody_meets_is_counted_as_none_and_taken_away(
    modest: Workers, nodes: list[Node], by: str
) -> None:
    node = nodes[0]
    if lack := faults.make("memory-limit", {"by": by}).lacks(node):
        pytest.skip(lack)
    limits = ["sh", "-c", 'grep "data size" /proc/$(cat /srv/partita/worker/pid)/limits']
    before = node.run(limits).stdout
    driver, events = driven(modest, nodes, f"0s memory-limit n1 mb=500 by={by}")
    assert (node.run(limits).stdout != before) == (by == "process")
    driver.finish()
    assert node.run(limits).stdout == before
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert ended["figures"]["1"] == {"limit_met": 0}


def test_a_host_heals_alone(modest: Workers, nodes: list[Node]) -> None:
    node = nodes[0]
    limits = ["sh", "-c", 'grep "data size" /proc/$(cat /srv/partita/worker/pid)/limits']
    before = node.run(limits).stdout
    driver, _ = driven(modest, nodes, "0s memory-limit n1 mb=500 by=process")
    node.run(["sh", "-c", faults.heals()])
    node.run(["sh", "-c", faults.heals()])
    assert node.run(limits).stdout == before
    driver.finish()
