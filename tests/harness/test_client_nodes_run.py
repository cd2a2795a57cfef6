"""A whole run with clients on nodes of their own, in programs of the user's."""

import json
import re
import shutil
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.nodes import local

ROOT = Path(__file__).parents[2]


@pytest.mark.cluster
def test_a_holder_that_was_frozen_does_not_know_it(partita: Partita, tmp_path: Path) -> None:
    """With programs that clients' programs start: they are frozen too, and tell afterwards."""
    shutil.copytree(ROOT / "examples/lock-service", tmp_path / "service")
    schedule = "1s client-pause holder"  # a node whose clients hold nothing would show nothing
    load = ["--workload", "lock", "--ttl", "1", "--hold", "0.8", "--wait", "2"]
    where = ["--local", "1", "--concurrency", "4", "--time-limit", "6"]
    done = partita("test", "service/store.toml", *load, *where, "--schedule", schedule, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert [fault["bit"] for fault in outcome["faults"]] == [True]
    figures = outcome["checks"]["holders"]["figures"]
    assert figures["lost"] > 0  # sessions, while their holders did not run
    assert figures["effect"]["lost_fenced"] == 0
    run = tmp_path / outcome["run"]
    spec = json.loads((run / "run.json").read_text())
    assert spec["client_nodes"] == ["c1", "c2"]
    assert {path.parent.name for path in run.glob("nodes/*/output.log")} == {"n1", "c1", "c2"}
    events = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    frozen = [event for event in events if event["f"] in ("client-pause", "heal")]
    begun, over = frozen[1]["time"], frozen[2]["time"]
    assert 2.9e9 < over - begun < 3.5e9, "three times to live, and then it ended by itself"
    (client,) = frozen[0]["value"]["clients"]
    mine = [e for e in events if e.get("client") == client and begun < e["time"] < over]
    assert [event["type"] for event in mine if event["type"] == "invoke"] == []
    assert any(e["f"] == "told" and e["time"] > over for e in events), "they were told too late"


@pytest.mark.cluster
def test_nodes_of_ones_own_for_clients_need_partita(
    partita: Partita, tmp_path: Path, cluster: local.LocalCluster
) -> None:
    login = ["--ssh-private-key", f"{cluster.folder}/id", "--no-strict-host-key-checking"]
    addresses = [node.address for node in cluster.nodes]
    clients = ["--client-node", addresses[1]]
    if shutil.which("partita-clients", path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"):
        pytest.skip("partita is installed for everybody on this machine")
    done = partita("test", "raft", "-n", addresses[0], *clients, *login, "--time-limit", "1")
    assert done.returncode == 254, done.stderr
    assert re.search(
        rf"partita: {addresses[1]}: .*partita-clients, which is not there", done.stderr
    )
    assert not list((tmp_path / "runs").glob("*/*"))
