"""`partita-clock` by itself, on programs that read the clock all the time; under sanitizers too."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import clock_readers
import pytest
from clock_readers import reader

from partita.nemesis import programs
from partita.nemesis.clocks import PROGRAM, Reading

# The sanitizers' build lies elsewhere.
HERE = Path(os.environ.get("PARTITA_PROGRAMS", programs.HERE)) / PROGRAM
ROUNDS = 200
NEAR = 0.5  # seconds that a busy machine may take between two looks


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    clean = {key: value for key, value in os.environ.items() if key != "LD_PRELOAD"}
    command = [str(HERE), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=clean)


def done(*words: object) -> str:
    said = run(*words)
    assert (said.returncode, said.stderr) == (0, "")
    return said.stdout


def reading(pid: int, seconds: float = 0) -> Reading:
    """What the program says of a process: the words behind its id and its name."""
    (line,) = done("read", "--pid", pid, "--seconds", seconds).splitlines()
    return Reading(*map(float, line.split()[2:]))


def functions(pid: int) -> bytes:
    """The code by which a process asks for the time, without what is behind it."""
    maps = Path(f"/proc/{pid}/maps").read_text().splitlines()
    (where,) = (line.split()[0] for line in maps if line.endswith("[vdso]"))
    begin, end = (int(each, 16) for each in where.split("-"))
    with Path(f"/proc/{pid}/mem").open("rb") as memory:
        memory.seek(begin)
        image = memory.read(end - begin)
    return image.partition(b"PARTITA1")[0].rstrip(b"\0")


@pytest.fixture(autouse=True)
def possible() -> None:
    if os.geteuid() == 0 and (lack := run("try").stderr):
        pytest.skip(lack)


@pytest.mark.cluster
@pytest.mark.parametrize(
    ("language", "rounds"), [("C", ROUNDS), ("Python", 10), ("Java", 5), ("Go", 5)]
)
def test_a_busy_reader_is_shifted_and_healed(language: str, rounds: int, tmp_path: Path) -> None:
    if clock_readers.lacks(language):
        pytest.skip(f"nothing to make a program in {language} with")
    with reader(language, tmp_path) as program:
        drift = program.off()  # of a monotonic clock that begins elsewhere, as Java's
        monotonic = program.monotonic_off()
        before = functions(program.pid)
        for number in range(rounds):
            s = (-1) ** number * (100 + number)
            done("set", "--pid", program.pid, "--jump", s)
            assert abs(program.off() - drift - s) < NEAR
            assert functions(program.pid) != before
            done("set", "--pid", program.pid, "--jump", 0)
            assert abs(program.off() - drift) < NEAR
        assert abs(program.monotonic_off() - monotonic) < NEAR
        assert functions(program.pid) == before


def waited(look: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not look():
        if time.monotonic() > deadline:
            return False
    return True


@pytest.mark.cluster
def test_all_kinds_add_up_and_each_goes_alone(tmp_path: Path) -> None:
    with reader("Python", tmp_path) as program:
        pid = program.pid
        done("set", "--pid", pid, "--jump", 1000)
        done("set", "--pid", pid, "--skew", -20.5)
        assert abs(program.off() - 979.5) < NEAR
        done("set", "--pid", pid, "--strobe", 5000, "--period", 0.4)
        assert waited(lambda: abs(program.off() - 5979.5) < NEAR)
        assert waited(lambda: abs(program.off() - 979.5) < NEAR)
        done("set", "--pid", pid, "--strobe", 0)
        done("set", "--pid", pid, "--factor", 50)
        assert waited(lambda: program.off() > 1000)
        seen = reading(pid, 0.1)
        assert (seen.jump, seen.skew, seen.strobe, seen.factor) == (1000, -20.5, 0, 50)
        assert seen.rate == pytest.approx(50, abs=0.5)
        assert seen.error < 0.001
        assert seen.monotonic < 0.01
        done("set", "--pid", pid, "--factor", 0.01, "--jump", 0, "--skew", 0)
        assert reading(pid, 0.1).rate == pytest.approx(0.01, abs=0.05)
        done("heal")
        done("heal")
        assert abs(program.off()) < NEAR
        assert reading(pid) == Reading(0, 0, 1, 0, 0, 0, 0, 0, 1)


@pytest.mark.cluster
def test_who_was_stopped_stays_so_and_who_was_not_goes_on(tmp_path: Path) -> None:
    def state() -> str:
        return Path(f"/proc/{program.pid}/stat").read_text().rpartition(") ")[2][0]

    with reader("C", tmp_path) as program:
        os.kill(program.pid, 19)
        assert waited(lambda: state() == "T")
        done("set", "--pid", program.pid, "--jump", 77)
        assert state() == "T"
        os.kill(program.pid, 18)
        assert abs(program.off() - 77) < NEAR
        done("set", "--pid", program.pid, "--jump", 0)
        assert state() != "T"


@pytest.mark.cluster
def test_it_finds_those_that_work_in_a_folder_or_write_there(tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    data.mkdir()
    beside = tmp_path / "home-of-others"
    beside.mkdir()
    with (
        reader("Python", home) as worker,
        reader("Python", beside) as other,
        (data / "log").open("w") as log,
        subprocess.Popen(["sleep", "60"], stdout=log) as writer,
    ):
        said = done("read", "--home", home, "--data", data).splitlines()
        found = {int(line.split()[0]) for line in said} - {os.getpid()}
        writer.kill()
    assert found == {worker.pid, writer.pid}
    assert other.pid not in found


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["set"], "whose clock? --home FOLDER, --data FOLDER or --pid NUMBER"),
        (["set", "--jump"], "--jump needs a value"),
        (["set", "--jump", "soon"], "--jump needs a number, not soon"),
        (["set", "--colour", "1"], "no option is called --colour"),
        (["set", "--pid", "1", "--strobe", "5"], "--strobe needs a --period of 0.001 at least"),
        (["wind"], "usage: partita-clock set|read|heal|try [OPTIONS]"),
    ],
)
def test_what_it_cannot_read_it_says(options: list[str], message: str) -> None:
    said = run(*options)
    assert (said.returncode, said.stderr) == (1, f"{PROGRAM}: {message}\n")
