"""Partitions: real iptables on real hosts, healed whatever happens."""

import threading
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from untouched import Untouched

from partita.checker import plugins
from partita.harness.nodes.cluster import Node, on_all
from partita.nemesis import switch
from partita.nemesis.driver import Driver
from partita.nemesis.faults.partition import CHAIN
from partita.nemesis.firewall import Chain
from partita.nemesis.grudges import cut_pairs, split
from partita.nemesis.network import reachable
from partita.nemesis.schedule import Step, parse


@pytest.fixture
def hosts(nodes: list[Node]) -> Iterator[list[Node]]:
    switch.heal(nodes)
    yield nodes
    switch.heal(nodes)
    switch.disarm(nodes)
    assert all("PARTITA" not in rules for rules in all_rules(nodes))


def all_rules(nodes: list[Node]) -> list[str]:
    return on_all(nodes, lambda n: n.run(["sh", "-c", "iptables -S; ip6tables -S"]).stdout)


def names(nodes: list[Node]) -> list[str]:
    return [node.name for node in nodes]


@pytest.mark.parametrize("name", plugins.names("targets"))
def test_every_grudge_cuts_what_it_says_and_nothing_else(hosts: list[Node], name: str) -> None:
    target = plugins.find("targets", name)
    grudge = target.scope("links", names(hosts), ["n3"], Random(5)).grudge
    CHAIN.stand(hosts, grudge)
    everyone = {(a, b) for a in names(hosts) for b in names(hosts) if a != b}
    cut = {pair for a, b in cut_pairs(grudge) for pair in ((a, b), (b, a))}
    assert reachable(hosts) == everyone - cut
    drops = CHAIN.counts(hosts)
    expected = {(source, node) for node, dropped in grudge.items() for source in dropped}
    assert set(drops) == expected
    assert all(count > 0 for count in drops.values())
    CHAIN.fall(hosts)
    assert reachable(hosts) == everyone


def test_ipv6_is_cut_too(hosts: list[Node]) -> None:
    def reaches() -> int:
        command = [
            "bash",
            "-c",
            'timeout 1 bash -c "exec 3<>/dev/tcp/$0/22"',
            hosts[1].addresses[1],
        ]
        return hosts[0].run(command, check=False).status

    assert reaches() == 0
    CHAIN.stand(hosts, split(names(hosts), ["n1"]))
    assert reaches() != 0


def test_earlier_rules_of_the_host_neither_defeat_the_cut_nor_are_touched(
    hosts: list[Node],
) -> None:
    own = "-A INPUT -s 10.0.0.0/8 -j ACCEPT"
    hosts[0].run(["iptables", *own.split()])
    before = all_rules(hosts)[0]
    try:
        CHAIN.stand(hosts, split(names(hosts), ["n1"]))
        assert ("n1", "n2") not in reachable(hosts)
        CHAIN.fall(hosts)
        CHAIN.fall(hosts)
        assert all_rules(hosts)[0] == before
    finally:
        hosts[0].run(["iptables", "-D", *own.split()[1:]])


def test_injecting_again_replaces_the_rules_and_leaves_one_jump(hosts: list[Node]) -> None:
    CHAIN.stand(hosts, split(names(hosts), ["n1"]))
    CHAIN.stand(hosts, split(names(hosts), ["n1", "n2"]))
    rules = all_rules(hosts)[0]
    assert rules.count("-A INPUT -j PARTITA") == 2  # one a family
    assert ("n1", "n2") in reachable(hosts)


def test_one_way_drops_are_seen_on_the_deaf_side_only(hosts: list[Node]) -> None:
    CHAIN.stand(hosts, {"n1": ("n2",), "n2": ()})
    reachable(hosts)
    assert set(CHAIN.counts(hosts)) == {("n2", "n1")}


def test_hosts_that_hear_nothing_heal_themselves(hosts: list[Node]) -> None:
    switch.arm(hosts, silence_s=2, beat_s=1)
    CHAIN.stand(hosts, split(names(hosts), ["n1"]))
    for _ in range(4):
        time.sleep(1)
        switch.beat(hosts)
    assert ("n1", "n2") not in reachable(hosts), "it healed although the controller lives"
    deadline = time.monotonic() + 15
    while ("n1", "n2") not in reachable(hosts):
        assert time.monotonic() < deadline, "it did not heal"
        time.sleep(0.2)
    assert set(switch.disarm(hosts)) >= {"n1", "n2"}


def test_the_default_dead_mans_switch_is_within_a_minute() -> None:
    assert switch.SILENCE_S + 2 * switch.BEAT_S <= 60


Events = list[tuple[str, str, Any]]


def driven(
    hosts: list[Node], schedule: str, seconds: float, leaders: list[str]
) -> tuple[Driver, Events]:
    events: Events = []
    driver = Driver(
        hosts,
        parse(schedule),
        1,
        lambda kind, f, value, error: events.append((kind, f, value)),
        lambda: leaders,
        Untouched(),
    )
    driver.prepare()
    driver.start(time.monotonic())
    time.sleep(seconds)
    driver.finish()
    return driver, events


