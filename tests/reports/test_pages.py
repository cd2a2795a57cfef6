"""Pages in a real browser: they open, can be used, fit, and ask nothing of the network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Watched, chromium, watched
from synthetic_run import Story, write_run

from partita.reports import write_all

READY = "body[data-ready]"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all(write_run(tmp_path_factory.mktemp("runs") / "run"))[-1]


@pytest.fixture(scope="module")
def seen(browser: Any, report: Path) -> Watched:
    """One open page for the tests that leave it as it was; opening it takes a second or two."""
    return opened(browser, report)


@pytest.fixture
def page(seen: Watched) -> Any:
    seen.page.get_by_role("button", name="Whole run").click()
    return seen.page


def opened(browser: Any, report: Path, **options: Any) -> Watched:
    seen = watched(browser, **options)
    seen.page.goto(report.as_uri())
    seen.page.wait_for_selector(READY)
    return seen


def shown_range(page: Any) -> list[float]:
    found: list[float] = page.evaluate("document.getElementById('charts').layout.xaxis.range")
    return found


def test_a_page_opens_without_errors_and_fetches_nothing(seen: Watched, report: Path) -> None:
    assert seen.errors == []
    assert seen.requests == [report.as_uri()]
    assert seen.page.locator("strong").first.inner_text() == "Valid"
    assert seen.page.locator("figure.static").first.is_hidden()


def test_dragging_over_the_timeline_zooms_and_a_double_click_undoes_it(page: Any) -> None:
    assert shown_range(page) == pytest.approx([0, 206.244], abs=0.1)
    drag(page, "#timeline", 0.3, 0.5)
    left, right = shown_range(page)
    assert 40 < left < right < 110
    page.locator("#timeline").dblclick(position={"x": 300, "y": 60})
    assert shown_range(page) == pytest.approx([0, 206.244], abs=0.1)


def drag(page: Any, selector: str, begin: float, end: float) -> None:
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    page.mouse.move(box["x"] + box["width"] * begin, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * end, box["y"] + 62, steps=4)
    page.mouse.up()
    page.wait_for_timeout(300)


def test_dragging_over_the_charts_zooms_the_timeline_too(page: Any) -> None:
    before = page.locator("#timeline").screenshot()
    drag(page, "#charts", 0.3, 0.5)
    left, right = shown_range(page)
    assert 30 < left < right < 120
    assert page.locator("#timeline").screenshot() != before


def test_pointing_at_an_operation_says_what_it_is(page: Any) -> None:
    page.get_by_role("button", name="Fault 1").click()
    canvas = page.locator("#timeline")
    canvas.hover(position={"x": 500, "y": 34})
    assert "process" in page.locator("#hint").inner_text()
    assert "on n1" in page.locator("#hint").inner_text()
    canvas.hover(position={"x": 500, "y": 5})
    assert page.locator("#hint").is_hidden()


def test_pointing_at_a_dot_in_the_charts_says_what_it_is(page: Any) -> None:
    page.evaluate("document.getElementById('charts').scrollIntoView()")
    point = page.evaluate(
        """() => {
          const place = document.getElementById('charts'), { xaxis, yaxis } = place._fullLayout;
          const trace = place.data.find((each) => each.name === 'info write');
          const box = place.getBoundingClientRect();
          return [box.left + xaxis._offset + xaxis.d2p(trace.x[0]),
                  box.top + yaxis._offset + yaxis.d2p(trace.y[0])];
        }"""
    )
    page.mouse.move(point[0] - 30, point[1] + 30)
    page.mouse.move(point[0], point[1], steps=3)
    page.wait_for_function("!document.getElementById('hint').hidden", timeout=5000)
    assert "info: timeout" in page.locator("#hint").inner_text()


def test_switches_hide_operations(page: Any) -> None:
    count = "document.getElementById('charts').data.filter((t) => t.rows).length"
    assert page.evaluate(count) > 5
    for name in ("fail", "info", "read", "cas"):
        page.get_by_role("button", name=name, exact=True).click()
    assert page.evaluate(count) == 1
    rows = "document.getElementById('charts').data.find((t) => t.rows).rows.length"
    everywhere = page.evaluate(rows)
    page.get_by_role("button", name="n1", exact=True).click()
    assert 0.7 < page.evaluate(rows) / everywhere < 0.9


@pytest.mark.parametrize(
    ("scheme", "ground"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(13, 17, 23)")]
)
def test_a_phone_needs_no_sideways_scrolling(
    browser: Any, report: Path, scheme: str, ground: str
) -> None:
    seen = opened(browser, report, width=390, height=800, scheme=scheme)
    assert seen.errors == []
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_on_paper_stand_the_still_pictures(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.locator("figure.static").first.is_visible()
    assert page.locator("#charts").is_hidden()
    page.emulate_media(media="screen")


def test_without_scripts_the_pictures_stand_in(browser: Any, report: Path) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(report.as_uri())
    assert page.locator("figure.static").first.is_visible()


def test_the_page_of_a_violation_leads_to_its_operations(browser: Any, tmp_path: Path) -> None:
    verdict = {"explanation": "Two reads disagree.", "counterexample": [60, 61, 62], "key": 1}
    story = Story(seconds=20, cut=None)
    run = write_run(tmp_path / "run", story, valid=False, verdict=verdict)
    seen = opened(browser, write_all(run)[-1])
    assert seen.errors == []
    assert "Two reads disagree." in seen.page.locator(".verdict").inner_text()
    assert seen.page.locator("#violation svg").is_visible()
    seen.page.get_by_text("The operations around it").click()
    assert seen.page.locator("tr.contradicts").count() == 3
    seen.page.get_by_role("button", name="Show them in the timeline").click()
    left, right = shown_range(seen.page)
    assert 2 < left < right < 5


def test_two_hundred_thousand_operations_are_usable_in_three_seconds(
    browser: Any, tmp_path: Path
) -> None:
    run = write_run(tmp_path / "run", Story(rate=1000, workers=50, timeout=1.0, election=6))
    report = write_all(run)[-1]
    live, tries = 1e9, 0
    # Up to three times: a busy machine is not the page's fault.
    while live >= 3000 and tries < 3:
        seen, tries = opened(browser, report), tries + 1
        assert seen.errors == []
        live = float(seen.page.get_attribute("body", "data-live"))
    assert live < 3000
    seen.page.get_by_role("button", name="Fault 1").click()
    seen.page.locator("#timeline").hover(position={"x": 500, "y": 27})
    assert "process" in seen.page.locator("#hint").inner_text()
