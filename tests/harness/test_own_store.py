"""Stores of the user's own: a class in a file, or a store.toml with a client program."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Partita

from partita.harness.systems.commands import read_store
from partita.harness.systems.program import ProgramClient
from partita.harness.systems.system import HasPause, HasPrimaries, HasRunning, StoreError
from partita.workloads.client import Answer, Definite, Indefinite, Mismatch

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples/own-store"
LEAST = {"start": "sleep 1000", "health": "true", "client": "cat"}

# Answers each request by what stands in its key.
SCRIPTED = """
import json, os, sys, time
for line in sys.stdin:
    request = json.loads(line)
    key = request["key"]
    if key == "die":
        sys.exit(3)
    if key == "hang":
        time.sleep(60)
    print(key, flush=True)
"""


def toml(folder: Path, **keys: object) -> Path:
    path = folder / "store.toml"
    path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items()))
    return path


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        (LEAST | {"strat": "x"}, "no key 'strat': choose from name, files"),
        ({"start": "x", "client": "cat"}, "health is missing"),
        (LEAST | {"start": ["x"]}, "start must be a text"),
        (LEAST | {"start": " "}, "start must be a text"),
        (LEAST | {"files": "x"}, "files must be a list of texts"),
        (LEAST | {"files": ["x"]}, "no file x"),
        (LEAST | {"files": ["*.py"]}, "no file *.py"),
        (LEAST | {"client": "no-such-program --x"}, "there is no program no-such-program"),
        (LEAST | {"client": '"'}, "client is no command"),
        (LEAST | {"transactions": "all"}, "transactions is whole or guarded, not 'all'"),
        (LEAST | {"name": "../x"}, "letters, digits and dashes only"),
    ],
)
def test_what_is_wrong_in_a_store_is_said_in_one_line(
    tmp_path: Path, keys: dict[str, object], complaint: str
) -> None:
    with pytest.raises(StoreError, match=re.escape(complaint)) as error:
        read_store(toml(tmp_path, **keys))
    assert "\n" not in str(error.value)
    assert str(tmp_path / "store.toml") in str(error.value)


def test_files_are_names_and_patterns(tmp_path: Path) -> None:
    for name in ("a.py", "b[1].py", "c.txt"):
        (tmp_path / name).touch()
    (tmp_path / "d.py").mkdir()
    patterns = ["*.py", "b[1].py", str(tmp_path / "*.txt")]
    store = read_store(toml(tmp_path, **LEAST | {"files": patterns}))
    node = Uploads()
    store.install(node)  # type: ignore[arg-type]
    assert [path.name for path in node.uploaded] == ["a.py", "b[1].py", "b[1].py", "c.txt"]


class Uploads:
    def __init__(self) -> None:
        self.uploaded: list[Path] = []

    def upload(self, source: Path, target: str) -> None:
        self.uploaded.append(source)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        read_store(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_text("start = ")
    with pytest.raises(StoreError, match="is no TOML"):
        read_store(tmp_path / "bad.toml")


def test_a_store_can_do_what_it_was_told_how_to(tmp_path: Path) -> None:
    plain = read_store(toml(tmp_path, **LEAST))
    assert plain.name == "store"
    assert isinstance(plain, HasPause)
    assert isinstance(plain, HasRunning)
    assert not isinstance(plain, HasPrimaries)
    assert isinstance(read_store(toml(tmp_path, **LEAST, leader="true")), HasPrimaries)


@pytest.fixture
def scripted(tmp_path: Path) -> ProgramClient:
    (tmp_path / "client.py").write_text(SCRIPTED)
    return ProgramClient([sys.executable, "client.py"], tmp_path, {}, 1.0)


def test_a_programs_answers_become_outcomes(scripted: ProgramClient) -> None:
    assert scripted.read('{"type": "ok", "value": "7"}').value == "7"
    assert scripted.read('{"type": "ok"}').value is None
    scripted.write('{"type": "ok"}', "1")
    with pytest.raises(Definite, match="no leader"):
        scripted.write('{"type": "fail", "error": "no leader"}', "1")
    with pytest.raises(Indefinite, match="lost"):
        scripted.write('{"type": "info", "error": "lost"}', "1")
    with pytest.raises(Mismatch) as mismatch:
        scripted.cas('{"type": "fail", "error": "mismatch", "actual": "3"}', "1", "2")
    assert (mismatch.value.known, mismatch.value.actual) == (True, "3")
    with pytest.raises(Mismatch) as mismatch:
        scripted.cas('{"type": "fail", "error": "mismatch"}', "1", "2")
    assert not mismatch.value.known
    scripted.close()


def test_a_program_tells_versions_and_sessions(scripted: ProgramClient) -> None:
    said = '{"type": "ok", "value": "7", "version": 12, "session": "s1"}'
    assert scripted.read(said) == Answer("7", 12, {"session": "s1"})
    assert scripted.write('{"type": "ok", "version": 13}', "1") == Answer(version=13)
    with pytest.raises(Mismatch) as mismatch:
        refused = '{"type": "fail", "error": "mismatch", "actual": "3", "version": 12}'
        scripted.cas(refused, "1", "2")
    assert (mismatch.value.actual, mismatch.value.version) == ("3", 12)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("die", "ended with status 3"),
        ("hang", "said nothing for 1 s"),
        ("rubbish", "printed no answer: 'rubbish'"),
        ("[1]", "printed no answer"),
        ('{"type": "maybe"}', "type 'maybe'"),
    ],
)
def test_a_program_that_misbehaves_leaves_the_operation_open(
    scripted: ProgramClient, key: str, reason: str
) -> None:
    with pytest.raises(Indefinite, match=re.escape(reason)):
        scripted.write(key, "1")
    began = time.monotonic()
    scripted.close()
    assert time.monotonic() - began < 3


def test_a_program_that_cannot_be_started_changed_nothing(tmp_path: Path) -> None:
    (tmp_path / "client").write_text("not executable")
    with pytest.raises(Definite, match="cannot be started"):
        ProgramClient(["client"], tmp_path, {}, 1.0)


def test_a_class_that_lacks_a_method_is_refused(partita: Partita, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("class Mine:\n    name = 'mine'\n")
    done = partita("test", "mine.py:Mine")
    assert done.returncode == 254
    assert "mine.py:Mine lacks start(), healthy(), client()" in done.stderr


@pytest.mark.cluster
@pytest.mark.parametrize(
    "client",
    [
        "python3 client.py",
        pytest.param(
            "perl client.pl",
            marks=pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl"),
        ),
    ],
)
def test_the_example_is_valid_in_both_languages(
    partita: Partita, tmp_path: Path, client: str
) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    path = tmp_path / "examples/own-store/store.toml"
    path.write_text(path.read_text().replace("python3 client.py", client))
    schedule = "2s kill leader; 3s heal; 5s pause one; 6s heal"
    more = ["--time-limit", "9", "--schedule", schedule, "--local", "3", "--json"]
    done = partita("test", str(path), *more)
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["ok"] > 200
    assert [fault["bit"] for fault in outcome["faults"]] == [True, True]


@pytest.mark.cluster
def test_a_start_command_that_ends_at_once_is_said_at_once(
    partita: Partita, tmp_path: Path
) -> None:
    path = toml(tmp_path, **LEAST | {"start": "echo no licence; exit 1", "health": "false"})
    began = time.monotonic()
    done = partita("test", str(path), "--local", "1", "--time-limit", "1")
    assert done.returncode == 255
    assert "ended as soon as it was started" in done.stderr
    assert "no licence" in done.stderr
    assert time.monotonic() - began < 60


@pytest.mark.cluster
@pytest.mark.slow
def test_the_tutorial_typed_in_literally_works(tmp_path: Path) -> None:
    text = (ROOT / "docs/your-own-store.md").read_text()
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    # The first block is the store; those after it show single methods.
    written = [line for line in code[0].splitlines() if line.strip()]
    assert len(written) <= 40
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    (tmp_path / "mystore.py").write_text(code[0])
    commands = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    refusal = re.findall(r"```text\n(partita: .*?)```", text, re.DOTALL)[0]
    # A part of the time, which is enough, and keeps the tests short.
    short = [command.replace("--time-limit 30", "--time-limit 8") for command in commands]
    bin_folder = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = [
        subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env=os.environ | {"PATH": bin_folder},
            capture_output=True,
            text=True,
            check=False,
        )
        for command in short
    ]
    assert [each.returncode for each in done] == [254, 0, 1, 0], [each.stderr for each in done]
    assert done[0].stderr == refusal
    assert done[1].stdout.startswith("VALID")
    assert done[2].stdout.startswith("INVALID")
    assert "/report.html" in done[1].stdout.splitlines()[-1]


@pytest.mark.cluster
def test_a_client_that_prints_rubbish_makes_the_run_unknown_and_says_why(
    partita: Partita, tmp_path: Path
) -> None:
    # cat sends each request back, which is no answer.
    path = toml(tmp_path, **LEAST)
    done = partita("test", str(path), "--local", "1", "--time-limit", "2", "--rate", "20", "--json")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "most often: the client program printed no answer" in json.loads(done.stdout)["reason"]
