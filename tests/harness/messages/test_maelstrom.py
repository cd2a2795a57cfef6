"""`partita test maelstrom`: the whole command, with programs that are right, wrong and broken."""

import json
import os
import stat
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from tempfile import gettempdir

import pytest
from conftest import Partita
from talking import ALONE, PREAMBLE

RAFT = Path(__file__).resolve().parents[3] / "examples" / "maelstrom-raft" / "raft.py"
SHORT = ("--local", "3", "--workload", "register", "--time-limit", "3", "--rate", "60")
CUT = "0.5s partition n1; 2.5s heal"

CHATTY = (
    PREAMBLE
    + """
for message in messages():
    print("hello there", flush=True)
    reply(message, {"type": "error", "code": 11, "text": "later"})
"""
)

# Each node adds to a set of its own, tells nobody, and says that it knows no other request.
LONELY = (
    PREAMBLE
    + """
elements = []
for message in messages():
    kind = message["body"]["type"]
    if kind == "add":
        elements.append(message["body"]["element"])
        reply(message, {"type": "add_ok"})
    elif kind == "read":
        reply(message, {"type": "read_ok", "value": elements})
    else:
        reply(message, {"type": "error", "code": 10, "text": "not supported"})
"""
)


def program(path: Path, script: str) -> str:
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_raft_node_keeps_its_promise_across_a_cut(partita: Partita, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    done = partita("test", "maelstrom", "--binary", str(RAFT), *SHORT, "--schedule", CUT,
                   "--seed", "1", "--runs-dir", str(runs))  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    run = (runs / "latest").resolve()
    results = json.loads((run / "results.json").read_text())
    assert (results["valid"], results["faults"][0]["bit"]) == (True, True)
    lines = [json.loads(line) for line in (run / "messages.jsonl").read_text().splitlines()]
    cut = [line for line in lines if line.get("lost") == "cut"]
    assert cut and all("n1" in (line["src"], line["dest"]) for line in cut)
    told = results["messages"]
    assert told["lost"]["cut"] == len(cut)
    assert told["delivered"] + sum(told["lost"].values()) == len(lines)
    assert told["left_out"] == 0 and 0 < told["router_cpu_s"] < 5
    assert 'id="messages-drawing"' in (run / "report.html").read_text()


def test_nodes_that_do_not_speak_to_each_other_are_found_out(
    partita: Partita, tmp_path: Path
) -> None:
    binary = program(tmp_path / "alone", ALONE)
    done = partita("test", "maelstrom", "--binary", binary, *SHORT, "--nemesis", "none",
                   "--runs-dir", str(tmp_path / "runs"))  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "INVALID" in done.stdout


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "no file"),
        ("", "chmod +x"),
        ("#!/no/such/interpreter", "is for '/no/such/interpreter', which is not there"),
        ("#!/bin/sh\r\n", "is for '/bin/sh\\r', which is not there"),
        ("import sys; sys.exit('no configuration')", "no configuration"),
        ("import time; time.sleep(60)", "did not answer init within 10 s"),
    ],
)
def test_a_program_that_is_no_node_is_told_in_one_line(
    partita: Partita, tmp_path: Path, script: str | None, said: str
) -> None:
    binary = tmp_path / "node"
    if script and script.startswith("#!"):
        binary.write_bytes(script.encode())
        binary.chmod(0o755)
    elif script:
        program(binary, script)
    elif script is not None:
        binary.write_text("#!/bin/sh\n")
    done = partita("test", "maelstrom", "--binary", str(binary), *SHORT, "--nemesis", "none",
                   "--runs-dir", str(tmp_path / "runs"))  # fmt: skip
    told = done.stderr.partition("partita: ")[2]
    assert said in told, done.stderr
    assert len(told.splitlines()) <= 2  # the second is the program's own last words
    assert done.returncode in (254, 255)


def test_what_hosts_alone_can_have_is_refused_before_anything_starts(
    partita: Partita, tmp_path: Path
) -> None:
    done = partita("test", "maelstrom", "--binary", str(RAFT), *SHORT, "--nemesis", "power-cut",
                   "--runs-dir", str(tmp_path / "runs"))  # fmt: skip
    assert done.returncode == 254, done.stdout + done.stderr
    assert not (tmp_path / "runs").exists()


def test_garbage_makes_the_run_unknown_and_says_where(partita: Partita, tmp_path: Path) -> None:
    binary = program(tmp_path / "chatty", CHATTY)
    done = partita("test", "maelstrom", "--binary", binary, *SHORT, "--nemesis", "none",
                   "--runs-dir", str(tmp_path / "runs"))  # fmt: skip
    assert done.returncode == 2, done.stdout + done.stderr
    assert "hello there" in " ".join(done.stdout.split())


@pytest.mark.skipif(os.getuid() != 0, reason="whoever runs this is an ordinary user")
def test_an_ordinary_user_needs_no_privilege(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    for each in takewhile(lambda each: each != Path(gettempdir()), tmp_path.parents):
        each.chmod(0o755)
    partita = Path(sys.executable).with_name("partita")
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", str(partita),
               "test", "maelstrom", "--binary", str(RAFT), *SHORT, "--schedule", CUT,
               "--runs-dir", str(tmp_path / "runs")]  # fmt: skip
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_set_whose_nodes_stay_apart_is_found_out_and_other_requests_are_told(
    partita: Partita, tmp_path: Path
) -> None:
    binary = program(tmp_path / "lonely", LONELY)
    common = ("--local", "2", "--time-limit", "1", "--runs-dir", str(tmp_path / "runs"))
    done = partita("test", "maelstrom", "--bin", binary, "-w", "g-set", "--settle", "1", *common)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "still lacks it" in " ".join(done.stdout.split())
    done = partita("test", "maelstrom", "--bin", binary, "-w", "unique-ids", *common)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "does not know the request 'generate' (error 10)" in " ".join(done.stdout.split())
