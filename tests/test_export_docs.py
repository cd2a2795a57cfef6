"""docs/export.md: what it tells readers to run is run."""

import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from synthetic_run import Story, write_run

from partita.reports.exports import export

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/export.md").read_text()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "run"
    return write_run(folder, Story(seconds=20, cut=5, heal=12, election=2))


def test_the_query(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export(run, str(tmp_path / "history.parquet"), lambda *_: None)
    (query,) = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    found = duckdb.sql(query)
    assert found.columns == ["second", "n3", "n4", "n5"]  # n1 and n2 were cut off
    waits = {second: [ms for ms in row if ms is not None] for second, *row in found.fetchall()}
    assert list(waits) == [2, 3, 4, 5, 6, 7]  # for two seconds nobody led
    assert 1500 < max(waits[2]) < 2500
    assert max(waits[6] + waits[7]) < 100


def test_every_column_is_explained(run: Path, tmp_path: Path) -> None:
    from partita.reports.exports.parquet import SCHEMA

    rows = re.findall(r"^\| (`[a-z_]+`(?:, `[a-z_]+`)*) \|", PAGE, re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row)]
    assert explained == SCHEMA.names


def test_the_picture(run: Path, tmp_path: Path) -> None:
    export(run, str(tmp_path / "spans.jsonl"), lambda *_: None)
    command = [sys.executable, str(ROOT / "examples/export/draw.py"), "spans.jsonl", "trace.png"]
    subprocess.run([*command, "4", "13"], cwd=tmp_path, check=True)
    assert (tmp_path / "trace.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "trace.png").stat().st_size > 10_000
