"""Files that are not as they were written, and nodes that refuse them."""

from collections.abc import Iterator
from typing import cast

import pytest
from sleepers import driven
from writers import FOLDER, Writers

from partita.harness.nodes.cluster import Node
from partita.harness.systems.raft import Raft
from partita.nemesis import switch
from partita.nemesis.fault import HasDemands
from partita.nemesis.schedule import ScheduleError, check, parse

pytestmark = pytest.mark.cluster
FILE = f"{FOLDER}/data/state"
GAP = 5000
WRITTEN = "".join(chr(ord("a") + n % 26) for n in range(3000))


def kept(node: Node) -> str:
    """What is in the file, but for the gap before it and the room behind it."""
    return node.run(["sh", "-c", f"tr -d '\\0' < {FILE}"]).stdout


@pytest.fixture
def careful(nodes: list[Node]) -> Iterator[Writers]:
    """The first of the cluster's nodes with a store that looks at its file, which has gaps."""
    system, node = Writers(lambda node: kept(node) == WRITTEN), nodes[0]
    node.write(FILE, "\0" * GAP + WRITTEN)
    node.run(["truncate", "-s", "1M", FILE])
    system.start(node, nodes)
    yield system
    switch.heal(nodes)
    switch.disarm(nodes)
    system.kill(node)
    system.wipe(node)


@pytest.mark.parametrize("fault", ["flip-byte", "truncate-file"])
def test_a_node_that_refuses_its_file_gets_it_back(
    careful: Writers, nodes: list[Node], fault: str
) -> None:
    node = nodes[0]
    driver, events = driven(careful, nodes, f"0s {fault} n1 reckless=true")
    (probe,) = (value for _, f, value in events if f == "probe")
    path, at = probe["files"]["n1"].split()
    assert (probe["bit"], path) == (True, FILE)
    assert node.daemon_runs(careful.name)
    left = kept(node)
    if fault == "flip-byte":
        pairs = enumerate(zip(left, WRITTEN, strict=True))
        assert [n for n, (one, other) in pairs if one != other] == [int(at) - GAP]
    else:
        assert left == WRITTEN[: int(at) - GAP]
    driver.finish()
    assert driver.failure is None
    assert careful.healthy(node)
    assert node.run(["sh", "-c", "ls /srv/partita/damaged* 2>/dev/null"], check=False).stdout == ""


@pytest.mark.parametrize("fault", ["flip-byte", "truncate-file"])
@pytest.mark.parametrize(("whom", "nodes"), [("all", 3), ("n1,n2", 3), ("n1", 2), ("leader", 1)])
def test_only_a_minority_is_damaged_unless_more_are_asked_for(
    fault: str, whom: str, nodes: int
) -> None:
    names = ["n1", "n2", "n3"]
    with pytest.raises(ScheduleError, match="strike fewer, or say reckless=true"):
        check(parse(f"1s {fault} {whom}", names), nodes, 10, has=lambda name: True)
    check(parse(f"1s {fault} {whom} reckless=true", names), nodes, 10, has=lambda name: True)


def test_what_the_system_does_not_have_is_no_file() -> None:
    (step, _) = parse("1s flip-byte n1 role=snapshot; 2s heal", ["n1"])
    fault = step.fault()
    assert isinstance(fault, HasDemands)
    said = fault.misses(Raft(), cast("Node", None))
    assert said == "the store has no file role=snapshot: choose from log"


def test_a_system_without_files_is_refused() -> None:
    with pytest.raises(ScheduleError, match=r"needs a system with files\(\)"):
        check(parse("1s flip-byte one"), 5, 10, has=lambda name: name != "files")
