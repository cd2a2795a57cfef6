"""Fragments of pages: the templates, how figures are written in them, and pictures inlined."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from partita.reports import palette, sentences

NOTHING = "—"


def fragment(template: str, **values: Any) -> Markup:
    """A template of ours with values in it, which are escaped where they are not HTML."""
    return Markup(_environment().get_template(template).render(values).strip())


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("partita.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    filters: dict[str, Callable[[Any], str]] = {
        "percent": _percent,
        "seconds": _seconds,
        "duration": _duration,
        "count": lambda value: NOTHING if value is None else f"{value:,}",
        "ms": lambda value: NOTHING if value is None else f"{value:,.1f}",
        "fates": sentences.fates,
        "proof": sentences.proof_sentence,
    }
    environment.filters |= filters
    environment.globals["colours"] = Markup(_colours())
    return environment


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _seconds(value: float | None) -> str:
    """With a space between number and unit at which no line breaks."""
    if value is None:
        return NOTHING
    return f"{value:,.1f}\N{NO-BREAK SPACE}s" if value >= 0.1 else f"{value:.2f}\N{NO-BREAK SPACE}s"


def _duration(value: float | None) -> str:
    """Seconds, or milliseconds where these say more."""
    if value is None or value >= 1:
        return _seconds(value)
    return f"{value * 1e3:.3g}\N{NO-BREAK SPACE}ms"


def _colours() -> str:
    """CSS: a variable for each colour of the palette, once for light ground and once for dark."""
    light = "".join(f"{colour_variable(colour)}:{colour};" for colour in palette.ON_DARK)
    dark = "".join(
        f"{colour_variable(colour)}:{other};" for colour, other in palette.ON_DARK.items()
    )
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}"


def colour_variable(colour: str) -> str:
    """The CSS variable that holds a colour of the palette."""
    assert colour in palette.ON_DARK
    return f"--c-{colour[1:]}"


def figure(name: str, svg: str, caption: str, *, still: bool = False) -> Markup:
    """A picture with its caption."""
    values = {"name": name, "svg": inlined(name, svg), "caption": caption, "still": still}
    return fragment("figure.html", **values)


def inlined(name: str, svg: str) -> Markup:
    """An SVG file's drawing, made to stand in a page beside others.

    Its colours become CSS variables, so that one drawing serves light ground, dark ground and
    paper.
    """
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r'\1 role="img"', svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    for colour in palette.ON_DARK:
        svg = svg.replace(colour, f"var({colour_variable(colour)})")
    return Markup(svg)
