"""The space-time diagram: what it shows at first, what it leaves out, and that it can be used."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import Watched, chromium, watched
from messages_written import write_messages
from synthetic_run import Story, write_run

from partita.checker import plugins
from partita.reports import read_run, spacetime, write_all
from partita.reports.carried import carried
from partita.reports.messages import read_messages
from partita.reports.spacetime import DRAWN_MAX, SpaceTime, space_time

STORY = Story(seconds=20, cut=8, heal=14, election=2)
MEASURED = {"delivered": 9, "lost": {}, "left_out": 77, "router_cpu_s": 1.25}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose verdict speaks of three operations, with many heartbeats in a second."""
    made = tmp_path_factory.mktemp("runs") / "run"
    verdict = {"counterexample": [60, 61, 64], "explanation": "so it is"}
    write_run(made, STORY, valid=False, verdict=verdict, messages=MEASURED)
    write_messages(made, heartbeats=3000)
    return made


@pytest.fixture(scope="module")
def drawn(directory: Path) -> SpaceTime:
    messages = read_messages(directory)
    assert messages is not None
    return space_time(read_run(directory), messages)


@pytest.fixture(scope="module")
def report(directory: Path) -> Path:
    return page_of(directory)


def page_of(directory: Path) -> Path:
    """Draw a page without any other section that is drawn: charts take their time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(plugins, "names", lambda kind: ["facts", "messages", "operations"])
        return write_all(directory)[-1]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page(browser: Any, report: Path) -> Watched:
    return opened(browser, report)


def opened(browser: Any, report: Path) -> Watched:
    seen = watched(browser)
    seen.page.goto(report.as_uri())
    seen.page.wait_for_selector("#space-time.drawn")
    return seen


def test_it_begins_around_the_operations_that_the_verdict_names(drawn: SpaceTime) -> None:
    history, (begin, end) = drawn.run.history, drawn.interval
    named = [history[row] for row in (60, 61, 64)]
    assert begin < min(op.invoked for op in named)
    assert max(op.completed or 0 for op in named) < end < begin + 10**9
    shown = {line.process for line in drawn.shown()} - {None}
    assert shown == {op.process for op in named}


def test_what_lies_too_far_back_has_a_picture_of_its_own(
    drawn: SpaceTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(drawn.before()) == []
    for name, most in (("DRAWN_MAX", 3), ("BEFORE", 1), ("AFTER", 1)):
        monkeypatch.setattr(spacetime, name, most)
    parts = [again := replace(drawn), *again.before()]
    begins = [part.interval[0] for part in parts]
    assert len(parts) > 1 and begins == sorted(begins, reverse=True)
    for row in drawn.named:
        op, shown = drawn.run.history[row], [part.interval for part in parts]
        assert any(op.invoked <= end and (op.completed or 0) >= begin for begin, end in shown), row


def test_clients_stand_above_their_node(drawn: SpaceTime) -> None:
    history = drawn.run.history
    lines = drawn.lines
    for place, line in enumerate(lines):
        if line.process is not None:
            node = next(each.name for each in lines[place:] if each.process is None)
            rows = (history.process == line.process).nonzero()[0]
            assert history[int(rows[0])].node == node


def test_without_a_violation_it_begins_where_the_first_fault_does(tmp_path: Path) -> None:
    made = write_run(tmp_path / "run", STORY)
    write_messages(made)
    messages = read_messages(made)
    assert messages is not None
    drawn = space_time(read_run(made), messages)
    begin, end = drawn.interval
    assert begin < 8 * 10**9 < end
    assert drawn.named == []


def test_a_page_carries_a_whole_stretch_and_says_what_is_not_there(drawn: SpaceTime) -> None:
    few = carried(drawn, most=50)
    assert (few.count, few.before + few.count + few.after) == (50, len(drawn.messages))
    assert few.before > 0 and few.after > 0
    begin, end = (moment / 1e9 for moment in drawn.interval)
    assert few.begin_s <= end and few.end_s >= begin
    assert few.header["operations"]
    whole = carried(drawn)
    assert (whole.count, whole.before, whole.after) == (len(drawn.messages), 0, 0)


def test_the_page_has_a_picture_and_says_what_messages_came_to(report: Path) -> None:
    assert (report.parent / "messages.svg").stat().st_size > 10_000
    assert (report.parent / "messages.png").exists()
    text = re.sub(r"\s+", " ", report.read_text())
    assert "took 1.2 s of a processor" in text
    assert "77 more are not in this section" in text
    assert "<td>heartbeat</td>" in text


def test_a_run_without_messages_has_no_such_section(tmp_path: Path) -> None:
    page = page_of(write_run(tmp_path / "run", STORY))
    assert 'data-section="messages"' not in page.read_text()


def test_the_page_draws_them_without_errors_and_fetches_nothing(
    page: Watched, report: Path
) -> None:
    assert page.errors == []
    assert page.requests == [report.as_uri()]
    assert arrows(page.page) > 10
    assert page.page.locator("figure#messages").is_hidden()
    assert page.page.locator("#messages-drawing .marked").count() >= 6


def arrows(page: Any) -> int:
    return int(page.locator("#messages-drawing").get_attribute("data-arrows"))


def show(page: Any, begin: float, end: float) -> None:
    """Choose an interval, as a person does. The later end goes first, lest the two be crossed."""
    page.get_by_label("to second").fill(str(end))
    page.get_by_label("to second").press("Enter")
    page.get_by_label("from second").fill(str(begin))
    page.get_by_label("from second").press("Enter")


def home(page: Any) -> None:
    page.get_by_role("button", name="Violation", exact=True).click()


def test_any_interval_can_be_chosen_and_what_is_too_much_is_said(page: Watched) -> None:
    home(page.page)
    show(page.page, 0, 0.95)
    assert arrows(page.page) == DRAWN_MAX
    said = page.page.locator("#messages-said").inner_text()
    assert re.match(r"2,000 of 2,\d{3} messages from 0.000 s to 0.950 s are drawn", said)
    show(page.page, 0, 0.2)
    assert 590 < arrows(page.page) < DRAWN_MAX


def test_types_and_clients_can_be_left_out(page: Watched) -> None:
    home(page.page)
    everything = arrows(page.page)
    forward = page.page.get_by_role("button", name="forward, forward_ok")
    forward.click()
    without = arrows(page.page)
    assert without < everything
    page.page.get_by_label("clients").select_option("none")
    assert arrows(page.page) == 0
    forward.click()
    assert 0 < arrows(page.page) <= everything - without
    page.page.get_by_label("clients").select_option("first")
    assert arrows(page.page) == everything


def test_pointing_at_an_arrow_shows_the_message(page: Watched) -> None:
    home(page.page)
    drawing = page.page.locator("#messages-drawing")
    drawing.scroll_into_view_if_needed()
    path = drawing.locator(".marked").first.get_attribute("d")
    x1, y1, x2, y2 = (float(each) for each in re.findall(r"[\d.]+", path)[:4])
    box = drawing.bounding_box()
    page.page.mouse.move(box["x"] + (x1 + x2) / 2, box["y"] + (y1 + y2) / 2 + 3, steps=2)
    said = page.page.locator("#hint").inner_text()
    assert re.search(r"c\d+ → n\d", said) and '"msg_id":' in said and "took 0.1 ms" in said


def test_a_click_on_an_operation_marks_what_led_to_its_answer(page: Watched) -> None:
    home(page.page)
    bar = page.page.locator("#messages-drawing .operation").first
    bar.click()
    marked = page.page.locator("#messages-drawing .marked").count()
    assert marked in (1, 2, 4)
    home(page.page)
    assert page.page.locator("#messages-drawing .marked").count() >= marked


def test_dragging_zooms_and_a_double_click_goes_back(page: Watched) -> None:
    home(page.page)
    drawing, begin = page.page.locator("#messages-drawing"), page.page.get_by_label("from second")
    drawing.scroll_into_view_if_needed()
    before, box = float(begin.input_value()), drawing.bounding_box()
    page.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 60)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 60, steps=3)
    page.page.mouse.up()
    assert float(begin.input_value()) > before
    drawing.dblclick(position={"x": 300, "y": 40})
    assert float(begin.input_value()) == before


def test_texts_of_nodes_cannot_break_out_of_the_page(browser: Any, tmp_path: Path) -> None:
    made = write_run(tmp_path / "run", STORY)
    path = write_messages(made)
    evil = "</script><img src=x onerror=alert(1)>"
    line = {"id": 1, "sent": 8 * 10**9, "src": "n1", "dest": evil, "at": 8 * 10**9 + 5}
    with path.open("a") as file:
        file.write(json.dumps(line | {"body": {"type": evil}}) + "\n")
    page = page_of(made)
    assert "<img src=x" not in page.read_text()
    seen = opened(browser, page)
    assert seen.page.locator("img").count() == 0
    assert seen.errors == []
