"""Wrong clocks of a store's processes on real nodes, by what the processes themselves read."""

import time
from collections.abc import Callable, Iterator

import pytest
from clocked import Clocked
from sleepers import Events, driven

from partita.harness.nodes.cluster import Node
from partita.nemesis import faults, programs, switch
from partita.nemesis.clocks import PROGRAM
from partita.nemesis.schedule import ScheduleError, parse

NEAR = 0.5  # a busy machine may let a process wait between two looks at its clocks


@pytest.fixture(scope="module")
def clocked(nodes: list[Node]) -> Iterator[Clocked]:
    """The first two of the cluster's nodes with a store that notes its clocks."""
    system = Clocked()
    if lack := faults.make("clock-jump", {}).lacks(nodes[0]):
        pytest.skip(lack)
    for node in nodes[:2]:
        system.start(node, nodes)
    for node in nodes[:2]:
        assert waited(lambda node=node: system.healthy(node))
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    for node in nodes[:2]:
        system.kill(node)
        system.wipe(node)


def waited(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not look():
        if time.monotonic() > deadline:
            return False
    return True


def probes(events: Events) -> list[dict[str, object]]:
    return [value for _, f, value in events if f == "probe"]


def is_off(clocked: Clocked, node: Node, s: float) -> bool:
    return abs(clocked.off(node) - s) < NEAR


@pytest.mark.cluster
def test_a_clock_jumps_and_jumps_back_by_itself(clocked: Clocked, nodes: list[Node]) -> None:
    driver, events = driven(clocked, nodes, "0s clock-jump n1 s=-100")
    (probe,) = probes(events)
    assert probe["bit"] is True
    assert probe["seconds_off"] == {"n1": pytest.approx(-100, abs=NEAR)}
    assert is_off(clocked, nodes[1], 0)
    assert waited(lambda: driver.in_force == "")
    assert is_off(clocked, nodes[0], 0)
    driver.finish()
    assert driver.failure is None
    assert len(probes(events)) == 1  # it lasted until it was over


@pytest.mark.cluster
def test_clocks_are_apart_until_they_are_healed(clocked: Clocked, nodes: list[Node]) -> None:
    driver, events = driven(clocked, nodes, "0s clock-skew n1,n2 s=30")
    assert is_off(clocked, nodes[0], 30)
    assert is_off(clocked, nodes[1], -30)
    assert probes(events)[0]["bit"] is True
    driver.finish()
    assert driver.failure is None
    assert len(probes(events)) == 1
    assert all(is_off(clocked, node, 0) for node in nodes[:2])


@pytest.mark.cluster
def test_a_second_one_takes_the_place_of_the_first(clocked: Clocked, nodes: list[Node]) -> None:
    schedule = "0s clock-skew n1 s=30; 0s clock-skew n2 s=50; 0s clock-rate n2 factor=1.5"
    driver, events = driven(clocked, nodes, schedule)
    assert waited(lambda: len(probes(events)) == 3)
    assert [probe["bit"] for probe in probes(events)] == [True, True, True]
    assert driver.in_force == "clock-skew n2, clock-rate n2"
    assert is_off(clocked, nodes[0], 0)
    assert waited(lambda: clocked.off(nodes[1]) > 50 + NEAR)
    driver.finish()
    assert driver.failure is None
    assert all(is_off(clocked, node, 0) for node in nodes[:2])


@pytest.mark.cluster
def test_a_clock_jumps_to_and_fro(clocked: Clocked, nodes: list[Node]) -> None:
    driver, events = driven(clocked, nodes, "0s clock-strobe n1 s=200 period=0.2")
    (probe,) = probes(events)
    assert probe == {
        "fault": 1,
        "bit": True,
        "seconds_to_and_fro": {"n1": pytest.approx(200, abs=NEAR)},
    }
    assert waited(lambda: is_off(clocked, nodes[0], 200))
    assert waited(lambda: is_off(clocked, nodes[0], 0))
    driver.finish()
    assert driver.failure is None
    assert is_off(clocked, nodes[0], 0)


@pytest.mark.cluster
def test_a_process_that_is_started_anew_gets_a_wrong_clock_too(
    clocked: Clocked, nodes: list[Node]
) -> None:
    schedule = "0s clock-skew n1 s=30; 0s kill n1; 0s heal kill"
    driver, events = driven(clocked, nodes, schedule)
    assert waited(lambda: clocked.healthy(nodes[0]))
    assert is_off(clocked, nodes[0], 30)
    # Started by another hand it has the true time, and it is seen that the fault is over.
    clocked.kill(nodes[0])
    clocked.start(nodes[0], nodes)
    assert waited(lambda: clocked.healthy(nodes[0]))
    assert is_off(clocked, nodes[0], 0)
    driver.finish()
    assert probes(events)[-1] == {"fault": 1, "bit": False, "gone_on": ["n1"]}


@pytest.mark.cluster
def test_a_host_that_hears_nothing_has_the_true_time_again(
    clocked: Clocked, nodes: list[Node]
) -> None:
    driver, _ = driven(clocked, nodes, "0s clock-skew n1 s=30; 0s clock-rate n1 factor=3")
    for _ in range(2):
        nodes[0].run(["sh", "-c", faults.heals()])
        assert is_off(clocked, nodes[0], 0)
    driver.finish()
    assert driver.failure is None


@pytest.mark.cluster
def test_a_host_that_cannot_do_it_says_why(
    nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = f'echo "{PROGRAM}: its vDSO has no room left" >&2; exit 1'
    script = f'#!/bin/sh\n[ "$1" != --version ] || {{ echo {PROGRAM} 1; exit 0; }}\n{said}\n'
    monkeypatch.setattr(programs, "_program", lambda name: (script.encode(), "another"))
    monkeypatch.setattr(programs, "PROGRAMS", "/tmp/programs")
    lack = faults.make("clock-rate", {}).lacks(nodes[0])
    assert lack == "its vDSO has no room left"


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("clock-jump all s=0", "s=0 is too little to be seen"),
        ("clock-rate all factor=1", "factor=1 is too little to be seen"),
        ("clock-strobe all period=0", "at least 0.02"),
    ],
)
def test_what_would_change_nothing_is_refused(step: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse(f"1s {step}")
