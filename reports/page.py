"""Pages: of a run, of a violation, of runs side by side, of runs in a list and in progress.

A page is one HTML file with everything in it, which opens without a network. That of a run has the
verdict on top; all below comes from sections, of which none is known here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from partita.reports import sentences
from partita.reports.comparison import Comparison
from partita.reports.contents import Content, Plate
from partita.reports.facts import facts_of, steps_of
from partita.reports.fragments import colour_variable, figure, fragment, inlined
from partita.reports.gallery import Row
from partita.reports.interactive import script_safe
from partita.reports.palette import OUTCOME, fault_colour
from partita.reports.stored import StoredRun


def run_page(run: StoredRun, contents: Iterable[Content]) -> str:
    """The page's HTML. The contents' pictures are there as SVG."""
    return fragment(
        "run.html",
        run=run,
        spec=run.spec,
        results=run.results,
        word=sentences.verdict_word(run.results),
        sentence=sentences.verdict_sentence(run.results),
        availability=sentences.availability_sentence(run.results),
        contents=[(content, _parts(content.parts)) for content in contents],
    )


def violation_page(sentence: str, parts: Iterable[Markup | Plate], title: str) -> str:
    """A page of a violation alone, for a history that no run of ours made."""
    return fragment("violation_page.html", title=title, sentence=sentence, parts=_parts(parts))


def comparison_page(comparison: Comparison, picture: str) -> str:
    """A page of runs side by side; `picture` is their overlaid chart as SVG."""
    drawing = inlined("overlaid", picture)
    return fragment("comparison.html", comparison=comparison, picture=drawing)


def runs_page(runs: str, rows: Sequence[Row]) -> str:
    """A page that lists runs, for `partita serve`; `runs` names the directory."""
    return fragment("runs.html", runs=runs, rows=rows)


def live_page(path: str, spec: Mapping[str, Any]) -> str:
    """A page that follows a run in progress, for `partita serve`."""
    faults = {
        step.get("action", ""): fault_colour(step.get("action", "")) for step in steps_of(spec)
    }
    said = {"path": path, "timeout_s": spec.get("timeout"), "time_limit_s": spec.get("time_limit")}
    name = f"{spec.get('system', '?')} {spec.get('workload', '?')}"
    for kind, colours in (("colours", OUTCOME), ("faults", faults)):
        said[kind] = {each: colour_variable(colour) for each, colour in colours.items()}
    return fragment("live.html", name=name, facts=facts_of(spec), said=script_safe(said))


def message_page(title: str, text: str) -> str:
    """A page that says one thing, such as that there is no such run."""
    return fragment("message.html", title=title, text=text)


def _parts(parts: Iterable[Markup | Plate]) -> list[Markup]:
    return [part if isinstance(part, Markup) else _figure(part) for part in parts]


def _figure(plate: Plate) -> Markup:
    svg = plate.files["svg"].decode()
    return figure(plate.name, svg, plate.caption, still=plate.still)
