"""What the charts of a page need to come alive: data for the scripts, and the plotting library.

Everything is carried in the page, compressed, so that it opens without a network and long after
the tool that wrote it is gone.
"""

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import msgspec
from markupsafe import Markup

from partita.reports.figures.availability import by_second
from partita.reports.figures.checks import contradicting_rows
from partita.reports.figures.faults import SECOND
from partita.reports.figures.leaders import leaders_over_time
from partita.reports.figures.quorum import bound_over_time
from partita.reports.fragments import colour_variable
from partita.reports.packing import compressed, pack
from partita.reports.palette import OUTCOME, fault_colour
from partita.reports.stored import StoredRun

# The symbols of an f in templates/charts.js, as characters.
MARKS = "●▲■◆▼⬟✕⬢"


@dataclass(frozen=True, slots=True)
class Interactive:
    """Texts to stand in script elements: a header (JSON), the operations and plotly, packed."""

    header: Markup
    operations: Markup
    plotly: Markup


def interactive(run: StoredRun) -> Interactive:
    """All that the scripts of a run's page need."""
    contradiction = contradicting_rows(run)
    packed = pack(run, contradiction)
    header = {
        **packed.header,
        "end_s": run.end / SECOND,
        "load_end_s": run.load.end / SECOND,
        "timeout_s": run.timeout,
        "counterexample": contradiction,
        "faults": _faults(run),
        "availability": _availability(run),
        "colours": {name: colour_variable(colour) for name, colour in OUTCOME.items()},
    }
    return Interactive(
        header=script_safe(header),
        operations=Markup(packed.data),
        plotly=Markup(compressed(plotly_source())),
    )


def shapes(run: StoredRun) -> list[str]:
    """Each f with the character that stands for it in the charts."""
    return [f"{mark} {f}" for mark, f in zip(MARKS, run.history.fs, strict=False)]


def plotly_source() -> bytes:
    """The plotting library's script, as its Python package carries it."""
    return (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def script_safe(data: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it can end the element."""
    return Markup(msgspec.json.encode(data).decode().replace("<", "\\u003c"))


def _faults(run: StoredRun) -> list[dict[str, Any]]:
    return [
        {
            "number": fault.number,
            "label": fault.label,
            "from": fault.begin / SECOND,
            "to": fault.ended(run.end) / SECOND,
            "colour": colour_variable(fault_colour(fault.action)),
        }
        for fault in run.faults
    ]


def _availability(run: StoredRun) -> dict[str, Any]:
    windows = by_second(run.load)
    leaders = leaders_over_time(run.history, run.nodes, run.end)
    bound = bound_over_time(run.nodes, run.faults, run.end)
    return {
        "nodes": run.nodes,
        "overall": windows.overall.tolist(),
        "by_node": windows.by_node.tolist(),
        "bound": [[time / SECOND, share] for time, share in bound],
        "leaders": {
            node: [[begin / SECOND, end / SECOND] for begin, end in spans]
            for node, spans in leaders.items()
        },
    }
