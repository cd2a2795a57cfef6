"""The five plug-ins of `examples/plugins/`, installed by pip and used, as their users would.

They lie in a folder of the tests' own that only these commands look into: Partita itself, and all
other tests, know nothing of them.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

PLUGINS = Path(__file__).resolve().parents[1] / "examples/plugins"
FOLDERS = ("system", "workload", "fault", "model", "section")

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    # Copies: a build leaves files behind.
    sources = tmp_path_factory.mktemp("sources") / "plugins"
    subprocess.run(["cp", "-r", PLUGINS, sources], check=True)
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    pip += ["--no-deps", "--no-build-isolation", "--target", str(target)]
    subprocess.run([*pip, *(str(sources / name) for name in FOLDERS)], check=True)
    return target


@pytest.fixture
def run(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `partita ARGUMENT…` where the plug-ins are installed."""
    monkeypatch.setenv("PYTHONPATH", str(installed))

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "partita", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


def results(run: Run, *arguments: str) -> dict[str, Any]:
    done = run("test", *arguments, "--local", "3", "--json")
    assert done.returncode in (0, 1, 2), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def history(path: Path, events: Sequence[tuple[int, str, str, int | None]]) -> str:
    rows = [
        json.dumps({"process": process, "type": kind, "f": f, "value": value, "time": time})
        for time, (process, kind, f, value) in enumerate(events)
    ]
    path.write_text("\n".join(rows))
    return str(path)


def test_all_of_them_are_listed_with_a_line_of_their_own(run: Run) -> None:
    listed = json.loads(run("list", "--json").stdout)
    theirs = {each["name"]: each for each in listed if each["source"] != "partita"}
    assert {name: each["kind"] for name, each in theirs.items()} == {
        "relay": "systems",
        "ids": "workloads",
        "unique": "checks",
        "lossy": "faults",
        "high-water": "models",
        "slowest": "sections",
    }
    assert all(each["summary"] and not each["problem"] for each in theirs.values())


def test_their_settings_are_options(run: Run) -> None:
    said = run("test", "relay", "--workload", "ids", "--nemesis", "lossy-one", "--help").stdout
    for option in ("--cache", "--careless", "--lossy-percent"):
        assert option in said
    done = run("test", "relay", "--port", "80")
    assert (done.returncode, done.stderr) == (
        254,
        "partita: --port: must be at least 1024 and at most 65,535, not 80\n",
    )


def test_a_history_is_checked_by_the_model(run: Run, tmp_path: Path) -> None:
    rises = [(0, "invoke", "raise", 5), (0, "ok", "raise", 5)]
    rises += [(0, "invoke", "raise", 3), (0, "ok", "raise", 3), (1, "invoke", "read", None)]
    right = history(tmp_path / "right.jsonl", [*rises, (1, "ok", "read", 5)])
    wrong = history(tmp_path / "wrong.jsonl", [*rises, (1, "ok", "read", 3)])
    assert run("check", "--model", "high-water", right).returncode == 0
    done = run("check", "--model", "high-water", wrong)
    assert done.returncode == 1
    assert "read" in done.stdout
    strange = history(tmp_path / "strange.jsonl", [(0, "invoke", "push", 1), (0, "ok", "push", 1)])
    done = run("check", "--model", "high-water", strange)
    assert done.returncode == 254
    assert done.stderr.startswith("partita: ")
    assert done.stderr.endswith("model high-water knows raise and read, not 'push'\n")


@pytest.mark.cluster
def test_a_run_of_them_together(run: Run, tmp_path: Path) -> None:
    """The system, driven by the workload, under the fault, judged by the check, on the page."""
    schedule = ["--schedule", "2s lossy all percent=30; 7s heal", "--time-limit", "10"]
    found = results(run, "relay", "--workload", "ids", *schedule)
    assert found["valid"] is True, found["reason"]
    assert found["checks"]["unique"]["holds"] == "unique"
    assert found["checks"]["unique"]["figures"]["taken"] > 100
    (fault,) = found["faults"]
    assert fault["bit"]
    assert "lossy" in json.dumps(fault)
    page = (tmp_path / found["run"] / "report.html").read_text()
    assert "Slowest operations" in page
    assert "<td>take None on last-id</td>" in page
    spec = json.loads((tmp_path / found["run"] / "run.json").read_text())
    assert spec["options"]["system"] == {"port": 7070, "cache": False}
    assert spec["options"]["workload"] == {"careless": False}


@pytest.mark.cluster
def test_the_check_finds_a_careless_taker(run: Run) -> None:
    found = results(
        run, "relay", "--workload", "ids", "--careless", "--rate", "200", "--time-limit", "3"
    )
    assert found["valid"] is False
    assert "were both given" in found["reason"]


@pytest.mark.cluster
def test_what_the_system_does_not_promise_is_shown_and_not_judged(run: Run) -> None:
    quick = ["--time-limit", "3", "--rate", "200", "--cache"]
    found = results(run, "relay", *quick)
    assert found["valid"] is not False
    assert any("not linearizable, which is not promised" in each for each in found["notes"])
    found = results(run, "relay", *quick, "--expect", "linearizable")
    assert found["valid"] is False


@pytest.mark.cluster
def test_a_crash_of_the_node_that_has_the_registers_loses_them(run: Run) -> None:
    found = results(run, "relay", "--schedule", "2s kill leader; 4s heal", "--time-limit", "7")
    assert found["valid"] is False
