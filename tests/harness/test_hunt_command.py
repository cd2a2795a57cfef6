"""`partita hunt`: from a planted mistake to a command, and what it refuses."""

import json
import os
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from conftest import Partita

from partita.harness.cli import code_of
from partita.harness.cli import partita as cli
from partita.harness.cli import said as said_by
from partita.harness.commands.test import test as command
from partita.harness.hunting.spreading import Spread
from partita.harness.run.session import prepare
from partita.harness.systems import BringsNodes
from partita.harness.systems.system import StoreError

ECHO = Path(__file__).parents[2] / "examples" / "maelstrom" / "echo.py"
MAELSTROM = ("maelstrom", "--binary", str(ECHO), "--workload", "echo")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("raft --budget soon", "'soon' is no duration: write 90s, 10m or 1h"),
        ("raft --budget 0m", "is no duration"),
        ("raft --budget 20s", "--budget 20s has no room for a run of 30 s"),
        ("raft --runs-dir /dev/null/runs", "choose another --runs-dir"),
        (f"{' '.join(MAELSTROM)} --disk lossy", "are no hosts, so that they have no disks"),
        ("raft --tries 0", "0 is not in the range x>=1"),
        ("raft --time-limit 3", "no random fault fits into --time-limit 3"),
        ("raft --schedule '2s burn all'", "no action is called 'burn'"),
        ("raft --nemesis kill-leader --schedule '2s kill all'", "exclude each other"),
        ("raft --executor ray://a", "only dask://HOST:PORT is known"),
        ("raft --executor dask://a --node b", "--executor goes with local clusters"),
        ("raft --bug no-bug", "choose from stale-follower-read"),
        ("", "Missing argument 'SYSTEM'"),
    ],
)
def test_what_cannot_be_hunted_is_refused_before_anything(words: str, said: str) -> None:
    with pytest.raises(Exception) as refused:
        cli.main(["hunt", *shlex.split(words)], standalone_mode=False)
    assert code_of(refused.value) == 254
    text = said_by(refused.value)
    assert said in text and len(text.splitlines()) == 1


@pytest.mark.parametrize(("words", "drawn"), [("", True), ("--disk plain", False)])
def test_the_storms_of_a_hunt_cut_the_power_where_a_disk_can_be_had(
    words: str, drawn: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody has to ask for such a disk: a run gets one if its storm needs it."""
    schedules = []

    def run(system: str, options: Any, *args: Any, **more: Any) -> Any:
        schedules.append(prepare(system, options)[2])
        return {"valid": True, "passed": True, "run": "nowhere"}

    monkeypatch.setattr("partita.harness.commands.hunt.user_namespace.enter", lambda: None)
    monkeypatch.setattr("partita.harness.commands.hunt._lacking_here", lambda *args: [])
    monkeypatch.setattr("partita.harness.commands.hunt.conduct", run)
    line = ["hunt", "raft", *shlex.split(words), "--runs-dir", str(tmp_path)]
    cli.main(line, standalone_mode=False)
    cut = {spec.disk for spec in schedules if "power-cut" in str(list(map(str, spec.schedule)))}
    assert len(schedules) == 20
    assert cut == ({"ext4"} if drawn else set())


NO_HOSTS = (*MAELSTROM, "--nemesis", "random")


def test_storms_strike_nodes_that_are_no_hosts_with_what_there_can_be() -> None:
    drawn = set()
    for seed in range(10):
        words = [*NO_HOSTS, "--time-limit", "60", "--seed", str(seed)]
        options = command.make_context("test", words).params
        store, _, spec = prepare(options["system"], options)
        assert isinstance(store, BringsNodes)
        actions = {step.action for step in spec.schedule if step.begins}
        assert actions <= set(store.ground.faults)
        drawn |= actions
    assert drawn >= {"partition", "loss", "kill", "pause"}


def test_a_hunt_among_nodes_that_are_no_hosts_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> None:
        raise AssertionError("no privilege is needed, and no cluster")

    def run(*args: Any, **more: Any) -> None:
        raise InterruptedError("far enough")

    monkeypatch.setattr("partita.harness.commands.hunt.user_namespace.enter", refuse)
    monkeypatch.setattr("partita.harness.commands.hunt._lacking_here", refuse)
    monkeypatch.setattr("partita.harness.commands.hunt.conduct", run)
    with pytest.raises(InterruptedError, match="far enough"):
        cli.main(["hunt", *NO_HOSTS, "--runs-dir", str(tmp_path)], standalone_mode=False)


@pytest.mark.cluster
@pytest.mark.slow
def test_a_planted_mistake_ends_in_a_command_that_can_be_run(
    partita: Partita, tmp_path: Path
) -> None:
    words = "raft --bug stale-follower-read --local 3 --rate 80 --concurrency 6n --time-limit 3"
    words += " --server-args '--delay 0.1' --schedule '1s kill one; 1.5s heal' --seed 4"
    done = partita("hunt", *shlex.split(words), "--budget", "13s", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["found"] and found["first"]["seed"] == found["tries"][0]["seed"] == 4
    assert found["tries"][0]["valid"] is False
    assert found["tried"] == [{"fault": "kill one", "tries": 1, "failed": 1}]
    assert found["reason"]
    assert (tmp_path / found["report"]).is_file()
    for which in ("first", "smallest"):
        partita_, test, *rest = shlex.split(found[which]["command"])
        assert [partita_, test] == ["partita", "test"]
        options = command.make_context("test", rest).params
        _, _, spec = prepare(options["system"], options)
        assert "; ".join(map(str, spec.schedule)) == found[which]["schedule"]
        assert (spec.seed, spec.time_limit) == (4, found[which]["time_limit"])
        assert spec.options["system"] | {"bug": "stale-follower-read"} == spec.options["system"]


def test_runs_are_begun_on_workers_and_asked_for_later(tmp_path: Path) -> None:
    """Two workers, and in place of runs a command that is quick: what it prints comes back."""
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    more = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**more) as own, distributed.Client(own) as client:
        spread = Spread(client, lambda options: options["words"])
        assert spread.width == 2
        listed = {"words": ["list", "systems", "--json"]}
        spread.begin(listed)
        spread.begin({"words": ["list", "checks", "--json"]})
        rows: Any = spread.conduct(listed)
        assert "raft" in {row["name"] for row in rows}
        with pytest.raises(click.UsageError, match="on a worker: --here goes with"):
            spread.conduct({"words": ["list", "systems", "--here"]})
        with pytest.raises(StoreError, match="on a worker: it said nothing"):
            spread.conduct({"words": ["list", "systems", "--help"]})
        spread.finish()


@pytest.mark.cluster
@pytest.mark.slow
@pytest.mark.skipif("PARTITA_DASK" not in os.environ, reason="PARTITA_DASK=1 takes half a minute")
def test_the_workers_of_a_dask_cluster_make_the_runs(partita: Partita, tmp_path: Path) -> None:
    """Two at a time, each on a cluster of its own: both have begun before the first one fails."""
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    words = "raft --bug stale-follower-read --local 3 --rate 80 --concurrency 6n --time-limit 3"
    words += " --server-args '--delay 0.1' --schedule '1s kill one; 1.5s heal' --no-shrink --json"
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as own:
        address = own.scheduler_address.replace("tcp://", "dask://")
        done = partita("hunt", *shlex.split(words), "--executor", address)
    assert done.returncode == 1, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["found"] and found["first"]["seed"] == 1
    assert (tmp_path / found["report"]).is_file()
    assert len(list((tmp_path / "runs").glob("raft-register/*/run.json"))) == 2
