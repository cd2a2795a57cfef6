"""What is installed is one package, which gets into nobody's way.

The wheel is built and installed into an empty environment in which packages called `harness`,
`checker` and `reports` are another team's, as they are in the folder where that team works.
"""

import json
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest
from installation import REPOSITORY, Environment, build_wheel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FOLDERS = ("checker", "harness", "nemesis", "reports", "workloads")
STALE = """
{"type": "invoke", "process": 0, "f": "write", "value": 1, "time": 1}
{"type": "ok", "process": 0, "f": "write", "value": 1, "time": 2}
{"type": "invoke", "process": 0, "f": "read", "value": null, "time": 3}
{"type": "ok", "process": 0, "f": "read", "value": 2, "time": 4}
"""
THEIR_TEST = """
import harness
import checker
import pytest
from partita.harness.pytest_plugin import HarnessFailure

def test_their_packages_are_theirs():
    assert (harness.OWNER, checker.OWNER) == ("team", "team")

def test_the_fixture_reaches_the_command(partita):
    with pytest.raises(HarnessFailure):
        partita("no-such-store")
"""
THEIR_RUN = """
def test_a_store(partita):
    assert partita("raft", local=3, time_limit=3)["valid"] is True
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def team(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A team's environment, with packages of theirs that are called like folders of ours."""
    environment = Environment(tmp_path_factory.mktemp("environment") / "venv")
    _packages(environment.packages, "elsewhere")
    environment.install(wheel)
    return environment


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the team works."""
    _packages(tmp_path, "team")
    return tmp_path


def _packages(folder: Path, owner: str) -> None:
    for name in FOLDERS:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"OWNER = {owner!r}\n")


def test_the_wheel_holds_one_package_with_all_that_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (declared,) = (name for name in names if name.endswith("entry_points.txt"))
        points = ConfigParser()
        points.optionxform = str  # type: ignore[assignment,method-assign]
        points.read_string(archive.read(declared).decode())
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"partita"}
    there = {
        f"partita/{path.relative_to(REPOSITORY)}"
        for folder in FOLDERS
        for path in (REPOSITORY / folder).rglob("*")
        if path.suffix in (".py", ".pyi", ".html", ".css", ".js")
    }
    assert there <= names
    assert "partita/py.typed" in names
    assert any(name.startswith("partita/checker/_native.") and ".so" in name for name in names)
    server = {path.name for path in (REPOSITORY / "examples/raft").glob("*.py")}
    assert "partita/harness/findings/etcd-missed-delete.toml" in names
    assert {f"partita/harness/systems/raft_server/{name}" for name in server} <= names
    assert server
    assert "partita/harness/commands/maelstrom_raft/raft.py" in names
    assert points["console_scripts"]["partita"] == "partita.harness.cli:main"
    assert points["pytest11"]["partita"] == "partita.harness.pytest_plugin"
    assert "etcd" in points["partita.systems"]
    assert not [name for name in names if name.endswith((".cpp", ".h"))]


def test_their_packages_stay_theirs(team: Environment, folder: Path) -> None:
    ask = "import partita.harness, harness, checker; print(harness.OWNER, checker.OWNER)"
    assert team.run(["python", "-c", ask], folder).stdout == "team team\n"
    assert team.run(["python", "-P", "-c", ask], folder).stdout == "elsewhere elsewhere\n"


@pytest.mark.parametrize("command", [["partita"], ["python", "-m", "partita"]])
def test_a_history_is_checked_there(team: Environment, folder: Path, command: list[str]) -> None:
    (folder / "history.jsonl").write_text(STALE)
    done = team.run([*command, "check", "history.jsonl"], folder)
    assert done.returncode == 1, done.stderr
    assert "Nothing ever wrote 2" in " ".join(done.stdout.split())


def test_all_that_there_is_can_be_loaded_there(team: Environment, folder: Path) -> None:
    listed = json.loads(team.run(["partita", "list", "--json"], folder).stdout)
    assert {"etcd", "raft", "register"} <= {each["name"] for each in listed}
    assert [each for each in listed if each["problem"] or each["source"] != "partita"] == []


def test_their_tests_use_the_fixture(team: Environment, folder: Path) -> None:
    (folder / "test_store.py").write_text(THEIR_TEST)
    done = team.run(["python", "-m", "pytest", "-q"], folder)
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.cluster
def test_a_run_is_made_there(team: Environment, folder: Path) -> None:
    (folder / "test_store.py").write_text(THEIR_RUN)
    done = team.run(["python", "-m", "pytest", "-q"], folder)
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    (page,) = folder.glob("runs/raft-register/*/report.html")
    assert "</html>" in page.read_text()[-100:]
