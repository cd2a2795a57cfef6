"""How old reads were, measured on a history in which it can be counted."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from judged_run import write_judged

from partita.checker import History
from partita.checker.sessions.sessions import Sessions
from partita.reports import read_run, write_all
from partita.reports.sections.staleness import Stale

SECOND = 1_000_000_000


def event(at: float, kind: str, process: int, f: str, value: Any, version: int | None) -> Any:
    known = {"version": version} if kind == "ok" and version is not None else {}
    node = f"n{process + 1}"
    fixed = {"time": round(at * SECOND), "type": kind, "process": process, "f": f, "key": 0}
    return fixed | known | {"node": node, "value": value}


def operation(at: float, process: int, f: str, value: Any, version: int | None) -> list[Any]:
    invoked = None if f == "read" else value
    return [
        event(at, "invoke", process, f, invoked, None),
        event(at + 0.1, "ok", process, f, value, version),
    ]


def stored(directory: Path, *operations: list[Any]) -> Path:
    events = [each for both in operations for each in both]
    judgement = Sessions().judge(History.of_events(events), Sessions.levels)
    run = write_judged(directory, [judgement], promised={"sessions": "sequential"})
    (run / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(results | {"operations": len(operations)}))
    return run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return stored(
        tmp_path / "run",
        operation(1, 0, "write", 7, 1),
        operation(2, 0, "write", 8, 2),  # known from 2.1 s on
        operation(3, 1, "read", 8, 2),
        operation(4.1, 2, "read", 7, 1),  # 2 s later
    )


def test_shares_and_ages_stand_on_the_page(run: Path) -> None:
    html = write_all(run, ["html"])[-1].read_text()
    told = html[html.index("<h2>How old reads were") :]
    assert "1 of 2 reads were." in told
    assert '<td>n2</td><td class="n">1</td><td class="n">0</td>' in told
    row = told[told.index("<td>n3</td>") :]
    assert row.startswith('<td>n3</td><td class="n">1</td><td class="n">1</td>')
    assert "100.0%" in row[:120]
    assert "2.0\N{NO-BREAK SPACE}s" in row[:180]


def test_the_picture_has_each_stale_read_at_its_time_and_age(run: Path) -> None:
    (picture,) = [each for each in Stale().draw(read_run(run)) if not isinstance(each, str)]
    panels = picture.figure.axes
    assert len(panels) == 5
    points = [panel.lines[0].get_xydata() for panel in panels]
    assert [len(each) for each in points] == [0, 0, 1, 0, 0]
    np.testing.assert_allclose(points[2], [[4.1, 2000]])


def test_where_nothing_is_stale_a_sentence_says_so(tmp_path: Path) -> None:
    current = [operation(1, 0, "write", 7, 1), operation(2, 1, "read", 7, 1)]
    run = stored(tmp_path / "run", *current)
    html = write_all(run, ["html"])[-1].read_text()
    assert "None of the 1 reads was stale" in html
    assert "staleness.svg" not in html


def test_a_run_without_versions_says_nothing_of_it(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", operation(1, 0, "write", 7, None))
    assert not Stale().applies(read_run(run))
