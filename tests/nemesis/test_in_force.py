"""Several faults in force at once: a step ends one kind, or what was done to one node."""

from pathlib import Path

import pytest
from sleepers import Sleepers, driven

from partita.harness.nodes.cluster import Node, on_all
from partita.nemesis import switch
from partita.nemesis.network import reachable

pytestmark = pytest.mark.cluster

# A fault of somebody's own: it leaves a file, with what was set.
MARKER = '''
from typing import Annotated
from partita.checker.settings import Setting
from partita.nemesis.fault import Lasted, Traits
from partita.nemesis.hosts import on_all

class Marker:
    """Leaves a file."""

    name = "marker"
    traits = Traits(strikes="nodes", heal="rm -f /run/marked")

    def __init__(self, ms: Annotated[float, Setting("Any number.", least=1)] = 50) -> None:
        self.ms = ms

    def lacks(self, host):
        return None

    def begin(self, scene, scope):
        chosen = [host for host in scene.hosts if host.name in scope.nodes]
        script = 'echo "$1" > /run/marked'
        on_all(chosen, lambda host: host.run(["sh", "-c", script, "mark", str(self.ms)]))

    def prove(self, scene, scope):
        show = ["cat", "/run/marked"]
        said = on_all(scene.hosts, lambda host: host.run(show, check=False).stdout)
        return {"bit": [name for name, text in said.items() if text] == list(scope.nodes)}

    def lasted(self, scene, scope):
        return Lasted(figures={"marks": len(scope.nodes)})

    def end(self, scene, scope):
        on_all(scene.hosts, lambda host: host.run(["sh", "-c", self.traits.heal]))
'''


def states(sleepers: Sleepers, nodes: list[Node]) -> str:
    """The processes' states in the order of nodes: "SSTS." for one frozen, and one not there."""
    return "".join(state or "." for state in on_all(nodes, sleepers.state))


def test_a_heal_that_names_a_fault_ends_that_alone(sleepers: Sleepers, nodes: list[Node]) -> None:
    schedule = "0s partition n1; 0s kill n3; 0s heal partition"
    driver, events = driven(sleepers, nodes, schedule)
    assert len(reachable(nodes)) == 20
    assert states(sleepers, nodes) == "SS.SS"
    assert driver.in_force == "kill n3"
    assert events[-1][:2] == ("ok", "heal")
    assert events[-1][2]["faults"] == [1]
    assert events[-1][2]["figures"]["1"]["packets_dropped"] > 0
    driver.finish()
    assert driver.failure is None
    assert states(sleepers, nodes) == "SSSSS"
    assert events[-1][2]["faults"] == [2]


def test_a_cut_stays_when_another_fault_ends(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, _ = driven(sleepers, nodes, "0s partition n1; 0s kill n3; 0s heal kill")
    assert len(reachable(nodes)) == 12
    assert states(sleepers, nodes) == "SSSSS"
    assert driver.in_force == "partition n1 | n2 n3 n4 n5"
    driver.finish()
    assert driver.failure is None
    assert len(reachable(nodes)) == 20


def test_nodes_by_name_are_struck_and_started_one_by_one(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    driver, events = driven(sleepers, nodes, "0s kill n2,n3; 0s pause n4; 0s start n3,n4")
    assert states(sleepers, nodes) == "S.SSS"
    assert driver.in_force == "kill n2"
    kind, f, value = events[-1]
    # The kill goes on, on n2; the pause is over.
    assert (kind, f, value["of"], value["faults"]) == ("ok", "start", [1, 2], [2])
    driver.finish()
    assert driver.failure is None
    assert states(sleepers, nodes) == "SSSSS"


def test_a_node_that_two_faults_hold_is_down_until_both_end(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    driver, _ = driven(sleepers, nodes, "0s kill n1; 0s stop n1; 0s heal kill")
    assert states(sleepers, nodes) == ".SSSS"
    driver.finish()
    assert driver.failure is None
    assert states(sleepers, nodes) == "SSSSS"


def test_a_pause_strikes_the_process_that_comes_after_a_kill(
    sleepers: Sleepers, nodes: list[Node]
) -> None:
    """The frozen process was killed: the one that takes its place is frozen in turn."""
    driver, events = driven(sleepers, nodes, "0s pause n1; 0s kill n1; 0s heal kill")
    assert states(sleepers, nodes) == "TSSSS"
    assert driver.in_force == "pause n1"
    driver.finish()
    assert driver.failure is None
    assert states(sleepers, nodes) == "SSSSS"
    assert not [value for _, f, value in events if f == "probe" and not value["bit"]]


def test_followers_leave_the_leader(sleepers: Sleepers, nodes: list[Node]) -> None:
    driver, _ = driven(sleepers, nodes, "0s kill followers")
    assert states(sleepers, nodes)[1] == "S", "n2 leads"
    assert states(sleepers, nodes).count(".") == 2
    driver.finish()


def test_a_fault_from_a_file_with_a_setting(
    sleepers: Sleepers, nodes: list[Node], tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(MARKER)
    own = f"{tmp_path}/own.py:Marker"
    driver, events = driven(sleepers, nodes, f"0s {own} n2 ms=7; 0s kill n3")
    assert nodes[1].run(["cat", "/run/marked"]).stdout == "7.0\n"
    (began,) = (value for kind, f, value in events if (kind, f) == ("ok", "marker"))
    assert (began["on"], began["settings"]) == (["n2"], {"ms": 7.0})
    heal = nodes[1].run(["cat", f"{switch.FOLDER}/heal"]).stdout
    assert "rm -f /run/marked" in heal, "the dead-man's switch knows how to undo it"
    assert "PARTITA" in heal
    driver.finish()
    assert driver.failure is None
    assert events[-1][2]["figures"] == {"1": {"marks": 1}}
    assert nodes[1].run(["ls", "/run/marked"], check=False).status != 0
