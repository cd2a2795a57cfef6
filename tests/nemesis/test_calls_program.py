"""`partita-calls` by itself; under sanitizers too (script/sanitize)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from partita.nemesis import programs
from partita.nemesis.calls import PROGRAM

# The sanitizers' build lies elsewhere.
HERE = Path(os.environ.get("PARTITA_PROGRAMS", programs.HERE)) / PROGRAM
CLEAN = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}

# Twenty rounds in each of three threads, which begin after it was found, and a child's.
STORE = """
import os, sys, threading, time
file = os.open(sys.argv[1] + "/data/log", os.O_CREAT | os.O_WRONLY)
other = os.open(sys.argv[1] + "/elsewhere", os.O_CREAT | os.O_WRONLY)
sys.stdin.readline()
failed = []
def go():
    for _ in range(20):
        os.fsync(other)
        try:
            os.fsync(file)
        except OSError as error:
            failed.append(error.errno)
began = time.monotonic()
threads = [threading.Thread(target=go) for _ in range(3)]
for each in threads: each.start()
for each in threads: each.join()
before = len(failed)
child = os.fork()
if child == 0:
    go()
    os._exit(len(failed) - before)
_, status = os.waitpid(child, 0)
failed += [5] * os.waitstatus_to_exitcode(status)
print(len(failed), set(failed) or "", round(time.monotonic() - began, 3))
"""


def struck(folder: Path, *options: str) -> tuple[list[str], dict[str, int]]:
    """Let a store be struck: what it says, and what the program counted."""
    (folder / "data").mkdir()
    store = subprocess.Popen(
        [sys.executable, "-c", STORE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=CLEAN,
    )
    while not (folder / "elsewhere").exists():
        assert store.poll() is None
    figures = folder / "figures"
    command = [HERE, "--data", folder / "data", "--figures", figures, *options]
    program = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=CLEAN)
    assert program.stdout is not None
    assert program.stdout.readline() == "ready\n"
    said, _ = store.communicate("go\n", timeout=60)
    program.terminate()
    assert program.wait(timeout=10) == 0
    counted = [line.split() for line in figures.read_text().splitlines()]
    return said.split(), {word: int(count) for word, count in counted}


@pytest.mark.cluster
def test_each_call_waits_in_each_thread_and_child(tmp_path: Path) -> None:
    said, counted = struck(tmp_path, "--delay-ms", "10")
    assert said[0] == "0"
    # Threads wait beside each other.
    assert float(said[-1]) >= 0.4
    assert counted["struck"] == 80


@pytest.mark.cluster
def test_each_call_fails_and_those_of_other_files_do_not(tmp_path: Path) -> None:
    said, counted = struck(tmp_path, "--fail", "1")
    assert said[:2] == ["80", "{5}"]
    assert counted["struck"] == 80


@pytest.mark.cluster
def test_some_calls_fail(tmp_path: Path) -> None:
    said, counted = struck(tmp_path, "--fail", "1", "--percent", "50")
    assert 20 < int(said[0]) < 60
    assert counted["struck"] == int(said[0])


@pytest.mark.cluster
def test_it_says_whether_a_process_can_be_traced(tmp_path: Path) -> None:
    assert subprocess.run([HERE, "--try", tmp_path], timeout=30, env=CLEAN).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--data needs a folder"),
        (["--data"], "--data needs a value"),
        (["--data", "/", "--delay-ms", "soon"], "--delay-ms needs a number, not soon"),
        (["--colour", "1"], "no option is called --colour"),
    ],
)
def test_what_it_cannot_read_it_says(options: list[str], message: str) -> None:
    said = subprocess.run([HERE, *options], capture_output=True, text=True, timeout=20, env=CLEAN)
    assert (said.returncode, said.stderr) == (1, f"{PROGRAM}: {message}\n")
