"""Who said what to whom: the space-time diagram of a run, and what its messages come to."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from partita.reports.carried import carried
from partita.reports.diagram import diagram
from partita.reports.figures.messages import between_nodes, by_operation, by_type
from partita.reports.fragments import fragment
from partita.reports.interactive import script_safe
from partita.reports.messages import FILE, Messages, read_messages
from partita.reports.section import Part, Picture
from partita.reports.spacetime import SpaceTime, space_time
from partita.reports.stored import StoredRun

TYPES_MAX = 30
EARLIER_MAX = 3  # pictures of what lies too far back for the first one


class SpaceTimeDiagram:
    """Who said what to whom: lines for nodes and clients, arrows for messages."""

    title = "Messages"
    order = 35

    def applies(self, run: StoredRun) -> bool:
        path = run.directory / FILE
        return path.is_file() and path.stat().st_size > 0

    def draw(self, run: StoredRun) -> Iterator[Part]:
        messages = read_messages(run.directory)
        if messages is None or not len(messages):
            yield "No message was written down."
            return
        drawn = space_time(run, messages)
        figure, there, kept = diagram(drawn)
        packed = carried(drawn)
        yield fragment(
            "messages.html", header=script_safe(packed.header), data=packed.data, packed=packed
        )
        yield Picture("messages", figure, _caption(drawn, there, kept), still=True)
        for number, part in enumerate(islice(drawn.before(), EARLIER_MAX), 1):
            figure, there, kept = diagram(part)
            yield Picture(f"messages-before-{number}", figure, _caption(part, there, kept))
        yield fragment("messages_table.html", **_figures(run, drawn, messages))


def _caption(drawn: SpaceTime, there: int, kept: int) -> str:
    begin, end = (moment / 1e9 for moment in drawn.interval)
    where = "around the operations that the verdict names" if drawn.named else "as an example"
    where = (
        "around an operation that the verdict names and that came before" if drawn.early else where
    )
    what = f"Messages from {begin:.3f} s to {end:.3f} s, {where}"
    if there > kept:
        return f"{what}: {kept:,} of {there:,} are drawn, with all that were lost."
    return f"{what}: {there:,} of them."


def _figures(run: StoredRun, drawn: SpaceTime, messages: Messages) -> dict[str, Any]:
    types = by_type(messages)
    between, said = between_nodes(messages), run.results.get("messages") or {}
    operations = by_operation(drawn.requests, run.history)
    asked = sum(each.asked for each in operations)
    return {
        "types": types[:TYPES_MAX],
        "more": types[TYPES_MAX:],
        "operations": operations,
        "between": between,
        "each": between / asked if asked else None,
        "cpu_s": said.get("router_cpu_s"),
        "share": _share(said.get("router_cpu_s"), run),
        "left_out": int(said.get("left_out") or 0) + messages.unread,
        "slowed": said.get("slowed") or {},
        "unreadable": messages.unreadable,
        "count": int((~messages.copy).sum()),
    }


def _share(cpu_s: Any, run: StoredRun) -> float | None:
    return cpu_s / (run.end / 1e9) if isinstance(cpu_s, int | float) else None
