"""`partita check --expect`, and runs: judged by the checks that were asked for, by name."""

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Partita
from test_check import endless

from partita.checker import History
from partita.harness.commands.asked import of_run

Line = dict[str, Any]


def op(process: int, f: str, value: Any, answer: Any, version: int) -> list[Line]:
    shared = {"process": process, "f": f, "key": "x"}
    done = {"type": "ok", "value": answer if f == "read" else value, "version": version}
    return [{**shared, "type": "invoke", "value": value}, {**shared, **done}]


# A read that is behind what another session has written: allowed to ZooKeeper's local reads.
STALE = [
    *op(0, "write", 1, None, 5),
    *op(0, "write", 2, None, 7),
    *op(1, "read", None, 1, 5),
    *op(1, "read", None, 2, 7),
    *op(0, "cas", [2, 3], None, 9),
]
# What one session has seen it must not lose sight of.
BACK = [*STALE, *op(1, "read", None, 1, 5)]


@pytest.fixture
def stale(tmp_path: Path) -> str:
    return written(tmp_path / "stale.jsonl", STALE)


def written(path: Path, events: list[Line]) -> str:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path.name


@pytest.mark.parametrize(
    ("expect", "code"),
    [
        ((), 1),
        (("linearizable",), 1),
        (("linearizability=linearizable",), 1),
        (("sessions=ordered-sequential",), 0),
        (("sequential",), 0),
        (("sessions=sequential", "linearizability=linearizable"), 1),
    ],
)
def test_a_level_may_be_asked_for(
    partita: Partita, stale: str, expect: tuple[str, ...], code: int
) -> None:
    options = [word for each in expect for word in ("--expect", each)]
    done = partita("check", stale, *options)
    assert done.returncode == code, done.stdout + done.stderr


def test_what_holds_is_told(partita: Partita, stale: str) -> None:
    done = partita("check", stale, "--expect", "sessions=sequential", "--json")
    found = json.loads(done.stdout)
    assert found["checks"]["sessions"]["holds"] == "ordered-sequential"
    assert "not linearizable, which was not asked for" in found["notes"][0]
    done = partita("check", stale, "--expect", "sessions=sequential")
    assert "sessions: ordered-sequential holds, sequential expected" in done.stdout


def test_a_session_that_goes_back_is_no_order(partita: Partita, tmp_path: Path) -> None:
    back = written(tmp_path / "back.jsonl", BACK)
    done = partita("check", back, "--expect", "sessions=sequential")
    assert done.returncode == 1
    assert "INVALID" in done.stdout


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("sequental", "there is no such level: choose from"),
        ("session=sequential", "a history is not judged by 'session', but by bank, convergence, "),
        ("sessions=linear", "there is no such level"),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    partita: Partita, stale: str, expect: str, said: str
) -> None:
    done = partita("check", stale, "--expect", expect)
    assert (done.returncode, done.stderr.count("\n")) == (254, 1), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize(
    ("settle", "said"),
    [
        ("nan", "nan is no number of use here"),
        ("-1", "must be at least 0 and at most 100,000, not -1"),
        ("1e300", "must be at least 0 and at most 100,000, not 1e+300"),
        ("long", "'long' is no number"),
    ],
)
def test_settings_of_checks_have_their_bounds(
    partita: Partita, stale: str, settle: str, said: str
) -> None:
    done = partita("check", stale, "--expect", "convergence=eventual", "--settle", settle)
    assert (done.returncode, done.stdout) == (254, "")
    assert done.stderr == f"partita: Invalid value for '--settle': {said}\n"


RUN: Line = {
    "format": 2, "system": "zookeeper", "workload": "register", "nodes": ["n1"], "timeout": 5.0,
    "seed": 1, "promised": {}, "expect": {}, "arguments": {},
}  # fmt: skip


def run_of(folder: Path, run: str, results: Line | None = None) -> None:
    (folder / "run").mkdir()
    (folder / "run/run.json").write_text(run)
    (folder / "run/results.json").write_text(json.dumps(results or {"doubts": []}))
    written(folder / "run/history.jsonl", STALE)


