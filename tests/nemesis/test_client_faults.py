"""Faults that strike the clients of a store, on nodes of their own, and nobody else."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from untouched import Untouched

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_client_nodes, local_nodes
from partita.nemesis import faults, switch
from partita.nemesis.driver import Driver
from partita.nemesis.fault import Scene
from partita.nemesis.hosts import CLIENTS_MARK
from partita.nemesis.network import reachable
from partita.nemesis.schedule import ScheduleError, check, parse, plan
from partita.nemesis.targets import Scope

Events = list[tuple[str, str, Any]]
NAMES, CLIENTS = ["n1", "n2"], ["c1", "c2"]
SESSION_S = 0.5


# --- what is asked for --------------------------------------------------------------------


def test_a_bare_name_means_one_client_node() -> None:
    assert faults.parse_name("client-pause") == ("client-pause", "holder")
    assert faults.parse_name("cut-client-all") == ("cut-client", "all")
    assert {"client-pause", "cut-client-all"} <= set(faults.choices())
    assert faults.targets_of("cut-client") == ["all", "holder", "one"]


def test_a_step_may_name_client_nodes_and_leave_the_target_out() -> None:
    text = "1s client-pause; 2s cut-client c2 ttl=1.5; 3s heal; 4s client-pause c1,c2; 5s start c1"
    steps = parse(text, NAMES, clients=CLIENTS)
    targets = [(step.action, step.target) for step in steps]
    assert targets[:2] == [("client-pause", "holder"), ("cut-client", "c2")]
    assert steps[1].settings == {"ttl": 1.5}
    check(steps, 2, 60, has=lambda method: False, clients=2)
    for wrong in ("1s client-pause n1", "1s kill c1", "1s cut-client leader"):
        with pytest.raises(ScheduleError, match="needs a target, one of"):
            parse(wrong, NAMES, clients=CLIENTS)


@pytest.mark.parametrize("text", ["1s client-pause", "1s cut-client all"])
def test_without_client_nodes_they_are_refused(text: str) -> None:
    steps = parse(text, NAMES)
    with pytest.raises(ScheduleError, match="needs client nodes, and this run has none: --client"):
        check(steps, 5, 60, has=lambda method: True)


def test_in_turn_they_last_a_multiple_of_the_time_to_live_and_need_no_heal() -> None:
    names = ["client-pause", "kill-one"]
    steps = plan(names, 5.0, 60, lambda fault: {}, session_s=4.0)
    assert [str(step) for step in steps[:4]] == [
        "5s client-pause holder",
        "22s kill one",
        "27s heal",
        "32s client-pause holder",
    ]
    # Where nobody knows how long a session lives, they last as long as the others.
    steps = plan(names[:1], 5.0, 22, lambda fault: {})
    assert [str(step) for step in steps] == [
        "5s client-pause holder",
        "10s heal",
        "15s client-pause holder",
    ][:2]


@pytest.mark.parametrize("time_limit", [30, 45, 60, 100, 200])
def test_without_an_interval_there_is_time_for_all(time_limit: float) -> None:
    steps = plan(["client-pause", "one"], None, time_limit, lambda fault: {}, session_s=4.0)
    assert [step.action for step in steps if step.begins][:2] == ["client-pause", "partition"]
    assert steps[-1].at + 12 <= time_limit or steps[-1].action == "heal"


def test_a_pause_that_does_not_fit_says_what_would() -> None:
    with pytest.raises(ScheduleError, match=r"1 faults of 30 s do not fit .*give it 40 s"):
        plan(["client-pause"], 5.0, 30, lambda fault: {}, session_s=10.0)


# --- what is done -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[list[Node], list[Node]]]:
    with local.cluster_of(2, f"pytest-clients-{os.getpid()}", clients=2) as cluster:
        nodes, clients = local_nodes(cluster), local_client_nodes(cluster)
        yield nodes, clients
        for node in [*nodes, *clients]:
            node.close()


@pytest.fixture
def clients(hosts: tuple[list[Node], list[Node]]) -> Iterator[list[Node]]:
    """On each client node a process with the mark that has a child, and one without the mark."""
    for node in hosts[1]:
        begin = ["sh", "-c", "sleep 1001 & wait"]
        node.start_daemon("mine", begin, environment={CLIENTS_MARK: "1"})
        node.start_daemon("other", ["sleep", "1002"])
    yield hosts[1]
    everyone = [*hosts[0], *hosts[1]]
    switch.heal(everyone)
    switch.disarm(everyone)
    for node in hosts[1]:
        for name in ("mine", "other"):
            node.stop_daemon(name, signal="KILL")
            node.wipe(name)
        node.run(["pkill", "sleep"], check=False)


def states(node: Node) -> dict[str, str]:
    """The state of each process that sleeps, by how long."""
    script = "for pid in $(pgrep -x sleep); do "
    script += 'echo "$(tr "\\0" " " < /proc/$pid/cmdline) $(cut -d " " -f 3 /proc/$pid/stat)"; done'
    lines = [line.split() for line in node.run(["sh", "-c", script]).stdout.splitlines()]
    # The switch sleeps, too: its sleep may end while it is looked at, and leave an empty line.
    return {line[1]: line[2] for line in lines if len(line) == 3 and line[1].startswith("100")}


RUNS, FROZEN = {"1001": "S", "1002": "S"}, {"1001": "T", "1002": "S"}


def driven(hosts: tuple[list[Node], list[Node]], schedule: str) -> tuple[Driver, Events]:
    events: Events = []
    driver = Driver(
        hosts[0],
        parse(schedule, NAMES, clients=CLIENTS),
        1,
        lambda kind, f, value, error: events.append((kind, f, value)),
        list,
        Untouched(),
        clients=hosts[1],
        session_s=SESSION_S,
    )
    driver.prepare()
    driver.start(time.monotonic())
    return driver, events


def awaited(events: Events, kind: str, f: str) -> Any:
    deadline = time.monotonic() + 20
    while not (found := [value for k, each, value in events if (k, each) == (kind, f)]):
        assert time.monotonic() < deadline, events
        time.sleep(0.05)
    return found[-1]


@pytest.mark.cluster
def test_a_pause_freezes_all_clients_of_a_node_and_ends_by_itself(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    driver, events = driven(hosts, "0s client-pause c1 ttl=4")
    assert awaited(events, "ok", "client-pause")["clients"] == ["c1"]
    assert [states(node) for node in clients] == [FROZEN, RUNS]
    assert awaited(events, "info", "probe") == {"fault": 1, "bit": True, "frozen": {"c1": 2}}
    assert awaited(events, "ok", "heal") == {"faults": [1]}
    assert [states(node) for node in clients] == [RUNS, RUNS]
    driver.finish()
    assert driver.failure is None
    assert [f for _, f, value in events if value.get("bit") is False] == []


@pytest.mark.cluster
def test_a_second_pause_takes_the_place_of_the_first_and_the_end_lets_all_go_on(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    driver, events = driven(hosts, "0s client-pause c1 ttl=100; 0.1s client-pause c2 ttl=100")
    while len([each for each in events if each[1] == "probe"]) < 2:
        time.sleep(0.05)
    assert [states(node) for node in clients] == [RUNS, FROZEN]
    driver.finish()
    assert driver.failure is None
    assert [states(node) for node in clients] == [RUNS, RUNS]


@pytest.mark.cluster
def test_what_is_let_go_on_by_another_hand_or_is_not_there_did_not_bite(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    fault, scope = faults.make("client-pause", {}), Scope(("c1", "c2"))
    scene = Scene(hosts[0], Untouched(), clients=clients)
    fault.begin(scene, scope)
    assert fault.lasted(scene, scope).gone == {}
    clients[0].run(["pkill", "-CONT", "-f", "sleep 100[1]"])
    assert fault.lasted(scene, scope).gone == {"running_again": ["c1"]}
    clients[1].run(["pkill", "-KILL", "-f", "sleep 100[1]"])
    fault.end(scene, scope)
    fault.begin(scene, Scope(("c2",)))
    assert fault.prove(scene, Scope(("c2",))) == {"bit": False, "frozen": {}}


@pytest.mark.cluster
def test_a_controller_that_is_gone_leaves_nobody_frozen_or_cut_off(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    everyone = [*hosts[0], *clients]
    scene, scope = Scene(hosts[0], Untouched(), clients=clients), Scope(("c1", "c2"))
    switch.arm(everyone, silence_s=1, beat_s=1)
    for name in ("client-pause", "cut-client"):
        faults.make(name, {}).begin(scene, scope)
    assert [states(node) for node in clients] == [FROZEN, FROZEN]
    assert ("c1", "n1") not in reachable(everyone)
    deadline = time.monotonic() + 20
    while [states(node) for node in clients] != [RUNS, RUNS] or len(reachable(everyone)) < 12:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert sorted(switch.disarm(everyone)) == ["c1", "c2", "n1", "n2"]


@pytest.mark.cluster
def test_a_cut_client_loses_the_store_and_nobody_else_does(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    driver, events = driven(hosts, "0s cut-client c1 ttl=100; 3s start c1")
    probe = awaited(events, "info", "probe")
    assert probe["bit"] is True
    assert ("c1", "n2") in probe["cut"]
    everyone = [*hosts[0], *clients]
    lost = {(one, other) for one in ("c1", "n1", "n2") for other in ("c1", "n1", "n2")}
    lost -= {(one, other) for one, other in lost if "c1" not in (one, other) or one == other}
    every = {(one.name, other.name) for one in everyone for other in everyone if one != other}
    assert every - reachable(everyone) == lost
    assert awaited(events, "ok", "start")["figures"]["1"]["packets_dropped"] > 0
    assert reachable(everyone) == every
    driver.finish()
    assert driver.failure is None


@pytest.mark.cluster
def test_a_cut_whose_rules_are_gone_did_not_last(
    hosts: tuple[list[Node], list[Node]], clients: list[Node]
) -> None:
    fault, scope = faults.make("cut-client", {}), Scope(("c1",))
    reached = reachable([*hosts[0], *clients])
    scene = Scene(hosts[0], Untouched(), reached, clients=clients)
    assert fault.prove(scene, scope)["bit"] is False
    fault.begin(scene, scope)
    assert fault.lasted(scene, scope).gone == {}
    hosts[0][0].run(["iptables", "-w", "5", "-D", "INPUT", "1"])
    assert fault.lasted(scene, scope).gone == {"gone_on": ["n1"]}
    fault.end(scene, scope)
    rules = [node.run(["iptables", "-S"]).stdout for node in [*hosts[0], *clients]]
    assert "PARTITA" not in "".join(rules)
