"""Sections of other people on a page: found, ordered, shown, and never the end of the page."""

import json
import os
import re
from pathlib import Path

import pytest
from conftest import Partita
from synthetic_run import Story, write_run

from partita.checker import plugins
from partita.checker.plugins import PluginError
from partita.reports import read_run, write_all
from partita.reports.contents import Plate, contents_of

SECTION = """
from matplotlib.figure import Figure
from markupsafe import Markup
from partita.reports import Picture


class Hottest:
    title = "Hottest keys"
    order = 35

    def applies(self, run):
        return {applies}

    def draw(self, run):
        yield f"{{len(run.history)}} operations, none < 0"
        yield Markup("<table><tr><td>hot</td></tr></table>")
        figure = Figure()
        figure.add_subplot().plot([1, 2])
        yield Picture({picture!r}, figure, "How hot they are.")
        {then}
"""


def section(
    directory: Path, *, applies: str = "True", picture: str = "heat", then: str = "pass"
) -> str:
    """Write a section of somebody's own; returns what names it."""
    directory.mkdir(exist_ok=True)
    text = SECTION.format(applies=applies, picture=picture, then=then)
    (directory / "hot.py").write_text(text)
    return f"{directory / 'hot.py'}:Hottest"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "run", Story(seconds=5, cut=None))


def headings(html: str) -> list[str]:
    return re.findall("<h2>(.*?)</h2>", html)


def test_a_section_of_ones_own_stands_where_it_says_with_its_picture(
    run: Path, tmp_path: Path
) -> None:
    written = write_all(run, sections=[section(tmp_path)])
    html = written[-1].read_text()
    found = headings(html)
    assert found[found.index("Faults") + 1] == "Hottest keys" == found[found.index("Charts") - 1]
    assert "<p>" in html
    assert "operations, none &lt; 0</p>" in html
    assert "<td>hot</td>" in html
    assert '<figure id="heat">' in html
    assert "How hot they are." in html
    assert {run / "heat.png", run / "heat.svg"} <= set(written)
    assert 'href="heat.png"' in html  # the list of files is made when all others are drawn


def test_a_section_with_nothing_to_say_of_this_run_has_no_heading(
    run: Path, tmp_path: Path
) -> None:
    html = write_all(run, ["html"], [section(tmp_path, applies="False")])[-1].read_text()
    assert "Hottest keys" not in html


@pytest.mark.parametrize(
    ("then", "why"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("yield 7", "a section gives texts, Markup and pictures, not int"),
        ("yield Picture('heat', figure, '')", "two pictures are called &#39;heat&#39;"),
        ("yield Picture('../x', figure, '')", "a picture is called &#39;../x&#39;"),
        ("import sys; sys.exit('<b>')", "SystemExit: &lt;b&gt;"),
    ],
)
def test_a_section_that_breaks_costs_itself_alone(
    run: Path, tmp_path: Path, then: str, why: str
) -> None:
    before = headings(write_all(run, ["html"])[-1].read_text())
    (run / "heat.png").unlink(missing_ok=True)
    html = write_all(run, sections=[section(tmp_path, then=then)])[-1].read_text()
    assert [each for each in headings(html) if each != "Hottest keys"] == before
    said = html[html.index("<h2>Hottest keys</h2>") :]
    assert "This section could not be drawn: " in said[:200]
    assert why in said[:600]
    assert "<strong>Valid</strong>" in html
    assert not (run / "heat.png").exists()


def test_where_it_broke_is_said(run: Path, tmp_path: Path) -> None:
    name = section(tmp_path, then="1 / 0")
    line = (tmp_path / "hot.py").read_text().splitlines().index("        1 / 0") + 1
    html = write_all(run, ["html"], [name])[-1].read_text()
    assert f"hot.py, line {line})" in html


