"""The ring in what contradicts: found wherever the checker finds a contradiction, and true."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partita.checker import History, check
from partita.reports import Picture, write_violation
from partita.reports.violations.contradiction import Contradiction, contradiction_of
from partita.reports.violations.pictures import contradiction_in_time
from partita.reports.violations.violation import violation


def events(*ops: tuple[int, str, Any, float, float, str, Any]) -> list[dict[str, Any]]:
    """Process, f, input, invoked (s), completed (s), outcome, output."""
    made = []
    for process, f, value, begin, end, outcome, output in ops:
        common = {"process": process, "f": f, "value": value, "node": f"n{process + 1}"}
        made.append({**common, "time": round(begin * 1e9), "type": "invoke"})
        done = output if f == "read" else value
        made.append({**common, "time": round(end * 1e9), "type": outcome, "value": done})
    return sorted(made, key=lambda event: event["time"])


STALE = events(
    (0, "write", 17, 1.0, 1.01, "ok", None),
    (1, "cas", [17, 18], 1.9, 1.95, "ok", None),
    (2, "read", None, 2.101, 2.104, "ok", 17),
)


def test_a_stale_read_had_to_come_before_the_cas_that_was_over() -> None:
    history = History.of_events(STALE)
    found = contradiction_of(history, [0, 1, 2])
    assert found.order == (0, 2, 1)
    assert [(link.before, link.after) for link in found.needed] == [(2, 1)]
    assert found.needed[0].reason == (
        "process 2's read of 17 came before process 1's cas from 17 to 18, "
        "for it needs 17, which the cas replaced"
    )
    assert found.forbidden is not None
    assert found.forbidden.reason == (
        "process 1's cas from 17 to 18 was over at 1.950 s, "
        "before process 2's read of 17 was invoked at 2.101 s"
    )


def test_a_lost_element_had_to_be_added_after_the_read() -> None:
    history = History.of_events(
        events(
            (0, "add", 1, 1.0, 1.1, "ok", None),
            (1, "add", 2, 1.0, 1.1, "ok", None),
            (2, "read", None, 2.0, 2.1, "ok", [2]),
        )
    )
    verdict = check(history, "append")
    assert verdict.counterexample
    found = contradiction_of(history, verdict.counterexample.operations)
    assert [(link.before, link.after) for link in found.needed] == [(2, 0)]
    assert "has no 1" in found.needed[0].reason


def test_values_written_twice_are_not_used() -> None:
    history = History.of_events(
        events(
            (0, "write", 1, 1, 2, "ok", None),
            (1, "write", 1, 3, 4, "ok", None),
            (2, "read", None, 5, 6, "ok", 1),
        )
    )
    assert contradiction_of(history, [0, 1, 2]).forbidden is None


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Up to seven operations on a register whose written values all differ, mostly invalid."""
    count, ops = draw(st.integers(2, 7)), []
    for process in range(count):
        begin = draw(st.integers(0, 12))
        end = begin + 0.5 + draw(st.integers(0, 5))
        f = draw(st.sampled_from(["write", "read", "read", "cas"]))
        seen = draw(st.sampled_from([None, *range(count)]))
        value = {"write": process, "read": None, "cas": [seen, process]}[f]
        outcome = draw(st.sampled_from(["ok", "ok", "ok", "info"])) if f != "read" else "ok"
        ops.append((process, f, value, begin + process / 100, end + process / 100, outcome, seen))
    return History.of_events(events(*ops))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_every_ring_is_true(history: History) -> None:
    verdict = check(history, "cas-register")
    if verdict.counterexample is None:
        # Whatever certainly happened in a valid history stands in an order: there is no ring.
        certain = [op.index for op in history if op.outcome == "ok"]
        assert not verdict.valid or contradiction_of(history, certain).forbidden is None
        return
    found = contradiction_of(history, verdict.counterexample.operations)
    assert sorted(found.order) == sorted(found.rows)
    explained = "ever wrote" in verdict.counterexample.explanation
    assert explained or "ring" in verdict.counterexample.explanation or found.forbidden
    if found.forbidden:
        assert_ring(history, found)


def assert_ring(history: History, found: Contradiction) -> None:
    assert found.forbidden
    links = [*found.needed, found.forbidden]
    for link, following in zip(links, [*links[1:], links[0]], strict=True):
        assert link.after == following.before
    for link in links:
        if link.kind == "time":
            assert history.completed_rank[link.before] < history.invoked_rank[link.after]
    place = {row: at for at, row in enumerate(found.order)}
    assert place[found.forbidden.after] < place[found.forbidden.before]
    assert all(place[link.before] < place[link.after] for link in found.needed)


@pytest.mark.parametrize("clock", [True, False])
def test_a_page_about_a_history_of_any_origin(tmp_path: Path, clock: bool) -> None:
    stored = STALE if clock else [{**event, "time": -1} for event in STALE]
    history = History.of_events(stored)
    page = tmp_path / "violation.html"
    assert write_violation(history, check(history, "cas-register"), page, "stale.jsonl")
    html = page.read_text()
    assert "returned a value that was gone" in html
    assert "But it was the other way round" in html
    assert html.count("<svg") == 2


def test_a_valid_history_has_no_such_page(tmp_path: Path) -> None:
    history = History.of_events(STALE[:4])
    page = tmp_path / "violation.html"
    assert not write_violation(history, check(history, "cas-register"), page, "valid.jsonl")
    assert not page.exists()


def test_operations_on_several_keys_are_told_apart_and_hold_no_common_value() -> None:
    stored = [event | {"key": event["process"] % 2} for event in STALE]
    history = History.of_events(stored)
    parts = list(violation(history, [0, 1, 2], ordered=False))
    (picture,) = [part for part in parts if isinstance(part, Picture)]
    texts = [text.get_text() for text in picture.figure.axes[0].texts]
    assert any(text.startswith("write 17 of key 0 ") for text in texts)
    assert not any(text.startswith("holds") for text in texts)
    assert "register holds" not in picture.caption


def test_what_an_operation_answered_stands_in_the_table() -> None:
    taken = [
        {"time": 1, "type": "invoke", "process": 0, "f": "dequeue", "value": None, "key": 0},
        {"time": 2, "type": "ok", "process": 0, "f": "dequeue", "value": 41, "key": 0},
    ]
    *_, html = violation(History.of_events(taken), [0], ordered=False)
    assert "<td>41</td>" in str(html)


def test_a_picture_says_what_failed() -> None:
    write, read = (0, "write", 2, 1.0, 1.1, "fail", None), (1, "read", None, 1.2, 1.3, "ok", 2)
    history = History.of_events(events(write, read))
    figure = contradiction_in_time(history, contradiction_of(history, [0, 1]), [])
    said = [text.get_text() for text in figure.axes[0].texts]
    assert any("write 2" in each and "failed" in each for each in said), said
    assert not any("read" in each and "failed" in each for each in said)
