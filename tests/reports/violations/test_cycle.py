"""The picture of a cycle: whatever the cycle is, no label touches another one or a box."""

from itertools import combinations, product
from random import Random
from typing import Any

import pytest
from browser import chromium
from transactions_told import concurrent, history

from partita.checker import History
from partita.reports.violations.cycle import Area, cycle, laid_out

Edge = dict[str, Any]
Drawn = tuple[History, list[int], list[Edge]]
RELATIONS = ["ww", "wr", "rw", "process", "realtime"]


def some_cycle(seed: int) -> Drawn:
    """Return a cycle of two to eight transactions, of a few processes, more or less at once."""
    random = Random(seed)
    count = random.randint(2, 8)
    texts = [f"ra{'1234567'[: random.randint(1, 7)]} ax{n} rb1 ay{n}" for n in range(count)]
    parts, at = [], 0
    while at < count:
        step = min(count - at, random.randint(1, 4))
        parts.append(concurrent(*texts[at : at + step], start=random.randint(0, 3)))
        at += step
    rows = random.sample(range(count), count)
    edges = [
        {
            "from": one, "to": other, "relation": random.choice(RELATIONS), "key": "x",
            "before": random.choice([None, 7, 123456]), "after": other, "rule": "",
        }
        for one, other in zip(rows, rows[1:] + rows[:1], strict=True)
    ]  # fmt: skip
    return history(*parts), rows, edges


@pytest.mark.parametrize("seed", range(300))
def test_nothing_touches(seed: int) -> None:
    drawing = laid_out(*some_cycle(seed))
    areas = [box.area for box in drawing.boxes] + [arrow.label for arrow in drawing.arrows]
    for one, other in combinations(areas, 2):
        assert not one.touches(other)
    for area in areas:
        assert area.left >= 0 and area.top >= 0
        assert area.left + area.width <= drawing.width
        assert area.top + area.height <= drawing.height


def test_no_arrow_leaves_the_picture() -> None:
    for seed in range(300):
        drawing = laid_out(*some_cycle(seed))
        for arrow in drawing.arrows:
            for share in range(11):
                x, y = arrow.at(share / 10)
                assert 0 <= x <= drawing.width, seed
                assert drawing.top <= y <= drawing.height, seed


def test_arrows_seldom_pass_behind_boxes() -> None:
    arrows = behind = 0
    for seed in range(40):
        drawing = laid_out(*some_cycle(seed))
        arrows += len(drawing.arrows)
        for arrow, box in product(drawing.arrows, drawing.boxes):
            points = [Area(*arrow.at(share / 40), 0, 0) for share in range(2, 39)]
            behind += any(point.touches(box.area, -2) for point in points)
    assert behind < arrows / 80


def test_time_runs_to_the_right() -> None:
    given, rows, edges = some_cycle(4)
    left = {box.row: box.area.left for box in laid_out(given, rows, edges).boxes}
    invoked = sorted(rows, key=lambda row: int(given.invoked_rank[row]))
    assert [left[row] for row in invoked] == sorted(left.values())


def test_a_transaction_that_had_ended_stands_wholly_to_the_left() -> None:
    given = history(concurrent("ax1"), concurrent("rx1", start=1))
    edges = [{"from": 0, "to": 1, "relation": "wr", "key": "x", "before": 1, "after": None},
             {"from": 1, "to": 0, "relation": "realtime", "key": None, "before": None,
              "after": None}]  # fmt: skip
    one, other = (box.area for box in laid_out(given, [0, 1], edges).boxes)
    assert one.left + one.width < other.left


MEASURE = """() => [...document.querySelectorAll('svg')].map(svg =>
  [...svg.querySelectorAll('text.label, rect.box, text.step, text.lane')].map(each => {
    const {x, y, width, height} = each.getBBox();
    return [each.getAttribute('class'), x, y, x + width, y + height];
  }))"""


def test_nothing_touches_in_a_browser_either() -> None:
    """There letters have the widths that they really have."""
    page_of = "<body>" + "".join(cycle(*some_cycle(seed)) for seed in range(60))
    with chromium() as browser:
        page = browser.new_page()
        page.set_content(page_of)
        pictures = page.evaluate(MEASURE)
    assert len(pictures) == 60
    for shapes in pictures:
        labels = [each for each in shapes if each[0] == "label"]
        boxes = [each for each in shapes if each[0] == "box"]
        for one, other in [*combinations(labels, 2), *((a, b) for a in labels for b in boxes)]:
            assert not _touch(one, other), (one, other)
        for step in (each for each in shapes if each[0] == "step"):
            assert any(_inside(step, box) for box in boxes), step


def _touch(one: list[Any], other: list[Any]) -> bool:
    return bool(one[1] < other[3] and other[1] < one[3] and one[2] < other[4] and other[2] < one[4])


def _inside(one: list[Any], box: list[Any]) -> bool:
    return bool(box[1] <= one[1] and box[2] <= one[2] and one[3] <= box[3] and one[4] <= box[4])