@pytest.mark.parametrize(
    ("promised", "expect", "code"),
    [
        ({"linearizability": None, "sessions": "ordered-sequential"}, (), 0),
        ({"linearizability": None, "sessions": "linearizable"}, (), 1),
        ({}, (), 1),
        ({"linearizability": None, "sessions": "sequential"}, ("--expect", "linearizable"), 1),
    ],
)
def test_a_run_is_judged_by_what_it_was_promised(
    partita: Partita, tmp_path: Path, promised: Line, expect: tuple[str, ...], code: int
) -> None:
    run_of(tmp_path, json.dumps(RUN | {"promised": promised}))
    done = partita("check", "run", *expect)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ("5", "holds no JSON object"),
        (json.dumps(RUN)[:-9], "cannot be read"),
        ("\0\1", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        (json.dumps(RUN | {"format": 99}), "was written by a newer Partita"),
        *(
            (json.dumps(RUN | {name: value}), "run.json is foreign: Expected")
            for name, value in (
                ("arguments", 7),
                ("arguments", {"workload": {"x": 1}}),
                ("expect", 7),
                ("operations", 7),
                ("operations", {"read": 7}),
                ("promised", 7),
                ("promised", {"linearizability": 7}),
                ("workload", 7),
            )
        ),
    ],
)
def test_a_foreign_run_is_one_line_that_names_its_history(
    partita: Partita, tmp_path: Path, run: str, said: str
) -> None:
    run_of(tmp_path, run)
    done = partita("check", "run")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (254, "", 1), done.stderr
    assert said in done.stderr
    assert done.stderr.endswith(": partita check run/history.jsonl checks its history alone\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"workload": None}, "is foreign"),
        ({"arguments": {"keys": {"x": 1}}}, "--keys: {'x': 1} is no whole number"),
    ],
)
def test_settings_of_a_run_that_are_foreign_are_one_line(
    partita: Partita, tmp_path: Path, more: Line, said: str
) -> None:
    run_of(tmp_path, json.dumps(RUN | more))
    done = partita("check", "run")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (254, "", 1), done.stderr
    assert said in done.stderr


def test_doubts_that_are_foreign_are_none(partita: Partita, tmp_path: Path) -> None:
    run_of(tmp_path, json.dumps(RUN), results={"doubts": 7})
    assert partita("check", "run").returncode == 1


PUT_TWICE = [
    {"process": 0, "type": type_, "f": f, "value": value}
    for f, asked, answer in (
        ("enqueue", 1, 1), ("enqueue", 1, 1), ("dequeue", None, 1), ("dequeue", None, 1),
    )
    for type_, value in (("invoke", asked), ("ok", answer))
]  # fmt: skip


def test_the_model_is_that_of_the_history_and_notes_are_told(
    partita: Partita, tmp_path: Path
) -> None:
    name = written(tmp_path / "queue.jsonl", PUT_TWICE)
    done = partita("check", name, "--expect", "linearizability=linearizable", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["model"], told["engine"]) == (0, "fifo-queue", "search")
    (note,) = [note for note in told["notes"] if "more than once" in note]
    assert note.startswith("1 was put in more than once, as by process 0's enqueue 1")
    assert note.endswith("so that the search decided")
    assert note in told["checks"]["linearizability"]["notes"]


def test_the_limit_of_time_holds_for_a_run_too() -> None:
    given = {"time_limit": 0.3, "memory_limit": None}
    asked = of_run({"workload": "queue", "promised": {}}, [], given)
    verdict, _, rows = asked.answer(History.of_events(endless(0)))
    assert verdict.valid == "unknown"
    assert "time limit reached" in rows["linearizability"]["reason"]


def test_a_violation_that_only_events_show_has_no_operations_to_list(
    partita: Partita, tmp_path: Path
) -> None:
    told = {"type": "event", "process": 7, "value": None, "key": "a"}
    seen = [{**told, "time": time, "f": f} for time, f in enumerate(("arm", "fire", "fire"))]
    read = {"process": 1, "f": "read", "key": "b", "value": None}
    reads = [{**read, "time": 3, "type": type_} for type_ in ("invoke", "ok")]
    file = written(tmp_path / "fires.jsonl", [*seen, *reads])
    result = partita("check", file)  # it knows a history of watches when it sees one
    assert result.returncode == 1, result.stderr
    assert "none was armed: each fires once" in " ".join(result.stdout.split())


def done_once(tmp_path: Path, f: str, **told: Any) -> str:
    common = {"process": 1, "f": f, "key": "a", "value": None}
    lines = [{**common, "type": "invoke", "time": 1}, {**common, "type": "ok", "time": 2, **told}]
    return written(tmp_path / "bare.jsonl", lines)


@pytest.mark.parametrize(
    ("f", "knows"), [("acquire", "holders"), ("campaign", "holders"), ("ephemeral", "leases")]
)
def test_locks_elections_and_leases_are_known_by_their_operations(
    partita: Partita, tmp_path: Path, f: str, knows: str
) -> None:
    done = partita("check", "--json", done_once(tmp_path, f, version=7))
    assert done.returncode == 2, done.stderr  # so little shows nothing
    assert list(json.loads(done.stdout)["checks"]) == [knows]


def test_locks_without_tokens_are_a_mutex(partita: Partita, tmp_path: Path) -> None:
    done = partita("check", "--json", done_once(tmp_path, "acquire"))
    assert (done.returncode, json.loads(done.stdout)["model"]) == (0, "mutex"), done.stderr
