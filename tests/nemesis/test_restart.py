"""Restarts and crash loops: each node was down, and serves again, and the record says so."""

import time

import pytest
from sleepers import Events, Sleepers, driven

from partita.harness.nodes.cluster import Node
from partita.nemesis.network import reachable
from partita.nemesis.schedule import ScheduleError, check, parse

pytestmark = pytest.mark.cluster


def pids(nodes: list[Node]) -> list[str]:
    return [node.run(["cat", "/srv/partita/sleeper/pid"]).stdout.strip() for node in nodes]


def probes(events: Events) -> list[dict[str, object]]:
    return [value for _, f, value in events if f == "probe"]


@pytest.mark.parametrize("action", ("restart", "rolling-restart"))
def test_a_restart_is_over_without_a_heal(
    sleepers: Sleepers, nodes: list[Node], action: str
) -> None:
    before = pids(nodes)
    driver, events = driven(sleepers, nodes, f"0s {action} all")
    assert driver.in_force == ""
    assert all(sleepers.healthy(node) for node in nodes)
    assert all(a != b for a, b in zip(before, pids(nodes), strict=True))
    (probe,) = probes(events)
    assert probe["bit"] is True
    assert probe["serves_again_after_s"].keys() == {node.name for node in nodes}  # type: ignore[attr-defined]
    assert [(kind, f) for kind, f, _ in events] == [
        ("invoke", action),
        ("ok", action),
        ("info", "probe"),
        ("invoke", "heal"),
        ("ok", "heal"),
    ]
    driver.finish()
    assert driver.failure is None


def test_rolling_means_that_one_at_a_time_is_down(
    sleepers: Sleepers, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    down: list[str] = []
    most = []
    stop, start = sleepers.stop, sleepers.start

    def stopped(node: Node) -> None:
        stop(node)
        down.append(node.name)
        most.append(len(down))

    def started(node: Node, every: list[Node]) -> None:
        start(node, every)
        if node.name in down:
            down.remove(node.name)

    monkeypatch.setattr(sleepers, "stop", stopped)
    monkeypatch.setattr(sleepers, "start", started)
    driver, _ = driven(sleepers, nodes, "0s rolling-restart all")
    driver.finish()
    assert most == [1] * 5


def test_a_node_that_another_fault_keeps_down_is_not_started(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    driver, events = driven(sleepers, nodes, "0s kill n1; 0s restart all")
    assert [value["bit"] for value in probes(events)] == [True, True]
    assert not sleepers.healthy(nodes[0])
    assert all(sleepers.healthy(node) for node in nodes[1:])
    driver.finish()
    assert sleepers.healthy(nodes[0])


def test_what_does_not_come_back_did_not_bite(
    sleepers: Sleepers, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = sleepers.start
    monkeypatch.setattr(
        sleepers, "start", lambda node, every: None if node is nodes[0] else start(node, every)
    )
    driver, events = driven(sleepers, nodes, "0s restart n1 patience=1")
    assert probes(events)[0]["bit"] is False
    monkeypatch.setattr(sleepers, "start", start)
    driver.finish()
    sleepers.start(nodes[0], nodes)


def test_a_crash_loop_crashes_until_it_is_healed(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s crash-loop leader")
    assert driver.in_force == "crash-loop n2"
    deadline = time.monotonic() + 20
    fault = driver._in_force[0].fault
    while (
        fault.lasted(driver._scene(driver._in_force[0]), driver._in_force[0].scope).figures[
            "crashes"
        ]
        < 3
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    driver.finish()
    assert driver.failure is None
    assert all(sleepers.healthy(node) for node in nodes)
    assert probes(events)[0]["bit"] is True
    assert events[-1][2]["figures"]["1"]["crashes"] >= 3
    time.sleep(0.5)
    assert sleepers.healthy(nodes[1]), "nobody goes on crashing it"


def test_a_heal_of_what_is_over_is_refused() -> None:
    steps = parse("1s restart all; 2s heal restart")
    with pytest.raises(ScheduleError, match="no restart is in force"):
        check(steps, 5, 10, has=lambda name: True)


def test_a_flap_comes_and_goes(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, events = driven(sleepers, nodes, "0s flap n1 period=3 duty=0.4")
    assert driver.in_force == "flap n1 | n2 n3 n4 n5"
    assert probes(events)[0]["bit"] is True
    met: list[bool] = []
    deadline = time.monotonic() + 20
    while met[-3:] != [True, False, True]:
        now = ("n1", "n2") in reachable(nodes[:2])
        met = met if met and met[-1] is now else [*met, now]
        assert time.monotonic() < deadline, met
    driver.finish()
    assert driver.failure is None
    assert len(reachable(nodes)) == 20
    figures = events[-1][2]["figures"]["1"]
    assert figures["cuts"] >= 2
    assert figures["packets_dropped"] > 0
    time.sleep(3)
    assert len(reachable(nodes)) == 20, "nobody goes on cutting"
