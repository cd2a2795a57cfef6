"""The page of a run: one HTML file with everything in it, which opens without a network.

Pictures stand in the page as SVG whose colours are CSS variables, so that one drawing serves light
ground, dark ground and paper.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from partita.reports import palette, sentences
from partita.reports.comparison import Comparison
from partita.reports.gallery import Row
from partita.reports.interactive import colour_variable, interactive, script_safe
from partita.reports.logs import excerpts
from partita.reports.stored import StoredRun
from partita.reports.violation import Violation

CAPTIONS = {
    "latency": "Latency of every operation, from the time it was due. Filled: ok. "
    "Hollow: failed for certain (faint: a cas that met another value), or nobody knows.",
    "availability": "Share of the operations due in each second that were acknowledged within "
    "their time-out, beside the share of nodes that could reach a majority; below, "
    "the same for each node, and who claimed to lead. An operation due shortly before the heal "
    "is in time if it is acknowledged after it.",
    "latency-quantiles": "Quantiles of the latency of acknowledged operations, from the due time.",
    "violation": "The operations that contradict each other, in the order of time; below, what a "
    "register holds after each acknowledged write.",
    "violation-order": "From left to right an order in which each operation could have seen "
    "what it saw; in red, what really happened, and forbids it.",
    "rate": "Completed operations per second.",
}
NOTHING = "—"
CLOSE = "The same around fault {}: from the cut to the first acknowledged write."


def run_page(run: StoredRun, pictures: Mapping[str, str], violation: Violation | None) -> str:
    """The page's HTML. `pictures` are all the run's charts as SVG, by their names."""
    shown = [name for name in pictures if not violation or name not in violation.figures]
    return (
        _environment()
        .get_template("run.html")
        .render(
            run=run,
            spec=run.spec,
            results=run.results,
            word=sentences.verdict_word(run.results),
            sentence=sentences.verdict_sentence(run.results),
            availability=sentences.availability_sentence(run.results),
            figures=[_figure(name, pictures[name]) for name in shown],
            **_violation(violation, pictures),
            data=interactive(run),
            excerpts=excerpts(run),
            facts=_facts(run.spec),
            repeat=_repeat(run.spec, run.directory),
            files=_files(run.directory),
        )
    )


def violation_page(violation: Violation, pictures: Mapping[str, str], title: str) -> str:
    """A page of a violation alone, for a history that no run of ours made."""
    template = _environment().get_template("violation_page.html")
    return template.render(title=title, **_violation(violation, pictures))


def comparison_page(comparison: Comparison, picture: str) -> str:
    """A page of runs side by side; `picture` is their overlaid chart as SVG."""
    template = _environment().get_template("comparison.html")
    return template.render(comparison=comparison, picture=Markup(_inlined("overlaid", picture)))


def runs_page(runs: str, rows: Sequence[Row]) -> str:
    """A page that lists runs, for `partita serve`; `runs` names the directory."""
    return _environment().get_template("runs.html").render(runs=runs, rows=rows)


def live_page(path: str, spec: Mapping[str, Any]) -> str:
    """A page that follows a run in progress, for `partita serve`."""
    said = {"path": path, "timeout_s": spec.get("timeout"), "time_limit_s": spec.get("time_limit")}
    name = f"{spec.get('system', '?')} {spec.get('workload', '?')}"
    for kind, colours in (("colours", palette.OUTCOME), ("faults", palette.FAULT)):
        said[kind] = {each: colour_variable(colour) for each, colour in colours.items()}
    said["other_fault"] = colour_variable(palette.OTHER_FAULT)
    return (
        _environment()
        .get_template("live.html")
        .render(name=name, facts=_facts(spec), said=script_safe(said))
    )


def message_page(title: str, text: str) -> str:
    """A page that says one thing, such as that there is no such run."""
    return _environment().get_template("message.html").render(title=title, text=text)


def _violation(violation: Violation | None, pictures: Mapping[str, str]) -> dict[str, Any]:
    names = violation.figures if violation else ()
    figures = [_figure(name, pictures[name]) for name in names]
    return {"violation": violation, "violation_figures": figures}


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("partita.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "percent": _percent,
        "seconds": _seconds,
        "count": lambda value: NOTHING if value is None else f"{value:,}",
        "ms": lambda value: NOTHING if value is None else f"{value:,.1f}",
        "proof": sentences.proof_sentence,
    }
    environment.globals["colours"] = Markup(_colours())
    return environment


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.1%}"


def _seconds(value: float | None) -> str:
    """With a space between number and unit at which no line breaks."""
    if value is None:
        return NOTHING
    return f"{value:,.1f}\N{NO-BREAK SPACE}s" if value >= 0.1 else f"{value:.2f}\N{NO-BREAK SPACE}s"


def _repeat(spec: Mapping[str, Any], directory: Path) -> str:
    """The command that was given, with the seed that it drew if it named none.

    If that made several runs, the one that repeats this one.
    """
    command, seed = str(spec.get("command") or ""), spec.get("seed")
    if not command:
        return ""
    if not command.startswith("partita test ") or "--test-count" in command:
        run = "/".join(directory.resolve().parts[-3:])
        return f"partita test --repeat {shlex.quote(run)}"
    if seed is None or "--seed" in command:
        return command
    return f"{command} --seed {seed}"


def _colours() -> str:
    """CSS: a variable for each colour of the palette, once for light ground and once for dark."""
    light = "".join(f"{colour_variable(colour)}:{colour};" for colour in palette.ON_DARK)
    dark = "".join(
        f"{colour_variable(colour)}:{other};" for colour, other in palette.ON_DARK.items()
    )
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}"


def _figure(name: str, svg: str) -> dict[str, Any]:
    number = name.removeprefix("latency-fault-")
    caption = CLOSE.format(number) if number != name else CAPTIONS.get(name, name)
    return {"name": name, "caption": caption, "svg": Markup(_inlined(name, svg))}


def _inlined(name: str, svg: str) -> str:
    """An SVG file's drawing, made to stand in a page beside others."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r'\1 role="img"', svg, count=1)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(|href=")#', rf"\1#{name}-", svg)
    for colour in palette.ON_DARK:
        svg = svg.replace(colour, f"var({colour_variable(colour)})")
    return svg


def _facts(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was run, as pairs of a name and a value, the most important first."""
    arguments = spec.get("arguments") or {}
    named = {
        "system": spec.get("system"),
        "bug": arguments.get("bug"),
        "server arguments": arguments.get("server_args"),
        "workload": spec.get("workload"),
        "reads": spec.get("reads"),
        "nodes": " ".join(spec.get("nodes", ())),
        "rate": f"{spec['rate']:g} operations/s" if spec.get("rate") else None,
        "concurrency": spec.get("concurrency"),
        "time limit": f"{spec['time_limit']:g} s" if spec.get("time_limit") else None,
        "time-out": f"{spec['timeout']:g} s",
        "faults": _schedule(spec.get("schedule") or ()),
        "seed": spec.get("seed"),
        "started": spec.get("started"),
        "versions": ", ".join(f"{k} {v}" for k, v in (spec.get("versions") or {}).items()),
    }
    return [(name, str(value)) for name, value in named.items() if value not in (None, "")]


def _schedule(steps: Sequence[Mapping[str, Any]]) -> str:
    said = (f"{s.get('at', 0):g}s {s.get('action', '')} {s.get('target') or ''}" for s in steps)
    return "; ".join(each.strip() for each in said)


def _files(directory: Path) -> list[str]:
    """What else lies in the run directory, as paths relative to the page."""
    kept = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return [str(path.relative_to(directory)) for path in kept if path.name != "report.html"]