def test_a_picture_that_cannot_be_rendered_costs_its_section(run: Path, tmp_path: Path) -> None:
    then = "figure.draw = lambda renderer: 1 / 0; yield Picture('late', figure, '')"
    html = write_all(run, ["html"], [section(tmp_path, then=then)])[-1].read_text()
    assert "This section could not be drawn: ZeroDivisionError" in html


def test_a_picture_of_one_of_ours_is_not_written_over(run: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in write_all(run, ["png"])}
    # It stands before the section whose picture it takes: that one is refused, and only that.
    html = write_all(run, sections=[section(tmp_path, picture="rate")])[-1].read_text()
    assert "two pictures are called &#39;rate&#39;" in html
    write_all(run)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("class Hottest: pass", "has no title and no order and no applies and no draw"),
        ("Hottest = 1 / 0", "hot.py cannot be imported: ZeroDivisionError: division by zero"),
        ("class Other: pass", "hot.py has no class Hottest"),
        ("class Hottest:\n def __init__(self, x): pass", "cannot be made: TypeError"),
        (
            "class Hottest:\n title, order, applies, draw = 'x', 'y', print, print",
            "title is a text and order a number",
        ),
    ],
)
def test_what_is_no_section_is_refused_in_a_line(
    run: Path, tmp_path: Path, partita: Partita, code: str, why: str
) -> None:
    (tmp_path / "hot.py").write_text(code + "\n")
    done = partita("report", str(run), "--section", f"{tmp_path / 'hot.py'}:Hottest")
    assert (done.returncode, done.stderr.count("\n")) == (254, 1)
    assert why in done.stderr


def test_a_name_that_is_no_section_says_which_there_are(run: Path) -> None:
    with pytest.raises(PluginError, match=r"no section is called 'hot': choose from .*facts"):
        list(contents_of(read_run(run), ["svg"], ["hot"]))


def test_naming_one_that_is_there_anyway_shows_it_once(run: Path) -> None:
    names = [content.name for content in contents_of(read_run(run), [], ["faults"])]
    assert names.count("faults") == 1


def installed(directory: Path, code: str) -> dict[str, str]:
    """Install a package that declares a section; returns the environment in which it is there."""
    (directory / "hot.py").write_text(code)
    info = directory / "hot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[partita.sections]\nhottest = hot:Hottest\n")
    return dict(os.environ) | {"PYTHONPATH": str(directory)}


def test_an_installed_section_is_shown(run: Path, tmp_path: Path, partita: Partita) -> None:
    section(tmp_path)
    env = installed(tmp_path, (tmp_path / "hot.py").read_text())
    done = partita("report", str(run), "--format", "html", env=env)
    assert done.returncode == 0, done.stderr
    assert "Hottest keys" in headings((run / "report.html").read_text())


def test_an_installed_section_that_cannot_be_imported_costs_no_page(
    run: Path, tmp_path: Path, partita: Partita
) -> None:
    env = installed(tmp_path, "import there_is_none\n")
    done = partita("report", str(run), "--format", "html", env=env)
    assert done.returncode == 0
    why = "section hottest, of hot, cannot be imported: ModuleNotFoundError"
    assert why in done.stderr
    assert "Traceback" not in done.stderr
    html = (run / "report.html").read_text()
    assert why in html
    assert headings(html)[-1] == "hottest"
    assert json.loads((run / "results.json").read_text())["valid"] is True


def test_every_file_of_the_room_is_declared_as_a_section() -> None:
    room = Path(__file__).parents[2] / "reports" / "sections"
    files = {path.stem for path in room.glob("*.py")} - {"__init__"}
    assert files == {
        name for name, e in plugins.entries("sections").items() if e.source == "partita"
    }


def test_pictures_are_drawn_in_the_kinds_that_are_asked_for(run: Path) -> None:
    plates = [
        part
        for content in contents_of(read_run(run), ["png"])
        for part in content.parts
        if isinstance(part, Plate)
    ]
    assert plates
    assert all(set(plate.files) == {"png"} for plate in plates)
