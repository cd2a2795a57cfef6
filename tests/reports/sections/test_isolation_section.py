"""Pages of transactions: the models that hold, each anomaly in words, and its picture."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, watched
from judged_run import write_judged
from transactions_told import Event, concurrent, sequential

from partita.checker import History, Verdict
from partita.checker.transactions.analysis import Analysis
from partita.checker.transactions.engine import analyse
from partita.checker.transactions.transactions import Transactions
from partita.reports import write_all, write_violation

SKEW = [*concurrent("rx_ ay1", "ry_ ax1"), *sequential("rx1 ry1", process=5)]
# The second read misses what the first one saw: in real time, and in the order of its process.
STALE = [*sequential("ax1"), *sequential("rx1", "rx_", process=5)]
ABORTED = [*concurrent("fail:ax1"), *concurrent("rx1", start=5)]


def page(directory: Path, events: list[Event], expect: str | None = None) -> str:
    timed = [event | {"time": 1_000_000 * place} for place, event in enumerate(events, 1)]
    check = Transactions()
    history = History.of_events(timed)
    expected = {"transactions": expect} if expect else {}
    judgement = check.judge(history, check.levels)
    run = write_judged(directory, [judgement], expect=expected, promised={})
    (run / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in timed))
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(results | {"operations": len(history)}))
    return write_all(run, ["html"])[-1].read_text()


def cell(model: str, sign: str) -> str:
    return f"<b>{sign}</b> {model}"


def test_models_anomalies_and_the_cycle(tmp_path: Path) -> None:
    html = page(tmp_path / "run", SKEW, "serializable")
    told = html[html.index("Isolation of the transactions") :]
    assert cell("serializable", "✗") in told
    assert cell("snapshot-isolation", "✓") in told
    assert f'<td class="valid strongest">{cell("strong-snapshot-isolation", "✓")}' in told
    assert cell("update-serializable", "?") in told
    assert "The strongest that can still hold: strong-snapshot-isolation or" in told
    assert "T2 read y as [], without the 1 that T1 appended." in told
    picture = told[told.index('id="anomaly-g2-item"') :]
    assert "rw x: nothing → 1" in picture and "rw y: nothing → 1" in picture
    # The general section would draw them as operations on one register.
    assert "Why it is invalid" not in html and "These operations show" not in html


def test_the_table_of_checks_has_the_models_that_matter(tmp_path: Path) -> None:
    html = page(tmp_path / "run", SKEW, "serializable")
    checks = html[html.index("What was checked") : html.index("Isolation of the transactions")]
    shown = re.findall(r'<span class="level [a-z]*"><b>(.)</b> ([a-z-]+)', checks)
    assert shown == [("✗", "serializable"), ("✓", "strong-snapshot-isolation")]


def test_what_does_not_hold_and_was_not_asked_for_is_shown_here_too(tmp_path: Path) -> None:
    html = page(tmp_path / "run", STALE, "serializable")
    assert cell("serializable", "✓") in html and cell("strict-serializable", "✗") in html
    assert "G-single-process" in html
    assert "What does not hold, and was not asked for" not in html


def test_an_anomaly_without_a_cycle_has_a_picture_where_there_are_two(tmp_path: Path) -> None:
    html = page(tmp_path / "run", ABORTED)
    picture = html[html.index('id="anomaly-g1a"') :]
    assert "wr x: 1" in picture and "failed" in picture


def test_where_nothing_was_found_it_is_said_what_decided(tmp_path: Path) -> None:
    html = page(tmp_path / "run", sequential("ax1", "rx1"))
    assert "2 committed transactions were put in order by values. No anomaly was found." in html


def test_of_a_run_that_decides_nothing_no_models_are_shown(tmp_path: Path) -> None:
    assert "Isolation of the transactions" not in page(tmp_path / "run", sequential("ax1"))


def test_what_was_found_until_a_limit_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(history: History, **given: Any) -> Analysis:
        found = analyse(history, **given)
        anomalies = {name: replace(each, at_least=True) for name, each in found.anomalies.items()}
        return replace(found, anomalies=anomalies, decided=False, reason="time limit reached")

    monkeypatch.setattr("partita.checker.transactions.transactions.analyse", cut_short)
    told = page(tmp_path / "run", SKEW)
    told = told[told.index("Isolation of the transactions") :]
    assert "The check was cut short: this was found until then, and there may be more." in told
    assert '<td class="n">at least 1</td>' in told and 'id="anomaly-g2-item"' in told
    assert cell("serializable", "✗") in told and cell("snapshot-isolation", "?") in told


def test_a_page_of_a_file_alone_has_the_same(tmp_path: Path) -> None:
    check = Transactions()
    history = History.of_events(SKEW)
    judgement = check.judge(history, check.levels)
    verdict = Verdict(
        False, "dependencies", "transactions", 3, 2, 0.0,
        counterexample=judgement.found["serializable"], details=judgement.figures,
    )  # fmt: skip
    path = tmp_path / "page.html"
    assert write_violation(history, verdict, path, "skew.edn")
    with chromium() as browser:
        seen = watched(browser)
        seen.page.goto(path.as_uri())
        box = seen.page.locator("#anomaly-g2-item svg").bounding_box()
        size = seen.page.locator("#anomaly-g2-item svg text.step").first.evaluate(
            "each => each.getBoundingClientRect().height"
        )
        assert not seen.errors
    # Letters are about as large as those of the text, and the picture fits into the page.
    assert 11 <= size <= 20
    assert box["width"] <= 1200
