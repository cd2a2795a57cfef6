"""Process faults: what they do to a process, and what is left of it after healing."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from partita.harness.nodes.cluster import Node
from partita.harness.run.store_processes import StoreProcesses
from partita.nemesis import switch
from partita.nemesis.driver import Driver
from partita.nemesis.network import reachable
from partita.nemesis.schedule import ScheduleError, fault, parse
from partita.workloads.client import Client

NAME = "sleeper"


def test_faults_are_named_by_action_and_target() -> None:
    assert fault("kill-leader") == ("kill", "leader")
    assert fault("leader-minority") == ("partition", "leader-minority")
    with pytest.raises(ScheduleError, match="pause-majority"):
        fault("kill-minorities")


class Sleepers:
    """A system whose process sleeps; it serves if the process is there and not frozen."""

    name = NAME

    def install(self, node: Node) -> None:
        """There is nothing to install."""

    def versions(self, node: Node) -> str:
        return "1"

    def start(self, node: Node, nodes: Sequence[Node]) -> None:
        node.start_daemon(NAME, ["sleep", "1000"])

    def healthy(self, node: Node) -> bool:
        script = 'cut -d" " -f3 "/proc/$(cat /srv/partita/sleeper/pid)/stat"'
        return node.run(["sh", "-c", script], check=False).stdout.strip() == "S"

    def stop(self, node: Node) -> None:
        node.stop_daemon(NAME)

    def kill(self, node: Node) -> None:
        node.stop_daemon(NAME, signal="KILL")

    def pause(self, node: Node) -> None:
        node.signal_daemon(NAME, "STOP")

    def resume(self, node: Node) -> None:
        node.signal_daemon(NAME, "CONT")

    def wipe(self, node: Node) -> None:
        node.wipe(NAME)

    def logs(self, node: Node) -> Sequence[str]:
        return []

    def client(self, node: Node, timeout: float) -> Client:
        raise NotImplementedError


@pytest.fixture
def sleepers(nodes: list[Node]) -> Iterator[Sleepers]:
    system = Sleepers()
    for node in nodes:
        system.start(node, nodes)
    yield system
    switch.heal(nodes)
    for node in nodes:
        system.kill(node)
        system.wipe(node)


def carried_out(events: list[tuple[str, str, Any]], steps: int) -> bool:
    """Say whether the last step of a schedule is done: a probe, or a heal of a step's own."""
    done = [f for kind, f, _ in events if kind == "ok"]
    probed = [f for _, f, _ in events].count("probe")
    replaced = max(0, done.count("partition") - 1)
    return probed + done.count("heal") - replaced == steps


def driven(
    sleepers: Sleepers, nodes: list[Node], schedule: str
) -> tuple[Driver, list[tuple[str, str, Any]]]:
    """Carry a schedule out to its last step, and stop before the driver heals the rest."""
    events: list[tuple[str, str, Any]] = []
    steps = parse(schedule)
    driver = Driver(
        nodes,
        steps,
        1,
        lambda kind, f, value, error: events.append((kind, f, value)),
        lambda: ["n2"],
        StoreProcesses(sleepers, nodes),
    )
    driver.prepare()
    driver.start(time.monotonic())
    deadline = time.monotonic() + 60
    while not carried_out(events, len(steps)):
        assert driver.failure is None
        assert time.monotonic() < deadline, events
        time.sleep(0.05)
    return driver, events


@pytest.mark.cluster
@pytest.mark.parametrize("action", ("kill", "pause", "stop"))
def test_a_process_fault_bites_and_is_healed(
    sleepers: Sleepers, nodes: list[Node], action: str
) -> None:
    driver, events = driven(sleepers, nodes, f"0s {action} minority")
    struck = [node for node in nodes if not sleepers.healthy(node)]
    assert driver.in_force == f"{action} {' '.join(node.name for node in struck)}"
    driver.finish()
    assert driver.failure is None
    assert all(sleepers.healthy(node) for node in nodes)
    assert len(struck) == 2
    value = next(value for kind, f, value in events if (kind, f) == ("ok", action))
    assert value["nodes"] == [node.name for node in struck]
    probe = next(value for _, f, value in events if f == "probe")
    assert probe == {"fault": 1, "bit": True, "silent": value["nodes"]}
    assert events[-1] == ("ok", "heal", events[-1][2])
    assert events[-1][2]["faults"] == [1]


@pytest.mark.cluster
def test_process_faults_and_partitions_add_up_and_one_heal_ends_all(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    schedule = "0s pause leader; 0s partition halves; 0s kill one; 0s partition one; 0s heal"
    driver, events = driven(sleepers, nodes, schedule)
    assert all(sleepers.healthy(node) for node in nodes)
    assert len(reachable(nodes)) == 20
    driver.finish()
    assert driver.failure is None
    heals = [value["faults"] for kind, f, value in events if (kind, f) == ("ok", "heal")]
    # The second partition replaces the first; everything else is in force until the heal.
    assert heals == [[2], [1, 3, 4]]


@pytest.mark.cluster
def test_a_fault_without_effect_did_not_bite(
    sleepers: Sleepers, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sleepers, "kill", lambda node: None)
    driver, events = driven(sleepers, nodes, "0s kill one")
    driver.finish()
    assert next(value for _, f, value in events if f == "probe")["bit"] is False
