"""`partita export`, as a user runs it: what it says, and what it leaves alone."""

import os
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from conftest import Partita
from synthetic_run import Story, write_run

from partita.harness.cli import code_of
from partita.harness.cli import partita as group
from partita.reports import exports, read_run
from partita.reports.exports import ExportError


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", Story(seconds=10, cut=None))


def _export(run: Path, to: Path | str) -> tuple[int | None, str]:
    """Return the exit code and what was said."""
    found = CliRunner().invoke(group, ["export", str(run), "--to", str(to)])
    error = found.exception
    if error is None or isinstance(error, SystemExit):
        return found.exit_code, found.output
    return code_of(error), str(error)


def test_it_says_what_it_wrote(run: Path, tmp_path: Path, partita: Partita) -> None:
    done = partita("export", str(run), "--to", str(tmp_path / "history.parquet"))
    events = pq.read_table(tmp_path / "history.parquet").num_rows
    operations = len(read_run(run).history)
    said = f"{events:,} events of {operations:,} operations in {tmp_path / 'history.parquet'}\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")
    for _ in range(2):  # an export may be written anew
        code, output = _export(run, tmp_path / "spans.jsonl")
        assert code == 0
        assert output.endswith(f" spans in {tmp_path / 'spans.jsonl'}\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["history.parquet", "spans.jsonl"]


def test_bad_input_is_one_line(run: Path, partita: Partita) -> None:
    done = partita("export", str(run), "--to", "spans.gif")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1)
    assert "--to spans.gif: this names no kind of export: give a FILE.parquet" in done.stderr


def test_no_file_is_lost(run: Path, tmp_path: Path) -> None:
    history = (run / "history.jsonl").read_bytes()
    code, said = _export(run, run / "history.jsonl")
    assert (code, (run / "history.jsonl").read_bytes()) == (254, history)
    assert "is there already, and is no export" in said
    (tmp_path / "folder.parquet").mkdir()
    assert _export(run, tmp_path / "folder.parquet")[0] == 254
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert _export(run, tmp_path / "pipe.jsonl")[0] == 254
    code, said = _export(run, tmp_path / "none" / "spans.jsonl")
    assert (code, "spans.jsonl: No such file or directory: choose" in said) == (254, True)


def test_an_export_that_breaks_off_leaves_the_old_one(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from partita.reports.exports import spans

    for name in ("history.parquet", "spans.jsonl"):
        target = tmp_path / name
        assert _export(run, target)[0] == 0
        before = target.read_bytes()
        full = OSError(28, "No space left on device")
        with monkeypatch.context() as patched:
            patched.setattr(spans.Spans, "__len__", _raising(full))
            patched.setattr("partita.reports.exports.parquet.Events.batch", _raising(full))
            code, said = _export(run, target)
        assert (code, "No space left on device" in said) == (254, True)
        assert target.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 2


def _raising(error: Exception) -> object:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_a_link_stays_a_link(run: Path, tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "there.jsonl")
    assert _export(run, tmp_path / "link.jsonl")[0] == 0
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "there.jsonl").read_bytes().startswith(b'{"resourceSpans":')


@pytest.mark.parametrize(
    ("target", "missing"),
    [
        ("history.parquet", "pyarrow"),
        ("spans.jsonl", "opentelemetry"),
        ("http://127.0.0.1:1", "opentelemetry"),
    ],
)
def test_without_the_extra(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, missing: str
) -> None:
    for name in [*sys.modules]:
        if name.startswith(("pyarrow", "opentelemetry", "partita.reports.exports.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    to = target if "//" in target else str(tmp_path / target)
    with pytest.raises(ExportError, match=rf"needs {missing}.*: pip install 'partita\[export\]'"):
        exports.export(run, to, lambda *_: None)
    assert list(tmp_path.iterdir()) == []
