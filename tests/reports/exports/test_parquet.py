"""The history as Parquet: what stands in the file is what stands in the history."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from synthetic_run import NODES, Story, write_run

from partita.reports import read_run
from partita.reports.exports import export, parquet

COLUMNS = ("time", "type", "f", "key", "value", "node", "client", "error", "actual", "version")
ODD = [
    {"time": 0, "type": "info", "process": "monitor", "f": "began",
     "value": "2026-11-22T18:00:00.123456+00:00"},
    {"time": 10, "type": "invoke", "process": 0, "f": "cas", "key": "é\n", "value": [1, 2],
     "node": "n1", "due": 5, "client": "c1"},
    {"time": 11, "type": "invoke", "process": 1, "f": "txn", "key": None,
     "value": [["r", "x", None], ["append", 2, 2.5]], "node": "n2"},
    {"time": 12, "type": "event", "process": 1, "f": "told", "value": {"b": 1, "a": [True, None]},
     "key": "é\n", "version": 7, "node": "n2", "session": "0x1f"},
    {"time": 13, "type": "fail", "process": 0, "f": "cas", "key": "é\n", "value": [1, 2],
     "node": "n1", "error": "mismatch", "actual": 9, "version": 8, "client": "c1"},
    {"time": 14, "type": "invoke", "process": 2, "f": "read", "key": 3, "value": None, "due": 14,
     "node": "n1"},
    {"time": 15, "type": "ok", "process": 2, "f": "read", "key": 3, "value": 12345678901234567890,
     "node": "n1", "attempts": 3},
    {"time": 16, "type": "invoke", "process": 3, "f": "write", "key": 3, "value": "a\"b",
     "node": "n1"},
    {"time": 17, "type": "info", "process": "nemesis", "f": "partition", "value": None,
     "error": "no such host"},
    {"time": 18, "type": "info", "process": 1, "f": "txn", "key": None,
     "value": [["r", "x", None], ["append", 2, 2.5]], "node": "n2", "error": "timeout"},
]  # fmt: skip


def _run(directory: Path, events: Iterable[Mapping[str, Any]]) -> Path:
    directory.mkdir()
    lines = [json.dumps(event) for event in events]
    (directory / "history.jsonl").write_text("\n".join(lines) + "\n")
    spec = {"system": "own", "workload": "register", "nodes": NODES, "timeout": 5.0}
    (directory / "run.json").write_text(json.dumps(spec))
    return directory


def _read(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def _as_in_the_history(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event of the history that a row stands for, without what is null."""
    texts = {name: json.loads(row[name]) for name in ("key", "value", "actual") if row[name]}
    fields = json.loads(row["fields"]) if row["fields"] else {}
    due = {"due": row["due"]} if row["type"] == "invoke" else {}
    process = row["process_name"] if row["process"] is None else row["process"]
    event = {name: row[name] for name in COLUMNS} | texts | fields | due | {"process": process}
    return _said(event)


def _said(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if value is not None}


def _events(run: Path) -> list[dict[str, Any]]:
    """Return the events of a history file: when one was due, its invocation says."""
    events = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    for event in events:
        if event["type"] != "invoke":
            event.pop("due", None)
    return [_said(event) for event in events]


@pytest.mark.parametrize("events_a_time", [3, 131_072])
def test_what_is_read_back_is_the_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events_a_time: int
) -> None:
    monkeypatch.setattr(parquet, "EVENTS_A_TIME", events_a_time)
    runs = [write_run(tmp_path / "run", Story(seconds=20, cut=5, heal=12))]
    runs += [_run(tmp_path / "odd", ODD)]
    for run in runs:
        said = export(run, str(tmp_path / "h.parquet"), lambda *_: None)
        rows = _read(tmp_path / "h.parquet")
        assert [_as_in_the_history(row) for row in rows] == _events(run)
        assert said.startswith(f"{len(rows):,} events of ")


def test_which_events_belong_together(tmp_path: Path) -> None:
    run = _run(tmp_path / "odd", ODD)
    export(run, str(tmp_path / "h.parquet"), lambda *_: None)
    rows = _read(tmp_path / "h.parquet")
    together = [(row["operation"], row["invoked"], row["due"]) for row in rows]
    assert together == [
        (None, None, None),
        (0, None, 5),
        (1, None, None),
        (None, None, None),
        (0, 10, 5),
        (2, None, 14),
        (2, 14, 14),
        (3, None, None),
        (None, None, None),
        (1, 11, None),
    ]
    assert [row["wall_time"].isoformat() for row in rows][:2] == [
        "2026-11-22T18:00:00.123456+00:00",
        "2026-11-22T18:00:00.123456+00:00",
    ]


def test_a_run_that_does_not_say_when_it_began_has_no_wall_time(tmp_path: Path) -> None:
    run = _run(tmp_path / "odd", ODD[1:])
    export(run, str(tmp_path / "h.parquet"), lambda *_: None)
    assert {row["wall_time"] for row in _read(tmp_path / "h.parquet")} == {None}


def test_all_runs_have_one_schema(tmp_path: Path) -> None:
    runs = [_run(tmp_path / "none", []), _run(tmp_path / "odd", ODD)]
    for number, run in enumerate(runs):
        export(run, str(tmp_path / f"{number}.parquet"), lambda *_: None)
    schemas = [pq.read_schema(tmp_path / f"{number}.parquet") for number in range(2)]
    assert schemas[0].equals(schemas[1])
    assert pq.read_table(tmp_path / "0.parquet").num_rows == 0


def test_a_long_history_takes_little_memory_beside_its_own(tmp_path: Path) -> None:
    """Converting it costs no more for ten batches than for one: they are not kept."""
    events = (
        {"time": 2 * n + end, "type": ("invoke", "ok")[end], "process": 0, "f": "write",
         "key": n % 7, "value": n, "node": "n1"}
        for n in range(40_000) for end in (0, 1)
    )  # fmt: skip
    run = _run(tmp_path / "long", events)
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from partita.reports import read_run\n"
        "from partita.reports.exports import parquet\n"
        "parquet.EVENTS_A_TIME = 8_000\n"
        "run, target = read_run(Path(sys.argv[1])), Path(sys.argv[2])\n"
        "def held(*_): peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        "peaks = []; parquet.write(run, target, held); held()\n"
        "print(*peaks)"
    )
    command = [sys.executable, "-c", script, str(run), str(tmp_path / "h.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peaks = [int(word) for word in done.stdout.split()]
    assert len(peaks) == 11
    assert peaks[-1] - peaks[2] < 10_000  # kB
    assert pq.read_table(tmp_path / "h.parquet", columns=["operation"]).num_rows == 80_000
    assert len(read_run(run).history) == 40_000
