"""`partita report` and `partita compare`, as a user runs them."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import Partita
from synthetic_run import Story, write_run

from partita.harness.cli import partita as group
from partita.reports import RunError, compared


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    directory = tmp_path_factory.mktemp("runs")
    stories = [Story(seconds=30, cut=8, heal=20), Story(seconds=30, cut=8, heal=20, election=4)]
    return [write_run(directory / f"run{n}", story) for n, story in enumerate(stories)]


def test_report_draws_what_it_is_asked_for(runs: list[Path]) -> None:
    found = CliRunner().invoke(group, ["report", str(runs[0]), "--format", "trace, svg"])
    assert found.exit_code == 0, found.output
    names = {Path(line).name for line in found.output.splitlines()}
    assert {"trace.json", "latency.svg"} <= names
    assert not any(name.endswith((".png", ".html")) for name in names)
    assert json.loads((runs[0] / "trace.json").read_text())["traceEvents"]


def test_report_refuses_an_unknown_format(runs: list[Path]) -> None:
    found = CliRunner().invoke(group, ["report", str(runs[0]), "--format", "gif"])
    assert found.exit_code != 0
    assert "no format 'gif': choose of png, svg, html, trace" in found.output


def test_compare_prints_a_table_and_writes_a_page(runs: list[Path], tmp_path: Path) -> None:
    page = tmp_path / "comparison.html"
    command = ["compare", *map(str, runs), "--html", str(page)]
    found = CliRunner().invoke(group, command)
    assert found.exit_code == 0, found.output
    row = next(line for line in found.output.splitlines() if line.startswith("slowest first write"))
    assert row.split()[3:] == ["8.7", "s", "3.7", "s"]
    html = page.read_text()
    assert "run0" in html
    assert "<svg" in html


def test_a_comparison_replaces_no_file_but_a_page(
    runs: list[Path], tmp_path: Path, partita: Partita
) -> None:
    history = runs[0] / "history.jsonl"
    before = history.read_bytes()
    done = partita("compare", *map(str, runs), "--html", str(history))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (254, "", 1)
    assert f"{history} is there already, and is no page" in done.stderr
    assert history.read_bytes() == before
    for _ in range(2):
        assert partita("compare", *map(str, runs), "--html", "page.html").returncode == 0


def test_what_cannot_be_written_is_one_line(
    runs: list[Path], tmp_path: Path, partita: Partita
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs[0], run)
    for name in ("latency.png", "trace.json", "report.html"):
        (run / name).unlink(missing_ok=True)
        (run / name).mkdir()
        done = partita("report", str(run), "--format", "png,trace,html")
        assert (done.returncode, done.stderr.count("\n")) == (254, 1)
        assert f"cannot write {run / name}: Is a directory" in done.stderr
        (run / name).rmdir()


def test_runs_that_cannot_be_compared(runs: list[Path], tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", Story(seconds=5, cut=None, workload="append"))
    with pytest.raises(RunError, match="different workloads cannot be compared"):
        compared([runs[0], other])
    with pytest.raises(RunError, match="two runs at least"):
        compared(runs[:1])
    with pytest.raises(RunError, match="no run directory"):
        compared([runs[0], tmp_path])
