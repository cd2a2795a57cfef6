"""Process faults: what they do to a process, and what is left of it after healing."""

import pytest
from sleepers import Sleepers, driven

from partita.harness.nodes.cluster import Node
from partita.nemesis.network import reachable
from partita.nemesis.schedule import ScheduleError, fault


def test_faults_are_named_by_action_and_target() -> None:
    assert fault("kill-leader") == ("kill", "leader")
    assert fault("leader-minority") == ("partition", "leader-minority")
    with pytest.raises(
        ScheduleError, match=r"kill has no target 'minorities': choose from all, .*majority"
    ):
        fault("kill-minorities")


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
