"""`partita check`, as it is typed."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conftest import Partita
from histories import register_events
from test_check import STALE, endless, read, write

from partita.checker import History, ModelError, fitting_model, vacuous

OWN = """
class Model:
    name = "own"
    initial = 0
    def step(self, state, op):
        {step}
"""

DATACLASS = """
from __future__ import annotations
from dataclasses import dataclass
@dataclass(frozen=True)
class State:
    value: int | None
"""


def stored(path: Path, events: list[dict[str, Any]]) -> Path:
    History.of_events(events).write(path)
    return path


@pytest.fixture
def stale(tmp_path: Path) -> Path:
    return stored(tmp_path / "stale.jsonl", STALE)


def test_json_has_everything_that_programs_need(partita: Partita, stale: Path) -> None:
    done = partita("check", "--json", str(stale))
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    expected = {"valid": False, "engine": "chain", "model": "cas-register", "operations": 3}
    assert expected.items() <= found.items()
    assert found["keys"] == 1 and found["reason"] is None
    assert 0 < found["seconds"] < 5 and 0 < found["load_seconds"] < 5
    assert 10 < found["peak_memory_mb"] < 500
    assert "stale" in found["counterexample"]["explanation"]
    assert [op["f"] for op in found["counterexample"]["operations"]] == ["write", "write", "read"]


def test_words_fit_the_terminal(partita: Partita, stale: Path) -> None:
    done = partita("check", "stale.jsonl")
    assert done.stdout.startswith("INVALID  stale.jsonl\n")
    assert "process 1  read of 1" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_reads_that_were_not_recorded_are_said(partita: Partita, tmp_path: Path) -> None:
    events = [
        {"process": 0, "type": type_, "f": "read", "value": None} for type_ in ("invoke", "ok")
    ]
    stored(tmp_path / "h.jsonl", events)
    done = partita("check", "--initial", "5", "--model", "cas-register", "h.jsonl")
    assert done.returncode == 0
    assert "1 reads of null were taken for values that were not recorded" in done.stdout
    assert "not recorded" not in partita("check", "h.jsonl").stdout


def test_a_violation_is_drawn(partita: Partita, tmp_path: Path, stale: Path) -> None:
    done = partita("check", "stale.jsonl", "--html", "page.html")
    assert (done.returncode, done.stderr) == (1, "")
    assert "was stale" in (tmp_path / "page.html").read_text()
    refused = partita("check", "stale.jsonl", "stale.jsonl", "--html", "page.html")
    assert refused.returncode == 254 and "one FILE" in refused.stderr


def test_no_file_of_the_users_is_written_over(
    partita: Partita, tmp_path: Path, stale: Path
) -> None:
    (tmp_path / "link.html").symlink_to("stale.jsonl")
    (tmp_path / "own.html").write_text("<!doctype html>\n<title>Mine</title>\n")
    for option in ("--html", "--order"):
        for name in ("stale.jsonl", "link.html", "own.html"):
            before = (tmp_path / name).read_bytes()
            done = partita("check", "stale.jsonl", option, name)
            assert (done.returncode, done.stdout) == (254, "")
            kind = option.removeprefix("--").replace("html", "page")
            assert done.stderr == (
                f"partita: {name} is there already, and is no {kind} that could be written anew: "
                "choose another name\n"
            )
            assert (tmp_path / name).read_bytes() == before


def test_a_page_and_an_order_are_written_anew(
    partita: Partita, tmp_path: Path, stale: Path
) -> None:
    line = ("check", "stale.jsonl", "--html", "page.html", "--order", "order.txt")
    assert partita(*line).returncode == 1
    files = [tmp_path / "page.html", tmp_path / "order.txt"]
    before = [file.read_bytes() for file in files]
    assert all(before)
    assert partita(*line).returncode == 1
    assert [file.read_bytes() for file in files] == before
    swapped = partita("check", "stale.jsonl", "--html", "order.txt", "--order", "page.html")
    assert swapped.returncode == 254
    assert [file.read_bytes() for file in files] == before


def test_a_page_and_an_order_want_two_files(partita: Partita, tmp_path: Path, stale: Path) -> None:
    done = partita("check", "stale.jsonl", "--html", "both", "--order", "./both")
    assert (done.returncode, done.stdout) == (254, "")
    assert done.stderr == "partita: --html and --order name the same file: both\n"
    assert not (tmp_path / "both").exists()


def test_the_worst_of_several_files_decides(partita: Partita, tmp_path: Path, stale: Path) -> None:
    good = stored(tmp_path / "good.edn", [*write(0, 1), *read(0, 1)])
    done = partita("check", str(good), str(stale), str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.startswith(f"VALID  {good}\n")
    assert "this directory is no run" in done.stderr
    assert partita("check", str(good)).returncode == 0
    assert partita("check", str(good), str(tmp_path)).returncode == 254
    unknown = stored(tmp_path / "unknown.jsonl", endless(0))
    assert partita("check", "--time-limit", "0.5", unknown.name).returncode == 2
    assert partita("check", "--time-limit", "0.5", unknown.name, "nothing").returncode == 254


def test_limits_make_it_unknown(partita: Partita, tmp_path: Path) -> None:
    path = stored(tmp_path / "h.jsonl", endless(0))
    done = partita("check", "--json", "--time-limit", "0.5", str(path))
    assert done.returncode == 2
    assert json.loads(done.stdout)["reason"].startswith("time limit reached")
    done = partita("check", "--json", "--memory-limit", "1MB", str(path))
    assert done.returncode == 2
    assert "memory limit reached while reading" in json.loads(done.stdout)["reason"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.jsonl"], "nothing.jsonl: No such file or directory"),
        (["empty.jsonl"], "empty.jsonl: nothing to check: no operation is in it"),
        (["failed.jsonl"], "nothing to check: all 1 operations failed"),
        (["odd.jsonl"], "no model is known for these operations (fly)"),
        (["--model", "mutex", "stale.jsonl"], "model mutex does not fit the history"),
        (["--model", "counter", "words.jsonl"], "is 'add' with value \"x\""),
        (["--model", "set", "words.jsonl"], "is 'read' with value null and answer 3"),
        (["--model", "set", "--initial", "1", "words.jsonl"], "set starts with a list, not with 1"),
        (["--model", "x.py:Y", "stale.jsonl"], "there is no file x.py"),
        (["--initial", "zero", "stale.jsonl"], "'zero' is not JSON"),
        (["--initial", "NaN", "stale.jsonl"], "'NaN' is not JSON"),
        (["--initial", "[" * 5000, "stale.jsonl"], "is not JSON"),
        (["--engine", "chain", "--model", "mutex", "stale.jsonl"], "for registers only"),
        (["--engine", "quick", "stale.jsonl"], "'quick' is not one of"),
        (["--time-limit", "0", "stale.jsonl"], "--time-limit"),
        (["--memory-limit", "much", "stale.jsonl"], "'much' is no size: write 500MB"),
        (["--time-limit", "nan", "stale.jsonl"], "nan is no number of use here"),
        (["--time-limit", "inf", "stale.jsonl"], "inf is not in the range"),
        (["--time-limit", "1e300", "stale.jsonl"], "1e+300 is not in the range"),
        (["--memory-limit", "99999999999GB", "stale.jsonl"], "no machine has so many bytes"),
        (["--memory-limit", "9" * 400, "stale.jsonl"], "no machine has so many bytes"),
        (["--memory-limit", "0.5", "stale.jsonl"], "'0.5' is no size"),
        (["--recover", "--model", "append", "run"], "not with --model"),
        (["--recover", "--time-limit", "1", "--json", "run"], "not with --time-limit"),
        (["--recover", "--html", "page.html", "run"], "not with --html"),
        (["--recover", "--no-keyed", "run"], "not with --keyed"),
        (["--html", "nowhere/page.html", "stale.jsonl"], "cannot write nowhere/page.html"),
        (["--html", "program/page.html", "words.jsonl"], "cannot write program/page.html"),
        ([b"bad\xff.jsonl"], "'bad\\udcff.jsonl': the name of this file is not UTF-8"),
        (["cas.jsonl"], "operation 0 is 'cas' with value null"),
        (["--keyed", "words.jsonl"], "not keyed"),
        (["--keyed", "stale.jsonl"], "operations have a field key"),
        (["--executor", "ray://x", "stale.jsonl"], "only dask://HOST:PORT is known"),
        (["--model", "own.py:Model", "--initial", "1", "stale.jsonl"], "initial"),
        (["program"], "program, line 1: not JSON"),
        ([], "Missing argument"),
    ],
)
def test_mistakes_are_one_clear_line(
    partita: Partita, tmp_path: Path, stale: Path, arguments: list[Any], message: str
) -> None:
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "own.py").write_text(OWN.format(step="return state"))
    (tmp_path / "bad\udcff.jsonl").write_bytes(stale.read_bytes())
    (tmp_path / "program").write_bytes(Path(sys.executable).read_bytes()[:5000])
    op = {"process": 0, "f": "write", "value": 1}
    failed = [{**op, "type": "invoke"}, {**op, "type": "fail"}]
    stored(tmp_path / "failed.jsonl", failed)
    words = [{**op, "f": "add", "value": "x", "type": type_} for type_ in ("invoke", "ok")]
    stored(tmp_path / "words.jsonl", [*words, *read(0, 3)])
    stored(tmp_path / "cas.jsonl", [{**op, "f": "cas", "value": None, "type": "invoke"}])
    stored(tmp_path / "odd.jsonl", [{**op, "f": "fly", "type": "invoke"}])
    done = partita("check", *arguments)
    assert done.returncode == 254, done.stdout + done.stderr
    assert message in done.stderr
    assert done.stderr.startswith("partita: ") and done.stderr.count("\n") == 1
    assert not done.stdout


@pytest.mark.parametrize(
    ("step", "code", "message"),
    [
        ("return state", 0, ""),
        ("raise KeyError('in the model')", 255, "KeyError: 'in the model'"),
        ("return [1]", 254, "must be hashable"),
    ],
)
def test_a_model_of_ones_own(
    partita: Partita, tmp_path: Path, stale: Path, step: str, code: int, message: str
) -> None:
    (tmp_path / "own.py").write_text(OWN.format(step=step))
    done = partita("check", "--model", "own.py:Model", str(stale))
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert ("Traceback" in done.stderr) == (code == 255)


def test_a_cas_may_be_another_thing_to_a_model_of_ones_own(
    partita: Partita, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN.format(step="return None"))
    stored(tmp_path / "h.jsonl", [{**each, "f": "cas"} for each in write(0, 5)])
    done = partita("check", "--model", "own.py:Model", "h.jsonl")
    assert (done.returncode, done.stderr) == (1, "")
    assert "Process 0's cas 5" in done.stdout


@pytest.mark.parametrize("value", [5, [5], [5, 6, 7]])
def test_such_a_cas_is_drawn(partita: Partita, tmp_path: Path, value: Any) -> None:
    (tmp_path / "own.py").write_text(OWN.format(step="return None"))
    stored(tmp_path / "h.jsonl", [{**each, "f": "cas"} for each in write(0, value)])
    done = partita("check", "--model", "own.py:Model", "h.jsonl", "--html", "page.html")
    assert (done.returncode, done.stderr) == (1, "")
    assert "<svg" in (tmp_path / "page.html").read_text()


def test_a_step_that_never_returns_does_not_keep_the_process(
    partita: Partita, tmp_path: Path, stale: Path
) -> None:
    (tmp_path / "own.py").write_text(OWN.format(step="print(flush=True)\n        while True: pass"))
    arguments = ("check", "--model", "own.py:Model", stale.name)
    done = partita(*arguments, "--time-limit", "0.3", timeout=20)
    assert (done.returncode, done.stderr) == (2, "")
    assert "UNKNOWN" in done.stdout
    command = [sys.executable, "-m", "partita", *arguments]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()  # the step was entered
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert (process.returncode, said.strip()) == (2, "partita: interrupted")


@pytest.mark.parametrize(
    ("events", "note"),
    [
        (write(0, 1), "nothing was ever read"),
        ([*write(0, 1), *read(0, 1)], None),
        ([{**each, "f": "put"} for each in write(0, "x")], "nothing was ever read"),
        ([{**each, "f": "release"} for each in write(0, 1)], None),
        ([{**each, "f": f} for f in ("put", "take") for each in write(0, 1)], None),
        ([*write(0, 1), *read(0, 1)[:1]], "no read ever succeeded"),
    ],
)
def test_a_history_that_proves_nothing(events: list[dict[str, Any]], note: str | None) -> None:
    found = vacuous(History.of_events(events))
    assert found == note if note is None else note in (found or "")


@pytest.mark.parametrize(
    ("events", "model"),
    [
        (write(0, 1), "cas-register"),
        (read(0, 1), None),
        (read(0, [1]), None),
        ([{**each, "f": "add"} for each in write(0, 1)], None),
        ([*({**each, "f": "add"} for each in write(0, 1)), *read(0, 1)], "counter"),
        ([*({**each, "f": "add"} for each in write(0, 1)), *read(0, [1])], "append"),
    ],
)
def test_the_operations_choose_the_model(events: list[dict[str, Any]], model: str | None) -> None:
    history = History.of_events(events)
    if model is not None:
        assert fitting_model(history) == model
        return
    with pytest.raises(ModelError, match="name one with --model"):
        fitting_model(history)


def test_histories_travel_both_ways(partita: Partita, tmp_path: Path) -> None:
    for seed in range(4):
        events = register_events(Random(seed), 7, unique=True)
        codes = set()
        for name in ("h.jsonl", "h.edn"):
            path = stored(tmp_path / name, events)
            done = partita("check", "--mismatch", "ignore", "--model", "cas-register", str(path))
            codes.add(done.returncode)
        assert len(codes) == 1 and codes < {0, 1}


def test_dask_checks_keys(partita: Partita, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is an optional extra")
    (tmp_path / "own.py").write_text(DATACLASS + OWN.format(step="return State(1)"))
    events = [*write(7, 1, "other"), *STALE]
    path = stored(tmp_path / "h.jsonl", events)
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as own:
        address = own.scheduler_address.replace("tcp://", "dask://")
        done = partita("check", "--json", "--executor", address, str(path))
        with_model = ("check", "--model", "own.py:Model", "--executor", address)
        own_model = partita(*with_model, str(path))
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["counterexample"]["key"] == "stale"
    assert (own_model.returncode, own_model.stderr) == (0, "")
    done = partita("check", "--executor", "dask://127.0.0.1:9", str(path))
    assert done.returncode == 254
    assert "no scheduler answers there" in done.stderr
