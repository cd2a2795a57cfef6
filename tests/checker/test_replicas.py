"""The check `replicas`: what nodes have in the end, each by itself."""

import json
from pathlib import Path
from typing import Any

import pytest

from partita.checker import History
from partita.checker.replicas import COMPARED, DIFFERS, LEVEL, NOT_READY, PROCESS, Replicas


def judged(folder: Path, *rounds: tuple[dict[str, dict[str, Any]], dict[str, str]]) -> Any:
    """Judge rounds, each of what differs, by key and node, and of who was not ready."""
    events: list[tuple[str, Any]] = []
    for differing, not_ready in rounds:
        nodes = [node for node in ("n1", "n2", "n3") if node not in not_ready]
        events.append((COMPARED, {"nodes": nodes, "keys": 5, "marked": 1.0}))
        events += [(NOT_READY, not_ready)] if not_ready else []
        events += [(DIFFERS, {"key": k, "values": values}) for k, values in differing.items()]
    lines = [
        {"time": (number + 1) * 10**9, "type": "info", "process": PROCESS, "f": f, "value": value}
        for number, (f, value) in enumerate(events)
    ]
    path = folder / "history.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Replicas().judge(History.read(path), (LEVEL,))


def test_nodes_that_all_have_the_same_agree(tmp_path: Path) -> None:
    answer = judged(tmp_path, ({}, {}))
    assert answer.levels == {LEVEL: True}
    assert answer.figures == {"nodes": ["n1", "n2", "n3"], "keys": 5, "rounds": 1, "differing": 0}


def test_a_history_without_a_comparison_is_not_judged(tmp_path: Path) -> None:
    answer = judged(tmp_path)
    assert not answer.applies and answer.levels == {}


def test_nodes_that_stay_apart_behind_a_later_mark_disagree(tmp_path: Path) -> None:
    apart = {"r1": {"n1": "7", "n2": "7", "n3": None}}
    answer = judged(tmp_path, (apart, {}), (apart, {}))
    assert answer.levels == {LEVEL: False}
    text = answer.found[LEVEL].explanation
    assert 'n1 and n2 have "7" and n3 has nothing under "r1"' in text
    assert "at 1.000 s and again at 3.000 s" in text
    assert "with" not in text.rpartition("behind.")[2]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"n1": "7", "n2": "7", "n3": "5"}, {"n1": "8", "n2": "8", "n3": "7"}),  # it catches up
        ({"n1": "7", "n2": "5", "n3": "5"}, {"n1": "7", "n2": "7", "n3": "6"}),
        ({"n1": "7", "n2": "5", "n3": "5"}, {"n1": "8", "n2": "5", "n3": "5"}),  # a late write
    ],
)
def test_nodes_that_still_change_are_no_violation(
    first: dict[str, str], second: dict[str, str], tmp_path: Path
) -> None:
    answer = judged(tmp_path, ({"r1": first}, {}), ({"r1": second}, {}))
    assert answer.levels == {LEVEL: "unknown"}
    assert 'nodes still changed under "r1"' in str(answer.reason)
    # In the next round they agree: then all is well.
    answer = judged(tmp_path, ({"r1": first}, {}), ({"r1": second}, {}), ({}, {}))
    assert answer.levels == {LEVEL: True}


def test_one_round_alone_is_no_violation(tmp_path: Path) -> None:
    answer = judged(tmp_path, ({"r1": {"n1": "7", "n2": "5", "n3": "5"}}, {}))
    assert answer.levels == {LEVEL: "unknown"}


def test_who_is_still_behind_is_not_blamed(tmp_path: Path) -> None:
    behind = {"n3": "within 30 s it did not show a write of before"}
    answer = judged(tmp_path, ({}, behind))
    assert answer.levels == {LEVEL: "unknown"}
    assert str(answer.reason).startswith("n3 could not be compared with the others: within 30 s")
    # Others that disagree are a violation all the same.
    apart = {"r1": {"n1": "7", "n2": "5"}}
    answer = judged(tmp_path, (apart, behind), (apart, behind))
    assert answer.levels == {LEVEL: False}


def test_lists_are_told_by_what_one_lacks(tmp_path: Path) -> None:
    apart = {"list0": {"n1": "[1,2,3,4,5,6,7,8]", "n2": "[1]", "n3": "[1]"}}
    more = {f"list{number}": {"n1": "[1]", "n2": "[]", "n3": "[1]"} for number in (1, 2)}
    answer = judged(tmp_path, (apart | more, {}), (apart | more, {}))
    text = answer.found[LEVEL].explanation
    assert (
        "n1 has 8 elements and n2 and n3 have 1 elements, without 2, 3, 4, 5, 6 and 2 more" in text
    )
    assert "So it is with 2 more keys." in text
    assert answer.figures["differing"] == 3
