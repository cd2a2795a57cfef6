"""The Raft node of the examples: valid as it is, and found wrong with mistakes."""

import importlib.util
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from partita.harness.commands.selftest_messages import MAELSTROM_RAFT, PROGRAM
from partita.harness.commands.test import test as command
from partita.harness.run.progress import Progress
from partita.harness.run.session import conduct

# n2 dies and then n3, so that n1 must lead; and then it is cut off.
QUICK = (
    "--workload register --local 3 --rate 100 --concurrency 8n --timeout 0.5 --time-limit 6 "
    '--schedule "0.8s kill n2; 1.8s kill n3; 1.9s start n2; 2.7s start n3; '
    '3.2s partition n1; 5.4s heal"'
)
LINES_MAX = 400
ATTEMPTS = 4


@pytest.fixture
def raft() -> ModuleType:
    spec = importlib.util.spec_from_file_location("raft_node", PROGRAM)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(bug: str | None, seed: int, folder: Path) -> dict[str, Any]:
    words = [*shlex.split(MAELSTROM_RAFT.words), *shlex.split(QUICK), "--seed", str(seed)]
    if bug is not None:
        words += shlex.split(MAELSTROM_RAFT.plant.format(bug))
    options = command.make_context("test", words).params
    return conduct(options["system"], options, folder, Progress(), draw=False)


def test_it_can_be_read_at_one_sitting(raft: ModuleType) -> None:
    text = PROGRAM.read_text()
    assert len(text.splitlines()) <= LINES_MAX
    assert [bug for bug in raft.BUGS if f"# BUG {bug}:" not in text] == []


def test_its_mistakes_are_those_of_the_selftest_and_of_its_readme(raft: ModuleType) -> None:
    assert MAELSTROM_RAFT.mistakes == raft.BUGS
    readme = PROGRAM.with_name("README.md").read_text()
    assert all(f"| `{bug}` | {said} |" in readme for bug, said in raft.BUGS.items())


def test_a_line_that_a_kill_cut_short_is_not_there(raft: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "n1.log"
    disk = raft.Disk(path, None)
    disk.be_in(3, "n2")
    disk.put(1, {"term": 2})
    disk.put(2, {"term": 3})
    disk.sync()
    path.write_bytes(path.read_bytes() + b'{"index": 3, "ent')
    disk = raft.Disk(path, None)
    disk.put(2, {"term": 3, "other": True})
    disk.sync()
    disk = raft.Disk(path, None)
    assert (disk.term, disk.vote) == (3, "n2")
    assert disk.log == [{"term": 2}, {"term": 3, "other": True}]


def test_a_request_that_comes_twice_is_carried_out_once(raft: ModuleType) -> None:
    registers = raft.Registers()
    assert registers.apply(("c1", 1), {"type": "write", "key": 1, "value": 5})
    cas = {"type": "cas", "key": 1, "from": 5, "to": 6}
    assert registers.apply(("c1", 2), cas) == {"type": "cas_ok"}
    assert registers.apply(("c1", 2), cas) == {"type": "cas_ok"}
    assert registers.apply(("c1", 1), {"type": "write", "key": 1, "value": 5}) is None
    assert registers.read({"key": 1}) == {"type": "read_ok", "value": 6}
    assert registers.apply(("c1", 3), cas)["code"] == 22
    assert registers.apply(("c2", 1), cas | {"key": 2})["code"] == 20


def test_it_is_valid_though_nodes_die_and_their_leader_is_cut_off(tmp_path: Path) -> None:
    outcome = run(None, 1, tmp_path)
    assert outcome["valid"] is True, outcome["reason"]


def test_a_leader_that_commits_alone_is_found(tmp_path: Path) -> None:
    # Whether a run meets it depends on when the nodes lose patience with their leader.
    for seed in range(ATTEMPTS):
        outcome = run("ack-alone", seed, tmp_path)
        if outcome["valid"] is False:
            break
    assert outcome["checks"]["linearizability"]["valid"] is False
