"""The command as users run it: exit codes, one-line errors, nothing left behind."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from conftest import Partita

from partita.harness.nodes import local
from partita.harness.nodes.cluster import Node, local_client_nodes, local_nodes, on_all
from partita.harness.run.results import recover
from partita.nemesis.network import reachable
from partita.reports import is_alive

STORES = Path(__file__).parents[1] / "stores.py"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["test", "mongodb"], "no system is called 'mongodb': choose from"),
        (["test", "zookeeper", "-w", "bunk"], "no workload is called 'bunk': choose from append"),
        (["test", "zookeeper", "--nemesis", "quake"], "no nemesis is called 'quake': write a"),
        (
            ["test", "zookeeper", "--nemesis", "kil-leader"],
            "'kil-leader': did you mean kill-leader",
        ),
        (["test", "zookeeper", "--nemesis", "kill"], "kill needs a target, such as kill-leader: "),
        (["test", "zookeeper", "--nemesis", "kill-boss"], "kill has no target 'boss': choose from"),
        (
            ["test", "raft", "--nemesis", "kill-leader, pause-one", "--nemesis-interval", "1e-9"],
            "0.1 s at least",
        ),
        (["test", "raft", "--nodes", ","], "--nodes names no node"),
        (["test", "raft", "--nodes", ""], "--nodes names no node"),
        (["test", "raft", "--node", ""], "--node names no node"),
        (["test", "raft", "--nodes-file", "/dev/null"], "--nodes-file /dev/null names no node"),
        (["test", "raft", "--client-node", ""], "--client-node names no node"),
        (["doctor", "--nodes", ","], "--nodes names no node"),
        (["heal", "--node", "", "--cluster", "any"], "--node names no node"),
        (["test", "raft", "--concurrency", "99999"], "10 or 2n, 10,000 at most, not '99999'"),
        (["test", "rafft", "--bug", "ack-early"], "no system is called 'rafft': choose from"),
        (["test", "--bug", "ack-early", "rafft"], "no such option: --bug"),
        (["test", "raft", "-w", "regster", "--kyes", "3"], "no workload is called 'regster'"),
        (["test", "raft", "--nemesis", "wipe", "--wipe-all", "3"], "no nemesis is called 'wipe'"),
        (["test", "zookeeper", "--schedule", "later"], "cannot read 'later'"),
        (["test", "zookeeper", "--schedule", "1s partition all"], "partition needs a target"),
        (
            ["test", "zookeeper", "--local", "1", "--nemesis", "halves"],
            "needs 2 nodes, there are 1",
        ),
        (["test", "zookeeper", "--local", "0"], "--local must be between 1 and 200"),
        (["test", "zookeeper", "--local", "3", "-n", "a"], "exclude each other"),
        (["test", "zookeeper", "-n", "a", "-n", "a"], "named twice"),
        (["test", "raft", "--nemesis", "client-pause"], "needs client nodes, and this"),
        (["test", "raft", "--client-nodes", "99"], "--client-nodes must be between 0 and 50"),
        (["test", "raft", "--client-node", "a"], "--client-node goes with named nodes"),
        (["test", "raft", "-n", "a", "--client-nodes", "2"], "goes with a local cluster"),
        (["test", "raft", "-n", "a", "--client-node", "a"], "a cannot be a node of the store and"),
        (
            ["test", "raft", "-n", "a", "--client-node", "b", "--client-node", "b"],
            "a client node is named twice",
        ),
        (["test", "zookeeper", "--nodes-file", "none"], "--nodes-file none: No such file"),
        (["test", "zookeeper", "--concurrency", "many"], "--concurrency is a number"),
        (["test", "zookeeper", "--time-limit", "-1"], "--time-limit must be more than 0"),
        (["test", "zookeeper", "--rate", "fast"], "'fast' is not a valid float"),
        (["test", "zookeeper", "--rate", "nan"], "nan is no number of use here"),
        (["test", "zookeeper", "--time-limit", "inf"], "inf is no number of use here"),
        (["test", "zookeeper", "--schedule", ""], "--schedule is empty"),
        (["test", "zookeeper", "--schedule", "1s heal"], "the schedule has no fault"),
        (["test", "zookeeper", "--nemesis", ","], "--nemesis is empty"),
        (["test", "zookeeper", "--nemesis", "one", "--nemesis-interval", "1e-9"], "0.1 s at least"),
        (["test", "zookeeper", "--time-limit", "1e300"], "--time-limit must be more than 0, and"),
        (["test", "zookeeper", "--rate", "1e300"], "--rate must be between 0"),
        (["test", "zookeeper", "--concurrency", "9" * 5000], "--concurrency is a number"),
        (["test", "zookeeper", "--nodes-file", sys.executable], "this is no text"),
        (["test-all", "--nemeses", "+"], "--nemesis is empty"),
        (["test", "zookeeper", "--nemesis", " "], "--nemesis is empty"),
        (["test-all", "--schedule", "1s heal"], "--schedule goes with partita test"),
        (["test-all", "--systems", "zookeeper, mongodb"], "no system is called 'mongodb'"),
        (["test-all", "--systems", "", "--junit", "x.xml"], "--systems names nothing"),
        (["test-all", "--nemeses", " ,"], "--nemeses names nothing"),
        (["test", "zookeeper", "--reads", "dirty"], "no --reads dirty: choose from sync, local"),
        (["test", "zookeeper", "--nemesis", "one", "--nemesis-interval", "30"], "do not fit into"),
        (["test", f"{STORES}:None"], "has no class None"),
        (["test", "nowhere.py:Store"], "no file nowhere.py"),
        (
            ["test", f"{STORES}:Good", "--nemesis", "leader"],
            "needs a system that can say who leads",
        ),
        (["cluster", "down", "nonesuch"], "no cluster is called nonesuch"),
        (["cluster", "ssh", "n1", "--name", "nonesuch"], "no cluster is called nonesuch"),
        (["frobnicate"], "No such command 'frobnicate'"),
        (["test"], "Missing argument 'SYSTEM'"),
    ],
)
def test_wrong_arguments_get_one_line_and_254(
    partita: Partita, tmp_path: Path, arguments: list[str], said: str
) -> None:
    done = partita(*arguments)
    assert done.returncode == 254, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("partita: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_node_that_refuses_ssh_is_named(partita: Partita) -> None:
    done = partita("test", "zookeeper", "-n", "127.0.0.1", "--ssh-port", "1", timeout=60)
    assert done.returncode == 254
    assert "127.0.0.1 (127.0.0.1:1)" in done.stderr
    assert "is it up, with sshd running?" in done.stderr


SHORT = ("--local", "3", "--time-limit", "6", "--rate", "100", "--json")


@pytest.mark.cluster
def test_a_good_store_is_valid(partita: Partita, tmp_path: Path) -> None:
    done = partita("test", f"{STORES}:Good", *SHORT, "--schedule", "1s partition one; 4s heal")
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)
    assert results["valid"] is True
    assert results["operations"] == results["ok"] + results["fail"] + results["info"]
    assert results["ok"] > 300
    assert results["faults"][0]["bit"] is True
    directory = tmp_path / results["run"]
    assert (tmp_path / "runs/latest").resolve() == directory.resolve()
    assert {"run.json", "history.jsonl", "results.json", "report.html", "controller.log"} <= {
        path.name for path in directory.iterdir()
    }


@pytest.mark.cluster
def test_a_lying_store_is_invalid_and_the_read_is_named(partita: Partita) -> None:
    done = partita("test", f"{STORES}:Stale", *SHORT)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "read" in json.loads(done.stdout)["reason"]


@pytest.mark.cluster
def test_a_run_in_which_nothing_succeeded_is_unknown(partita: Partita) -> None:
    done = partita("test", f"{STORES}:Refusing", *SHORT, timeout=120)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "ever succeeded" in json.loads(done.stdout)["reason"]


@pytest.mark.cluster
def test_a_client_that_is_cancelled_ends_no_load(partita: Partita) -> None:
    done = partita("test", f"{STORES}:Cancelled", *SHORT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["fail"] > 20
    assert "Traceback" not in done.stderr


@pytest.mark.cluster
@pytest.mark.parametrize("workload", ["append", "register"])
def test_what_cannot_be_read_in_the_end_is_not_known(partita: Partita, workload: str) -> None:
    short = ("--local", "3", "--time-limit", "2", "--concurrency", "1n", "--rate", "50", "--json")
    brief = (
        "from partita.harness import cli; from partita.harness.run import load; "
        "load.FINAL_READ_TRIES_S = 2; cli.main()"
    )
    command = [sys.executable, "-c", brief, "test", f"{STORES}:Unreadable", "-w", workload, *short]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "nobody knows what is left in the store" in json.loads(done.stdout)["reason"]


@pytest.mark.cluster
def test_a_call_that_never_returns_ends_no_later_than_it_must(partita: Partita) -> None:
    began = time.monotonic()
    done = partita("test", f"{STORES}:Hanging", *SHORT, "--timeout", "1", timeout=60)
    assert time.monotonic() - began < 45
    assert done.returncode == 2, done.stdout + done.stderr
    results = json.loads(done.stdout)
    assert "clients never came back from a call, whose time-out is 1 s" in results["reason"]
    assert results["verdict"]["valid"] is True


@pytest.mark.cluster
def test_a_reader_that_goes_away_is_no_violation(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m partita test {STORES}:Good --local 1 --time-limit 1'
    script = f"set -o pipefail; {command} 2>/dev/null | true"
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, check=False)
    assert done.returncode == 255
    done = subprocess.run(["bash", "-c", f"{command} 2>err >/dev/full"], cwd=tmp_path, check=False)
    assert done.returncode == 255
    assert "Traceback" not in (tmp_path / "err").read_text()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import sys; sys.exit(0)", "cannot be imported: SystemExit: 0"),
        ("def (", "cannot be imported: SyntaxError"),
        ("import nothing_like_it", "cannot be imported: ModuleNotFoundError"),
        ("class S:\n  def __init__(self): raise OSError('no')", "could not be made: OSError: no"),
    ],
)
def test_a_file_that_is_no_store_is_one_line(
    partita: Partita, tmp_path: Path, code: str, said: str
) -> None:
    (tmp_path / "reports.py").write_text(code)
    done = partita("test", "reports.py:S")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert said in done.stderr


@pytest.mark.cluster
def test_a_store_may_be_called_like_a_module_of_ours(partita: Partita, tmp_path: Path) -> None:
    for name in ("reports.py", "checker.py"):
        (tmp_path / name).write_text(STORES.read_text())
        done = partita("test", f"{name}:Good", "--local", "1", "--time-limit", "1")
        assert done.returncode == 0, done.stderr
        assert "could not be drawn" not in done.stderr


@pytest.mark.cluster
def test_a_fault_whose_time_never_came_is_missed(partita: Partita) -> None:
    faults = ["--schedule", "0.5s kill one; 1s partition one"]
    done = partita("test", f"{STORES}:Tenacious", *SHORT, "--time-limit", "1.5", *faults)
    assert done.returncode == 2, done.stderr
    reason = json.loads(done.stdout)["reason"]
    assert "only 1 of 2 faults were begun before the load ended" in reason


@pytest.mark.cluster
def test_a_run_directory_that_cannot_be_made(partita: Partita, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = partita("test", f"{STORES}:Good", *SHORT, "--runs-dir", "file/runs")
    assert done.returncode == 254
    assert "choose another --runs-dir" in done.stderr


@pytest.mark.cluster
def test_a_disk_that_fills_up_ends_the_run_and_keeps_the_history(
    partita: Partita, tmp_path: Path
) -> None:
    (tmp_path / "small").mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path / "small")]
    subprocess.run(mount, check=True)
    try:
        done = partita("test", f"{STORES}:Good", *SHORT, "--runs-dir", "small")
        assert done.returncode == 255
        assert "No space left on device" in done.stderr
        assert "what is written is kept" in done.stderr
        (history,) = (tmp_path / "small").glob("*/*/history.jsonl")
        assert len(history.read_text().splitlines()) > 100
        assert partita("check", str(history)).returncode == 0
    finally:
        subprocess.run(["umount", str(tmp_path / "small")], check=True)


@pytest.mark.cluster
def test_a_system_that_never_serves(tmp_path: Path) -> None:
    impatient = (
        "from partita.harness import cli; from partita.harness.run import run; "
        "run.HEALTH_WAIT_S = 5; cli.main()"
    )
    command = [sys.executable, "-c", impatient, "test", f"{STORES}:Sick", *SHORT]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 255
    assert "does not serve after" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in (tmp_path / "runs/latest/controller.log").read_text()


def started(tmp_path: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "partita", "test", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def await_event(tmp_path: Path, text: str) -> None:
    deadline = time.monotonic() + 60
    history = tmp_path / "runs/latest/history.jsonl"
    while not (history.exists() and text in history.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.2)


LONG = ("--local", "3", "--time-limit", "60", "--rate", "100", "--json")


@pytest.mark.cluster
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_is_healed_checked_and_judged(
    tmp_path: Path, ending: signal.Signals
) -> None:
    run = started(tmp_path, f"{STORES}:Good", *LONG, "--schedule", "1s partition one; 50s heal")
    await_event(tmp_path, '"f":"probe"')
    assert is_alive(tmp_path / "runs/latest")
    with pytest.raises(click.UsageError, match="still in progress"):
        recover(tmp_path / "runs/latest")
    run.send_signal(ending)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 2, err
    assert not is_alive(tmp_path / "runs/latest")
    results = json.loads(out)
    assert (results["valid"], results["verdict"]["valid"]) == ("unknown", True)
    assert re.fullmatch(r"the run was interrupted after \d+ of 60 s", results["reason"])
    events = [json.loads(line) for line in (tmp_path / "runs/latest/history.jsonl").open()]
    assert any(e["f"] == "heal" and e["type"] == "ok" for e in events)
    assert events[-1]["f"] == "read", "the final reads were made"
    assert not any(each.owner and each.owner.pid == run.pid for each in local.clusters())


def frozen(client: Node) -> bool:
    """Say whether any process of clients on a node is stopped."""
    script = "grep -lsz ^PARTITA_CLIENTS= /proc/[0-9]*/environ | cut -d/ -f3 | "
    script += 'while read -r pid; do cut -d" " -f3 "/proc/$pid/stat"; done; true'
    return "T" in client.run(["sh", "-c", script]).stdout


@pytest.mark.cluster
def test_after_kill_9_the_network_heals_and_the_history_can_be_checked(
    tmp_path: Path, partita: Partita
) -> None:
    schedule = "0.5s client-pause; 1s partition one; 50s heal"
    more = ["--client-nodes", "1", "--schedule", schedule]
    run = started(tmp_path, f"{STORES}:Good", *LONG, *more)
    await_event(tmp_path, '"cut":')
    run.kill()
    run.communicate()
    killed = time.monotonic()
    (orphan,) = (each for each in local.clusters() if each.owner and each.owner.pid == run.pid)
    assert not orphan.owned()
    try:
        done = partita("check", "runs/latest")
        assert done.returncode == 0, done.stdout + done.stderr
        recovered = partita("check", "--recover", "runs/latest", "--json")
        assert recovered.returncode == 2, recovered.stderr
        assert "cut off before it was over" in json.loads(recovered.stdout)["reason"]
        assert (tmp_path / "runs/latest/report.html").exists()
        again = partita("check", "--recover", "runs/latest", "nowhere")
        assert again.returncode == 254
        assert "has its results already" in again.stderr
        assert "nowhere is no run directory" in again.stderr
        nodes, (client,) = local_nodes(orphan), local_client_nodes(orphan)
        assert len(reachable(nodes)) == 2
        assert frozen(client)
        while len(reachable(nodes)) < 6:
            assert time.monotonic() < killed + 60
            time.sleep(1)
        while frozen(client):
            assert time.monotonic() < killed + 60
            time.sleep(1)
        assert orphan.status() == "up"
    finally:
        down = partita("cluster", "down", orphan.name)
    assert (down.returncode, down.stdout) == (0, f"{orphan.name}: down\n")
    assert local.find(orphan.name) is None


def test_nodes_of_ones_own_are_reached_by_ssh(
    partita: Partita, cluster: local.LocalCluster, tmp_path: Path
) -> None:
    """The local cluster's nodes, named as if they were rented machines."""
    (tmp_path / "nodes").write_text("\n".join(node.address for node in cluster.nodes[:3]))
    login = ["--ssh-private-key", str(cluster.folder / "id"), "--no-strict-host-key-checking"]
    done = partita(
        *("test", f"{STORES}:Good", "--nodes-file", "nodes", *login, "--time-limit", "6"),
        *("--schedule", "1s partition halves; 4s heal", "--json"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(done.stdout)
    assert set(results["availability_by_node"]) == {n.address for n in cluster.nodes[:3]}
    assert results["faults"][0]["bit"] is True


def test_a_key_that_does_not_open_is_said(partita: Partita, cluster: local.LocalCluster) -> None:
    key = str(cluster.folder / "host")
    login = ["--ssh-private-key", key, "--no-strict-host-key-checking"]
    done = partita("test", "zookeeper", "-n", cluster.nodes[0].address, *login)
    assert done.returncode == 254
    assert "root may not log in with the key" in done.stderr


def test_a_second_interrupt_heals_and_leaves(
    tmp_path: Path, cluster: local.LocalCluster, nodes: list[Node]
) -> None:
    named = ",".join(node.address for node in cluster.nodes[:3])
    login = ["--ssh-private-key", str(cluster.folder / "id"), "--no-strict-host-key-checking"]
    schedule = ["--schedule", "1s partition one; 50s heal", "--time-limit", "60"]
    run = started(tmp_path, f"{STORES}:Good", "--nodes", named, *login, *schedule)
    await_event(tmp_path, '"f":"probe"')
    run.send_signal(signal.SIGINT)
    time.sleep(0.2)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert run.returncode == 2
    rules = on_all(nodes[:3], lambda node: node.run(["iptables", "-S"]).stdout)
    assert all("PARTITA" not in each for each in rules)
    assert '"f":"heal"' in (tmp_path / "runs/latest/history.jsonl").read_text()
