"""Reset: connections end at once, on real iptables, and nothing of the host's is touched."""

import time

import pytest
from sleepers import Sleepers, driven

from partita.harness.nodes.cluster import Node, on_all
from partita.nemesis import faults, switch
from partita.nemesis.faults.reset import CHAIN, HELD
from partita.nemesis.grudges import apart
from partita.nemesis.network import reachable
from partita.nemesis.schedule import parse, plan

pytestmark = pytest.mark.cluster


def saved(nodes: list[Node]) -> list[str]:
    """All rules, as iptables-save has them, without its comments, which tell the time."""
    script = "iptables-save; ip6tables-save"
    said = on_all(nodes, lambda node: node.run(["sh", "-c", script]).stdout.splitlines())
    return ["\n".join(line for line in lines if line[:1] not in "#:") for lines in said]


def test_it_bites_is_proven_and_heals(sleepers: Sleepers, nodes: list[Node]) -> None:
    own = "-A INPUT -s 10.0.0.0/8 -j ACCEPT"
    nodes[0].run(["iptables", *own.split()])
    before = saved(nodes)
    try:
        driver, events = driven(sleepers, nodes, "0s reset leader")
        assert driver.in_force == "reset n2 | n1 n3 n4 n5"
        probe = next(value for _, f, value in events if f == "probe")
        assert probe == {
            "fault": 1,
            "bit": True,
            "connections_held": 8,
            "connections_reset": 8,
            "strays": [],
        }
        assert len(reachable(nodes)) == 12
        begun = time.monotonic()
        script = f'exec 3<>"/dev/tcp/{nodes[1].address}/22"'
        refused = nodes[0].run(["bash", "-c", script], check=False)
        assert "Connection refused" in refused.stderr
        assert time.monotonic() - begun < 2, "nobody waits for an answer"
        driver.finish()
        assert driver.failure is None
        assert events[-1][2]["figures"]["1"]["packets_refused"] > 0
        assert saved(nodes) == before
        assert nodes[0].run(["ls", HELD], check=False).status != 0
    finally:
        nodes[0].run(["iptables", "-D", *own.split()[1:]])


def test_it_stands_beside_a_cut_and_ends_alone(sleepers: Sleepers, nodes: list[Node]) -> None:
    schedule = "0s partition n1; 0s reset n5; 0s heal reset"
    driver, events = driven(sleepers, nodes, schedule)
    probes = [value["bit"] for _, f, value in events if f == "probe"]
    assert probes == [True, True], "what the cut hides says nothing about the reset"
    assert driver.in_force == "partition n1 | n2 n3 n4 n5"
    assert reachable(nodes) == {
        (one.name, other.name) for one in nodes[1:] for other in nodes[1:] if one is not other
    }
    driver.finish()
    assert len(reachable(nodes)) == 20


def test_a_reset_that_resets_nothing_did_not_bite(
    sleepers: Sleepers, nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(CHAIN), "stand", lambda chain, hosts, grudge: None)
    driver, events = driven(sleepers, nodes, "0s reset one")
    driver.finish()
    probe = next(value for _, f, value in events if f == "probe")
    assert (probe["bit"], probe["connections_reset"]) == (False, 0)


def test_hosts_that_hear_nothing_undo_it_and_what_else_is_in_force(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    switch.arm(nodes, silence_s=1, beat_s=1)
    CHAIN.stand(nodes, apart([node.name for node in nodes]))
    sleepers.pause(nodes[2])
    deadline = time.monotonic() + 20
    while len(reachable(nodes)) < 20 or not sleepers.healthy(nodes[2]):
        assert time.monotonic() < deadline, "it did not heal"
        time.sleep(0.2)
    assert "PARTITA" not in "".join(saved(nodes))
    switch.disarm(nodes)


def test_it_is_named_like_any_other() -> None:
    assert faults.parse_name("reset-all") == ("reset", "all")
    (begins, _) = plan(["reset-all"], 10, 30)
    assert str(begins) == "10s reset all"
    assert parse("5s reset link; 8s heal reset")[1].words == ("reset",)


def test_what_a_node_lacks_for_it_is_found_out_by_trying(
    nodes: list[Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = (step.fault() for step in parse("1s reset all"))
    assert faults.lacking(nodes[:1], [made]) == []
    monkeypatch.setattr(made, "lacks", lambda host: "no REJECT: load xt_REJECT")
    assert faults.lacking(nodes[:1], [made]) == [
        "reset on n1: not available here: no REJECT: load xt_REJECT"
    ]
