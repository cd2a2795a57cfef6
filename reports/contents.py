"""The contents of a run's page: which sections there are, and what each of them shows.

Sections come from anywhere. Whatever one of them does, the page is made: it then says in the
section's place that it could not be drawn, and why.
"""

import logging
import re
import sys
import traceback
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape

from partita.checker import plugins
from partita.checker.plugins import PluginError, in_a_line
from partita.reports.drawing import STYLE, rendered
from partita.reports.section import Part, Picture, Section
from partita.reports.stored import StoredRun

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture as it is written: its files' contents by their kind, "png" or "svg"."""

    name: str
    caption: str
    still: bool
    files: dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Content:
    """What one section shows; `problem` says in a line why it could not be drawn."""

    name: str
    title: str
    parts: tuple[Markup | Plate, ...] = ()
    problem: str | None = None


def contents_of(
    run: StoredRun, kinds: Collection[str], extra: Sequence[str] = ()
) -> Iterator[Content]:
    """What each section shows of a run, in the order of the page; each is drawn when asked for.

    `kinds` are those in which pictures are wanted. `extra` names sections beside those that are
    installed: raises `PluginError` where there is no such section.
    """
    chosen: dict[str, Section | PluginError] = {name: _load(name) for name in extra}
    taken: list[str] = []
    for name, section in _in_order(chosen | _installed(skip=chosen)):
        content = _content(name, section, run, kinds, taken)
        if content is not None:
            taken += [part.name for part in content.parts if isinstance(part, Plate)]
            yield content


def _installed(skip: Collection[str]) -> dict[str, Section | PluginError]:
    found: dict[str, Section | PluginError] = {}
    for name in plugins.names("sections"):
        if name not in skip:
            try:
                found[name] = _load(name)
            except PluginError as error:
                found[name] = error
    return found


def _load(name: str) -> Section:
    """Make a section. Raises `PluginError` with one line that says what is wrong with it."""
    make = plugins.find("sections", name)
    try:
        made = make()
    except (Exception, SystemExit) as error:  # it is anybody's
        raise PluginError(f"section {name} cannot be made: {in_a_line(error)}") from error
    if not isinstance(made, Section):
        lacks = [each for each in ("title", "order", "applies", "draw") if not hasattr(made, each)]
        raise PluginError(f"section {name} has no {' and no '.join(lacks)}")
    if not isinstance(made.order, int | float) or not isinstance(made.title, str):
        raise PluginError(f"section {name}: title is a text and order a number")
    return made


def _in_order(
    sections: dict[str, Section | PluginError],
) -> list[tuple[str, Section | PluginError]]:
    def place(item: tuple[str, Section | PluginError]) -> tuple[float, str]:
        name, section = item
        return (sys.maxsize if isinstance(section, PluginError) else section.order), name

    return sorted(sections.items(), key=place)


def _content(
    name: str,
    section: Section | PluginError,
    run: StoredRun,
    kinds: Collection[str],
    taken: Sequence[str],
) -> Content | None:
    """What a section shows, None if it has nothing to say about the run."""
    if isinstance(section, PluginError):
        return _problem(name, name, str(section))
    try:
        if not section.applies(run):
            return None
        with mpl.rc_context(STYLE):
            return Content(name, section.title, _parts(section.draw(run), kinds, taken))
    except (Exception, SystemExit) as error:  # it is anybody's
        log.info("section %s", name, exc_info=error)
        return _problem(name, section.title or name, in_a_line(error) + _place(section, error))


def _problem(name: str, title: str, why: str) -> Content:
    log.warning("section %s could not be drawn: %s", name, why)
    return Content(name, title, problem=why)


def _parts(
    parts: Iterable[Part], kinds: Collection[str], taken: Sequence[str]
) -> tuple[Markup | Plate, ...]:
    made: list[Markup | Plate] = []
    for part in parts:
        mine = [each.name for each in made if isinstance(each, Plate)]
        made.append(ready(part, kinds, [*taken, *mine]))
    return tuple(made)


def ready(part: Part, kinds: Collection[str], taken: Collection[str] = ()) -> Markup | Plate:
    """A part as it stands in a page. Raises `TypeError` for what is none.

    Raises `ValueError` for a picture's name that is `taken`, or is no name.
    """
    if isinstance(part, Picture):
        return _plate(part, kinds, taken)
    if isinstance(part, Markup):
        return part
    if isinstance(part, str):
        return Markup("<p>") + escape(part) + Markup("</p>")
    raise TypeError(f"a section gives texts, Markup and pictures, not {type(part).__name__}")


def _plate(picture: Picture, kinds: Collection[str], taken: Collection[str]) -> Plate:
    if not re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", picture.name):
        raise ValueError(f"a picture is called {picture.name!r}: use small letters, digits and -")
    if picture.name in taken:
        raise ValueError(f"two pictures are called {picture.name!r}")
    files = rendered(picture.figure, picture.name, kinds)
    return Plate(picture.name, picture.caption, picture.still, files)


def _place(section: Any, error: BaseException) -> str:
    """Where in the section's own file it happened."""
    code = getattr(getattr(section, "draw", None), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if code and frame.filename == code.co_filename]
    return f" ({mine[-1].filename}, line {mine[-1].lineno})" if mine else ""
