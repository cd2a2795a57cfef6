"""Disks that take long, and disks that fail, for a store that writes all the time."""

from collections.abc import Iterator
from statistics import median

import pytest
from sleepers import Events, driven
from writers import NAME, Writers

from partita.harness.nodes.cluster import Node
from partita.nemesis import faults, switch

pytestmark = pytest.mark.cluster
REFUSED = "Input/output-error"


@pytest.fixture
def writers(nodes: list[Node]) -> Iterator[Writers]:
    """The first two of the cluster's nodes with a store that writes."""
    system = Writers()
    if lack := faults.make("slow-fsync", {}).lacks(nodes[0]):
        pytest.skip(lack)
    for node in nodes[:2]:
        system.start(node, nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes[:2]:
        system.kill(node)
        system.wipe(node)


def probes(events: Events) -> list[dict[str, object]]:
    return [value for _, f, value in events if f == "probe"]


def took(rounds: list[str]) -> float:
    return median(map(float, rounds))


def test_each_fsync_waits_until_it_is_healed(writers: Writers, nodes: list[Node]) -> None:
    struck, spared = nodes[:2]
    driver, events = driven(writers, nodes, "0s slow-fsync n1 ms=300")
    assert probes(events) == [{"fault": 1, "bit": True, "processes": 1}]
    assert min(map(float, writers.rounds(struck))) >= 300
    assert took(writers.rounds(spared)) < 300
    # A process that is started meanwhile is slow as well.
    writers.kill(struck)
    writers.start(struck, nodes)
    deadline = 0
    while min(map(float, writers.rounds(struck, 1))) < 300:
        assert (deadline := deadline + 1) < 200
    driver.finish()
    assert driver.failure is None
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    # Three rounds were seen before the restart, and one after it.
    assert ended["figures"]["1"]["calls_delayed"] >= 4
    assert took(writers.rounds(struck)) < 300


def test_calls_fail_until_they_are_healed_and_who_ended_is_started(
    writers: Writers, nodes: list[Node]
) -> None:
    struck, spared = nodes[:2]
    driver, events = driven(writers, nodes, "0s disk-error n1")
    assert set(writers.rounds(struck)) == {REFUSED}
    assert REFUSED not in writers.rounds(spared)
    writers.kill(struck)
    driver.finish()
    assert driver.failure is None
    assert REFUSED not in writers.rounds(struck)
    assert [each["bit"] for each in probes(events)] == [True]


def test_some_writes_fail(writers: Writers, nodes: list[Node]) -> None:
    driver, _ = driven(writers, nodes, "0s disk-error n1 calls=write percent=50")
    said = writers.rounds(nodes[0], 30)
    assert 0 < said.count(REFUSED) < len(said)
    driver.finish()


@pytest.mark.parametrize(("syncs", "least", "most"), [(True, 1, 20), (False, 0, 0)])
def test_what_a_fault_of_a_moment_delayed_is_counted(
    writers: Writers, nodes: list[Node], syncs: bool, least: int, most: int
) -> None:
    if not syncs:
        writers.kill(nodes[0])
        nodes[0].start_daemon(NAME, ["sleep", "1000"])
    driver, events = driven(writers, nodes, "0s slow-fsync n1; 0.4s heal")
    driver.finish()
    (ended,) = (value for kind, f, value in events if (kind, f) == ("ok", "heal"))
    assert least <= ended["figures"]["1"]["calls_delayed"] <= most


def test_a_host_that_hears_nothing_heals_itself(writers: Writers, nodes: list[Node]) -> None:
    driver, _ = driven(writers, nodes, "0s slow-fsync n1 ms=300; 0.1s disk-error n2")
    for node in nodes[:2]:
        node.run(["sh", "-c", faults.heals()])
        node.run(["sh", "-c", faults.heals()])
    assert took(writers.rounds(nodes[0])) < 300
    assert REFUSED not in writers.rounds(nodes[1])
    driver.finish()


def test_they_go_on_if_the_program_is_killed(writers: Writers, nodes: list[Node]) -> None:
    driver, events = driven(writers, nodes, "0s slow-fsync n1 ms=300")
    nodes[0].run(["sh", "-c", 'kill -KILL "$(cat /run/partita/slow-fsync.pid)"'])
    assert took(writers.rounds(nodes[0])) < 300
    driver.finish()
    assert [each["bit"] for each in probes(events)] == [True, False]
