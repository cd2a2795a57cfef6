"""How often commits were refused, counted on a history in which it is known."""

import json
from pathlib import Path
from typing import Any

from judged_run import write_judged

from partita.checker import History
from partita.checker.checks import Judgement
from partita.reports import read_run
from partita.reports.figures.contention import contention_of
from partita.reports.sections.contention import Contention


def operation(outcome: str, retries: int | None, error: str | None = None) -> list[dict[str, Any]]:
    both = {"process": 0, "f": "txn", "key": None, "value": [["r", "x", None]]}
    more: dict[str, Any] = {} if retries is None else {"retries": retries}
    more |= {} if error is None else {"error": error}
    return [{"type": "invoke", **both}, {"type": outcome, **both, **more}]


def events() -> list[dict[str, Any]]:
    operations = [
        operation("ok", 0), operation("ok", 0), operation("ok", 3),
        operation("fail", 5, "mismatch"), operation("fail", None, "no connection"),
        operation("info", None, "timeout"),
    ]  # fmt: skip
    return [each for both in operations for each in both]


def test_attempts_are_counted_and_what_nobody_knows_is_left_out() -> None:
    assert contention_of(History.of_events(events())) == {
        "attempts": 1 + 1 + 4 + 6, "committed": 3, "given_up": 1,
        "commit_rate": 0.25, "retries_per_commit": 1.0, "retries": {0: 2, 3: 1}, "folded": 0,
    }  # fmt: skip


def test_without_retries_there_is_nothing_to_say() -> None:
    assert contention_of(History.of_events(operation("ok", None))) is None
    refused = contention_of(History.of_events(operation("fail", 2, "mismatch")))
    assert refused is not None
    assert refused["retries_per_commit"] is None
    assert refused["commit_rate"] == 0.0


def drawn(directory: Path, events: list[dict[str, Any]]) -> str | None:
    run = write_judged(directory, [Judgement("transactions", {})])
    (run / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    stored = read_run(run)
    return " ".join(map(str, Contention().draw(stored))) if Contention().applies(stored) else None


def test_the_page_tells_it(tmp_path: Path) -> None:
    text = drawn(tmp_path / "run", events())
    assert text is not None
    assert "3 of 12 attempts were committed (25.0%), with 1.00 retries per commit" in text
    assert '<td class="n">3</td><td class="n">1</td>' in text
    assert "G1b" not in text


def test_the_page_tells_what_nobody_can_have_seen(tmp_path: Path) -> None:
    text = drawn(tmp_path / "run", [each | {"folded": 7} for each in operation("ok", 0)])
    assert text is not None
    assert "So 7 writes were sent as one with a later write" in text


def test_a_run_without_retries_has_no_such_section(tmp_path: Path) -> None:
    assert drawn(tmp_path / "run", operation("ok", None)) is None