def test_a_fault_is_recorded_proven_and_healed(hosts: list[Node]) -> None:
    driver, events = driven(hosts, "0s partition leader-minority; 2.5s heal", 4.5, ["n4"])
    assert driver.failure is None
    assert [(kind, f) for kind, f, _ in events] == [
        ("invoke", "partition"),
        ("ok", "partition"),
        ("info", "probe"),
        ("invoke", "heal"),
        ("ok", "heal"),
    ]
    assert events[0][2]["description"] == "n1 n4 | n2 n3 n5"
    assert events[2][2]["bit"] is True
    assert events[4][2]["figures"]["1"]["packets_dropped"] > 0


def test_a_fault_in_force_at_the_end_is_healed(hosts: list[Node]) -> None:
    _, events = driven(hosts, "0s partition one", 3, [])
    assert events[-1][:2] == ("ok", "heal")


def test_a_cut_that_cuts_nothing_did_not_bite(
    hosts: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chain, "stand", lambda chain, hosts, grudge: None)
    _, events = driven(hosts, "0s partition one", 3, [])
    probe = next(value for _, f, value in events if f == "probe")
    assert probe["bit"] is False
    assert probe["unreachable"] == []


def test_a_cut_that_did_not_last_did_not_bite(hosts: list[Node]) -> None:
    """As when a firewall is reloaded in the middle: the counters of our chain are still there."""
    removal = threading.Timer(2.5, hosts[1].run, [["iptables", "-w", "5", "-D", "INPUT", "1"]])
    removal.start()
    driver, events = driven(hosts, "0s partition halves; 3.5s heal", 5.5, [])
    removal.join()
    probes = [value for _, f, value in events if f == "probe"]
    assert [(probe["bit"], probe.get("gone_on")) for probe in probes] == [
        (True, None),
        (False, [hosts[1].name]),
    ]
    assert driver.failure is None
    assert len(reachable(hosts)) == 20


def test_a_nemesis_that_fails_says_so_and_heals(
    hosts: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stand(chain: Any, hosts: Any, grudge: Any) -> None:
        original(chain, hosts, grudge)
        raise RuntimeError("iptables is on strike")

    original = Chain.stand
    monkeypatch.setattr(Chain, "stand", stand)
    driver, events = driven(hosts, "0s partition one; 1s heal", 2, [])
    assert driver.failure == 'the nemesis could not do "0s partition one": iptables is on strike'
    assert ("fail", "partition") in [event[:2] for event in events]


def test_a_journal_that_is_full_keeps_no_one_from_healing(hosts: list[Node]) -> None:
    def record(*_: Any) -> None:
        raise OSError("No space left on device")

    driver = Driver(hosts, parse("0s partition one"), 1, record, list, Untouched())
    driver.prepare()
    driver.start(time.monotonic())
    time.sleep(3)
    assert driver.in_force
    driver.finish()
    assert driver.failure is not None
    assert "No space left" in driver.failure
    assert all("PARTITA" not in rules for rules in all_rules(hosts))


def test_a_switch_whose_watcher_is_gone_is_armed_anew(hosts: list[Node]) -> None:
    """As after a power cut: the folder says armed, and nobody watches."""
    one = hosts[:1]
    one[0].run(["sh", "-c", 'mkdir -p "$1"; echo 999999 > "$1/armed"', "left", switch.FOLDER])
    switch.arm(one, silence_s=1, beat_s=1)
    CHAIN.stand(one, {"n1": ()})
    deadline = time.monotonic() + 15
    while not (healed := one[0].run(["ls", switch.FOLDER]).stdout.count("deadman")):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert healed


def test_a_switch_that_was_armed_before_is_none_any_more(hosts: list[Node]) -> None:
    """As when a run begins while the switch of one that died is still about."""
    one = hosts[:1]
    switch.arm(one, silence_s=1, beat_s=1)
    switch.arm(one)
    CHAIN.stand(hosts, {"n1": ("n2",)})
    time.sleep(6)
    assert CHAIN.missing(one, {"n1": ("n2",)}) == []
    assert switch.disarm(one) == []


def test_a_heal_that_cannot_look_is_no_heal(hosts: list[Node]) -> None:
    script = 'mkdir -p /tmp/fake; printf "#!/bin/sh\\nexit 4\\n" > /tmp/fake/iptables; '
    script += 'chmod +x /tmp/fake/iptables; PATH=/tmp/fake:$PATH sh -c "$1" heal; echo $?; '
    done = hosts[0].run(["sh", "-c", script + "rm -r /tmp/fake", "fake", CHAIN.heal])
    assert done.stdout.strip() == "1"


def test_without_a_leader_a_leaders_fault_fails(
    hosts: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("partita.nemesis.driver.LEADER_WAIT_S", 0.5)
    driver, _ = driven(hosts, "0s partition leader", 3, [])
    assert driver.failure is not None
    assert "no node said" in driver.failure


def test_no_schedule_touches_no_host() -> None:
    driver = Driver([], (), 1, lambda *_: None, list, Untouched())
    driver.prepare()
    driver.start(0)
    driver.finish()
    assert driver.failure is None
    assert str(Step(1.5, "heal")) == "1.5s heal"
