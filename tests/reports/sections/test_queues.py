"""The page of a queue's run: each element that became something else, with its operations."""

import json
from pathlib import Path
from typing import Any

from judged_run import write_judged

from partita.checker import History
from partita.checker.delivery import Delivery, odd_elements
from partita.reports import fates, read_run, write_all
from partita.reports.sections.queues import Queues

SECOND = 1_000_000_000


def operation(at: float, process: int, f: str, value: Any, outcome: str = "ok") -> list[Any]:
    fixed = {"process": process, "f": f, "node": f"n{process + 1}"}
    asked = value if f == "enqueue" else None
    return [
        fixed | {"time": round(at * SECOND), "type": "invoke", "value": asked},
        fixed | {"time": round((at + 0.4) * SECOND), "type": outcome, "value": value},
    ]


def of(*operations: list[Any]) -> list[Any]:
    return [event for both in operations for event in both]


def stored(directory: Path, events: list[Any]) -> Path:
    history = History.of_events(events)
    judgement = Delivery().judge(history, Delivery.levels)
    run = write_judged(directory, [judgement])
    (run / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in events))
    results = json.loads((run / "results.json").read_text())
    known = {"acknowledged": judgement.figures["acknowledged"], "operations": len(history)}
    (run / "results.json").write_text(json.dumps(results | known | dict(judgement.figures)))
    return run


PUTS = of(*(operation(number, 0, "enqueue", 100 + number) for number in range(1, 6)))
ODD = [
    *PUTS,
    *of(
        operation(7, 1, "dequeue", 102),  # before 101
        operation(8, 1, "dequeue", 101),
        operation(9, 2, "dequeue", 103),
        operation(10, 2, "dequeue", 103),
        operation(11, 1, "dequeue", 999),
        operation(12, 1, "dequeue", 104),
        operation(13, 2, "dequeue", None),  # so 105 was lost
    ),
]


def test_each_odd_element_is_told_with_its_operations(tmp_path: Path) -> None:
    told = [(each.what, each.put, each.takes, each.overtook)
            for each in odd_elements(History.of_events(ODD))]  # fmt: skip
    assert told == [
        ("lost", 4, (), None),
        ("duplicated", 2, (7, 8), None),
        ("unexpected", None, (9,), None),
        ("reordered", 1, (5,), (0, 6)),
    ]
    run = stored(tmp_path / "run", ODD)
    html = write_all(run, ["html"])[-1].read_text()
    page = html[html.index("<h2>What became of the elements") :]
    figures = "1 lost, 1 duplicated, 1 reordered, 0 recovered, 1 unexpected"
    assert f"5 elements were acknowledged, and 4 different ones came out: {figures}." in page
    assert figures in html[: html.index("<h2>")]  # among the tiles
    assert "<td>102</td><td>reordered: it overtook 101</td>" in page
    assert "process 0 on n1, 2.000 s to 2.400 s</td><td>process 1 on n2, 7.000 s" in page
    assert "<td>999</td><td>unexpected</td><td>nobody put it in</td>" in page
    assert "<td>105</td><td>lost</td>" in page


def test_the_lanes_of_what_was_overtaken_stand_above(tmp_path: Path) -> None:
    run = read_run(stored(tmp_path / "run", ODD))
    lanes, inside = [part.figure for part in Queues().draw(run) if not isinstance(part, str)]
    labels = [each.get_text() for each in reversed(lanes.axes[0].get_yticklabels())]
    assert labels == [
        "105 lost", "103 duplicated", "999 unexpected", "101 overtaken", "102 reordered",
    ]  # fmt: skip
    (line,) = inside.axes[0].get_lines()
    assert max(line.get_ydata()) == 5


def test_a_good_queue_has_figures_and_no_table(tmp_path: Path) -> None:
    good = [*PUTS[:4], *of(operation(7, 1, "dequeue", 101), operation(8, 1, "dequeue", 102))]
    run = read_run(stored(tmp_path / "run", [*good, *of(operation(9, 1, "dequeue", None))]))
    parts = list(Queues().draw(run))
    assert len(parts) == 2
    assert "<table>" not in str(parts[0])
    assert "0 lost, 0 duplicated, 0 reordered" in str(parts[0])


def test_what_is_put_in_twice_says_nothing(tmp_path: Path) -> None:
    twice = History.of_events([*PUTS[:2], *PUTS[:2]])
    assert odd_elements(twice) == []
    run = write_judged(tmp_path / "run", [Delivery().judge(twice, Delivery.levels)])
    assert not Queues().applies(read_run(run))


def test_fates_are_told_as_far_as_they_are_known() -> None:
    assert fates({"lost": 1, "recovered": 0, "unexpected": None}) == "1 lost, 0 recovered"
