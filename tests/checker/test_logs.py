"""The check `logs`: panics in logs, what was asked for, and processes that ended by themselves."""

import json
from pathlib import Path
from typing import Any

import pytest

from partita.checker import History
from partita.checker.logs import ALARM, ENDED, LEVEL, PROCESS, SCANNED, Logs

SCAN = (SCANNED, {"node": "n1", "file": "output.log", "lines": 40, "excused": []})
SPOILT = (SCANNED, {"node": "n1", "file": "output.log", "lines": 40, "excused": ["disk-error"]})
PANIC = {
    "node": "n1",
    "file": "output.log",
    "line": 17,
    "text": "panic: \tboom  now",
    "asked": False,
}


def judged(folder: Path, *events: tuple[str, Any]) -> Any:
    lines = [
        {"time": 1, "type": "info", "process": PROCESS, "f": f, "value": value}
        for f, value in events
    ]
    path = folder / "history.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Logs().judge(History.read(path), (LEVEL,))


def test_logs_without_an_alarm_are_quiet(tmp_path: Path) -> None:
    answer = judged(tmp_path, SCAN, SCAN)
    assert (answer.levels, answer.default) == ({LEVEL: True}, LEVEL)
    assert answer.figures == {"lines": 80, "told": [], "excused": []}


def test_without_logs_nothing_is_judged(tmp_path: Path) -> None:
    assert not judged(tmp_path).applies


def test_a_panic_is_told_with_its_place(tmp_path: Path) -> None:
    answer = judged(tmp_path, SCAN, (ALARM, PANIC), (ALARM, PANIC | {"line": 18}))
    assert (answer.levels, answer.default) == ({LEVEL: False}, LEVEL)
    assert answer.found[LEVEL].explanation == (
        "Line 17 of output.log on n1 says: panic: boom now. There is 1 more."
    )


def test_a_process_that_ended_by_itself(tmp_path: Path) -> None:
    answer = judged(tmp_path, SCAN, (ENDED, {"node": "n2", "last": "exit status 2"}))
    assert answer.levels == {LEVEL: False}
    assert answer.found[LEVEL].explanation == (
        "The process on n2 was gone in the end, though no fault had ended it; "
        "it said last: exit status 2."
    )


def test_logs_that_are_quiet_all_the_same_are_quiet(tmp_path: Path) -> None:
    answer = judged(tmp_path, SPOILT)
    assert (answer.levels, answer.default) == ({LEVEL: True}, LEVEL)


@pytest.mark.parametrize("event", [(ALARM, PANIC), (ENDED, {"node": "n2", "last": ""})])
def test_who_lost_its_disk_may_end_itself(event: tuple[str, Any], tmp_path: Path) -> None:
    answer = judged(tmp_path, SPOILT, event)
    # It is told, and nothing was asked: the level that is expected is none.
    assert (answer.levels, answer.default) == ({LEVEL: False}, None)
    assert answer.figures["excused"] == ["disk-error"]


def test_what_the_user_asked_for_counts_whatever_was_done(tmp_path: Path) -> None:
    asked = PANIC | {"asked": True, "text": "data race"}
    answer = judged(tmp_path, SPOILT, (ALARM, PANIC), (ALARM, asked))
    assert (answer.levels, answer.default) == ({LEVEL: False}, LEVEL)
    assert "data race" in answer.found[LEVEL].explanation
