"""etcd, Consul and the raft example: real ones, on real hosts."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.nodes.cluster import Node, on_all
from partita.harness.run.progress import Progress
from partita.harness.run.run import set_up, tear_down
from partita.harness.systems import StoreError, System
from partita.harness.systems.consul import Consul
from partita.harness.systems.etcd import Etcd
from partita.harness.systems.raft import Raft
from partita.harness.systems.system import HasFetch, HasPause, HasPrimaries, HasRunning, serves
from partita.workloads.client import Definite, Indefinite, Mismatch

PATIENCE_S = 40.0

SYSTEMS: dict[str, Callable[[], System]] = {
    "etcd": Etcd,
    "consul": Consul,
    "raft": Raft,
}

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest) -> System:
    made = SYSTEMS[request.param]()
    if isinstance(made, HasFetch):
        try:
            made.fetch()
        except StoreError as error:
            pytest.skip(str(error))
    return made


@pytest.fixture(scope="module")
def three(system: System, nodes: list[Node]) -> Iterator[list[Node]]:
    """The system, serving on three of the nodes."""
    chosen = nodes[:3]
    set_up(system, chosen, Progress(quiet=True))
    yield chosen
    tear_down(system, chosen)


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.2)


def all_serve(system: System, nodes: list[Node]) -> bool:
    return all(on_all(nodes, lambda node: serves(system, node)))


def test_every_node_serves_the_same_registers(system: System, three: list[Node]) -> None:
    first, second, third = (system.client(node, 5.0) for node in three)
    assert first.read("a").value is None
    first.cas("a", None, "1")
    assert second.read("a").value == "1"
    second.write("a", "2")
    with pytest.raises(Mismatch):
        third.cas("a", "1", "3")
    assert third.read("a").value == "2"
    for client in (first, second, third):
        client.close()


def test_it_says_its_version_and_keeps_logs(system: System, three: list[Node]) -> None:
    assert system.versions(three[0])[0].isalnum()
    assert all(any(node.tail(path) for path in system.logs(node)) for node in three)


def test_a_dead_leader_is_replaced_and_comes_back(system: System, three: list[Node]) -> None:
    assert isinstance(system, HasPrimaries)
    assert isinstance(system, HasRunning)
    (old,) = (node for node in three if node.name == system.primaries(three)[0])
    others = [node for node in three if node is not old]
    system.kill(old)
    assert not system.running(old)
    assert not serves(system, old)
    with pytest.raises(Definite):
        system.client(old, 2.0).write("b", "lost")
    eventually(lambda: {*system.primaries(three)} & {node.name for node in others})
    eventually(lambda: all_serve(system, others))
    client = system.client(others[0], 5.0)
    client.write("b", "1")
    system.start(old, three)
    eventually(lambda: all_serve(system, three))
    assert system.client(old, 5.0).read("b").value == "1"
    client.close()


def test_a_frozen_majority_leaves_writes_open(system: System, three: list[Node]) -> None:
    assert isinstance(system, HasPause)
    eventually(lambda: all_serve(system, three))
    client = system.client(three[2], 1.5)
    client.write("c", "1")
    for node in three[:2]:
        system.pause(node)
    try:
        assert not serves(system, three[0])
        with pytest.raises((Definite, Indefinite)):
            client.write("c", "2")
        with pytest.raises(Definite):
            client.read("c")
    finally:
        for node in three[:2]:
            system.resume(node)
    eventually(lambda: all_serve(system, three))
    assert system.client(three[0], 5.0).read("c").value in ("1", "2")
    client.close()


def test_what_was_written_survives_a_stop_and_not_a_wipe(system: System, three: list[Node]) -> None:
    system.client(three[0], 5.0).write("d", "1")
    on_all(three, system.stop)
    on_all(three, lambda node: system.start(node, three))
    eventually(lambda: all_serve(system, three))
    assert system.client(three[1], 5.0).read("d").value == "1"
    tear_down(system, three)
    on_all(three, lambda node: system.start(node, three))
    eventually(lambda: all_serve(system, three))
    assert system.client(three[1], 5.0).read("d").value is None


def test_a_program_that_is_another_one_is_refused(nodes: list[Node], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no file"):
        Etcd(binary=tmp_path / "etcd")
    (tmp_path / "notes").write_text("this is no program")
    with pytest.raises(StoreError, match="is no program"):
        Etcd(binary=tmp_path / "notes")
    with pytest.raises(StoreError, match="--binary and --archive exclude each other"):
        Etcd(binary=tmp_path / "notes", archive="x")
    wrong = Etcd(binary=Path("/bin/true"))
    with pytest.raises(StoreError, match="does not run on n1"):
        wrong.install(nodes[0])
    # The header of a program for another machine: aarch64.
    (tmp_path / "foreign").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00")
    with pytest.raises(StoreError, match="architecture"):
        Etcd(binary=tmp_path / "foreign").install(nodes[0])


@pytest.mark.parametrize("name", ["etcd.tar.gz", "etcd.zip"])
def test_a_program_is_taken_out_of_an_archive(nodes: list[Node], tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path, name, "etcd-v9/etcd")
    system = Etcd(archive=str(archive))
    system.install(nodes[0])
    assert system.versions(nodes[0]) == "9.9.9"
    assert Etcd(archive=archive.as_uri())
    with pytest.raises(StoreError, match="contains no file called etcd"):
        Etcd(archive=str(packed(tmp_path, name, "etcd-v9/README")))
    archive.write_bytes(b"rubbish")
    with pytest.raises(StoreError, match="cannot be unpacked"):
        Etcd(archive=str(archive))
    with pytest.raises(StoreError, match="no file"):
        Etcd(archive=str(tmp_path / "missing.zip"))


def packed(folder: Path, name: str, member: str) -> Path:
    top = folder / "content"
    shutil.rmtree(top, ignore_errors=True)
    (top / member).parent.mkdir(parents=True)
    (top / member).write_text("#!/bin/sh\necho etcd Version: 9.9.9\n")
    kind = "zip" if name.endswith("zip") else "gztar"
    return Path(shutil.make_archive(str(folder / "etcd"), kind, top))


@pytest.mark.slow
def test_a_run_against_etcd_is_valid(partita: Partita) -> None:
    schedule = "2s partition leader-minority; 7s heal; 10s kill leader; 12s heal"
    done = partita("test", "etcd", "--time-limit", "15", "--schedule", schedule, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["valid"] is True
    assert [fault["bit"] for fault in outcome["faults"]] == [True, True]
    assert outcome["ok"] > 300


def test_locks_are_held_from_other_nodes_and_there_is_nothing_to_read_at_the_end(
    partita: Partita, tmp_path: Path
) -> None:
    options = ["--local", "3", "--time-limit", "3", "--hold", "0.2", "--locks", "1"]
    done = partita("test", "etcd", "--workload", "lock", *options, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["valid"] is True
    spec = json.loads((tmp_path / outcome["run"] / "run.json").read_text())
    assert spec["rate"] == 0  # each operation follows the one before it
    assert spec["client_nodes"] == ["c1", "c2"]
