"""What pages, lists and comparisons say of a run that several checks have judged."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from judged_run import SHORT, found, write_judged
from synthetic_run import write_run

from partita.checker.checks import Judgement
from partita.reports import (
    RunError,
    brief_checks,
    check_sentences,
    compared,
    read_results,
    read_run,
    rows_of,
    write_all,
)
from partita.reports.sentences import verdict_sentence

STALE = "a read returned a value that was gone"
WEAKER = {"linearizable": False, "ordered-sequential": True, "sequential": True}


def linearizability(answer: bool | str, **more: Any) -> Judgement:
    return found("linearizability", {"linearizable": answer}, STALE, model="cas-register", **more)


def text_of(run: Path) -> str:
    html = write_all(run, ["html"])[-1].read_text().split("<body")[1].split("<script")[0]
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture
def weaker(tmp_path: Path) -> Path:
    """A run of a store whose reads are local, and that keeps what it promises of them."""
    return write_judged(
        tmp_path / "weaker",
        [linearizability(False), found("sessions", WEAKER, STALE)],
        promised={"linearizability": None, "sessions": "ordered-sequential"},
        options={"system": {"reads": "local"}, "workload": {"keys": 3}, "faults": {}},
    )


def test_a_weaker_promise_that_is_kept_is_valid_and_what_does_not_hold_is_said(
    weaker: Path,
) -> None:
    text = text_of(weaker)
    assert "Valid Sessions: ordered-sequential holds, as promised." in text
    assert f"Not linearizable, which is not promised: {STALE}." in text
    checked = text[text.index("What was checked") : text.index("What does not hold")]
    assert "nothing zookeeper, as it was run, promises none of it ✗ linearizable not judged" in (
        checked
    )
    assert "ordered-sequential promised by zookeeper as it was run" in checked
    assert "✗ linearizable ✓ ordered-sequential ✓ sequential holds" in checked
    assert checked.count(STALE) == 1
    assert "These operations show that it is not linearizable" in text
    assert "Why it is invalid" not in text
    assert "reads local workload register keys 3" in text


def test_pictures_show_what_does_not_hold(weaker: Path) -> None:
    names = {path.name for path in write_all(weaker, ["svg"])}
    assert "not-linearizable.svg" in names
    assert "violation.svg" not in names


def test_what_was_asked_for_with_an_option_is_said(tmp_path: Path) -> None:
    run = write_judged(
        tmp_path / "run",
        [linearizability(False), found("sessions", WEAKER, STALE)],
        promised={"linearizability": None, "sessions": "ordered-sequential"},
        expect={"linearizability": "linearizable"},
    )
    text = text_of(run)
    assert f"Invalid {STALE}" in text
    assert "linearizable asked for with --expect ✗ linearizable broken" in text
    assert "Why it is invalid" in text
    assert "expected linearizability=linearizable" in text
    assert "What does not hold, and was not asked for" not in text
    assert "violation.svg" in {path.name for path in write_all(run, ["svg"])}


def test_each_check_that_failed_has_its_pictures(tmp_path: Path) -> None:
    none = {"linearizable": False, "sequential": False}
    run = write_judged(
        tmp_path / "run",
        [linearizability(False), found("sessions", none, "4 came before 3", engine="versions")],
        promised={"linearizability": "linearizable", "sessions": "sequential"},
    )
    text = text_of(run)
    assert "The check sessions found, too: not sequential: 4 came before 3." in text
    assert "Not linearizable, which" not in text  # nobody asks for more where less is broken
    names = {path.name for path in write_all(run, ["svg"])}
    assert {"violation.svg", "violation-sessions.svg"} <= names


def test_only_real_time_is_said_to_forbid_an_order(tmp_path: Path) -> None:
    # A stale read of another session: real time forbids it, but sequential consistency does not.
    events = [
        {"time": 1e9, "type": "invoke", "process": 0, "f": "write", "value": 1, "key": 0},
        {"time": 2e9, "type": "ok", "process": 0, "f": "write", "value": 1, "key": 0},
        {"time": 3e9, "type": "invoke", "process": 1, "f": "read", "value": None, "key": 0},
        {"time": 4e9, "type": "ok", "process": 1, "f": "read", "value": None, "key": 0},
    ]
    lines = "".join(json.dumps(event | {"time": int(event["time"])}) + "\n" for event in events)
    for level, says in (("linearizable", True), ("sequential", False)):
        run = write_judged(tmp_path / level, [found("c", {level: False})], expect={"c": level})
        (run / "history.jsonl").write_text(lines)
        results = json.loads((run / "results.json").read_text()) | {"operations": 2}
        results["checks"]["c"]["refuted"][level]["counterexample"] = [0, 1]
        results["verdict"]["counterexample"] = [0, 1]
        (run / "results.json").write_text(json.dumps(results))
        text = text_of(run)
        assert "Why it is invalid" in text
        assert ("But it was the other way round" in text) is says


def test_the_sentence_of_a_check_that_holds_more_than_was_asked(tmp_path: Path) -> None:
    all_hold = dict.fromkeys(WEAKER, True)
    run = write_judged(
        tmp_path / "run",
        [linearizability(True), found("sessions", all_hold)],
        promised={"linearizability": "linearizable", "sessions": "sequential"},
    )
    results = read_run(run).results
    assert check_sentences(results) == {
        "linearizability": "linearizable holds, as promised",
        "sessions": "linearizable holds, which is more than sequential, the level promised",
    }
    assert verdict_sentence(results) == (
        f"All {results['ok']} acknowledged operations fit into one order that cas-register "
        "and real time allow. "
        "Sessions: linearizable holds, which is more than sequential, the level promised."
    )


@pytest.mark.parametrize(
    ("judgement", "expected", "sentence", "brief"),
    [
        (
            found("c", {"kept": "unknown"}, reason="time limit reached"),
            "kept",
            "nobody knows whether kept holds, which is promised: time limit reached",
            "unknown whether kept",
        ),
        (
            found("c", {"kept": "unknown"}, reason="time limit reached"),
            None,
            "nobody knows whether kept holds: time limit reached",
            "unknown (not promised)",
        ),
        (
            Judgement("c", {}, applies=False, reason="no operation has a version"),
            "kept",
            "not judged: no operation has a version",
            "not judged",
        ),
        (found("c", {"kept": True}), None, "kept holds", "kept (not asked for)"),
        (
            found("c", {"kept": False}, "two hold it"),
            "kept",
            "not kept, though that is promised: two hold it",
            "not kept",
        ),
        (
            found("c", {"high": False, "low": True}, "two hold it"),
            "high",
            "not high, though that is promised: two hold it; low holds",
            "not high",
        ),
    ],
)
def test_sentences_of_checks(
    tmp_path: Path, judgement: Judgement, expected: str | None, sentence: str, brief: str
) -> None:
    run = write_judged(tmp_path / "run", [judgement], promised={"c": expected})
    results = read_results(run)
    assert check_sentences(results) == {"c": sentence}
    assert brief_checks(results) == {"c": brief}
    assert write_all(run, ["html"])


def test_old_runs_have_no_checks_and_are_shown_as_before(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", SHORT)
    assert check_sentences(read_results(run)) == brief_checks(read_results(run)) == {}
    text = text_of(run)
    assert "What was checked" not in text
    assert "reads sync" in text


def test_the_list_of_runs_shows_each_check(weaker: Path) -> None:
    (row,) = rows_of(weaker.parent)
    assert row.checks == (
        ("linearizability", "not linearizable (not promised)"),
        ("sessions", "ordered-sequential"),
    )


def test_a_comparison_shows_the_checks_and_settings_of_both(weaker: Path, tmp_path: Path) -> None:
    rows = dict(compared([write_run(tmp_path / "old", SHORT), weaker])[0].rows)
    assert rows["sessions"] == ["—", "ordered-sequential"]
    assert rows["linearizability"] == ["—", "not linearizable (not promised)"]
    assert rows["reads"] == ["sync", "local"]
    assert rows["keys"] == ["—", "3"]
    assert next(iter(rows)) == "verdict"


def test_foreign_checks_are_refused(weaker: Path) -> None:
    results = json.loads((weaker / "results.json").read_text())
    results["checks"]["sessions"]["levels"] = {"sequential": "perhaps"}
    (weaker / "results.json").write_text(json.dumps(results))
    with pytest.raises(RunError, match="foreign"):
        read_results(weaker)


def test_which_operations_only_read_is_said_by_the_run(tmp_path: Path) -> None:
    peek = {"read": {"reads": False}, "write": {"reads": True}, "cas": {"reads": True}}
    judgement = [found("c", {"kept": True})]
    said = read_run(write_judged(tmp_path / "said", judgement, operations=peek))
    old = read_run(write_run(tmp_path / "old", SHORT))
    is_read = said.history.f == said.history.fs.index("read")
    ok = said.load.succeeded
    assert (said.load.wrote == (ok & is_read[: len(ok)])).all()
    assert (old.load.wrote == (old.load.succeeded & ~is_read[: len(ok)])).all()


def test_what_a_check_notes_stands_in_the_results_and_on_the_page(tmp_path: Path) -> None:
    note = "1 was put in more than once, so that the search decided"
    run = write_judged(tmp_path / "run", [linearizability(True, notes=(note,))])
    assert read_results(run)["notes"] == [note]
    assert f"{note}." in text_of(run)
