"""`partita list`: what there is of each kind, and where it comes from."""

import json
import sys
from dataclasses import asdict, dataclass, replace

import click

from partita.checker.plugins import KINDS, Entry, PluginError, entries, find, summary

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One thing. `problem` says why it cannot be loaded, None if it can.

    `here` says whether this machine can have it, None if that was not asked.
    """

    kind: str
    name: str
    source: str
    summary: str
    problem: str | None = None
    here: str | None = None


@click.command("list")
@click.argument("kind", required=False, type=click.Choice(list(KINDS)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@click.option("--here", is_flag=True, help="Try each on a node that is thrown away: faults, disks.")
def list_things(kind: str | None, as_json: bool, here: bool) -> None:
    """List what there is of each KIND, ours and what other packages bring along.

    Anything listed is named on the command line as it stands here; path/to/file.py:Class works
    in its place.
    """
    if here and kind not in ("faults", "disks"):
        raise click.UsageError("--here goes with: partita list faults, partita list disks")
    rows = [row for each in ([kind] if kind else KINDS) for row in _rows(each)]
    if here:
        rows = _tried(rows)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=1))
        return
    width = max((len(row.name) for row in rows), default=0)
    for each in dict.fromkeys(row.kind for row in rows):
        click.echo(f"{click.style(each, bold=True)}: {KINDS[each]}")
        for row in rows:
            if row.kind == each:
                _print(row, width)


def _rows(kind: str) -> list[Row]:
    return [_row(kind, entry) for entry in entries(kind).values()]


def _row(kind: str, entry: Entry) -> Row:
    """One that cannot be loaded is listed too, with the reason."""
    try:
        thing = find(kind, entry.name)
    except PluginError as error:
        return Row(kind, entry.name, entry.source, "", str(error))
    # What is no class says what it is at the top of its file.
    speaker = thing if callable(thing) else sys.modules[entry.point.module]
    return Row(kind, entry.name, entry.source, summary(speaker))


def _tried(rows: list[Row]) -> list[Row]:
    # Here, because a list must not pay for what makes nodes.
    from partita.harness.nodes.fault_probe import faults_here

    said = {(f"{each.kind}s", each.name): each.said for each in faults_here()}
    return [replace(row, here=said.get((row.kind, row.name))) for row in rows]


def _print(row: Row, width: int) -> None:
    foreign = "" if row.source == "partita" else f" ({row.source})"
    said = click.style(row.problem, fg="red") if row.problem else row.summary
    click.echo(f"  {row.name:<{width}}  {said}{foreign}")
    if row.here:
        click.echo(f"  {'':<{width}}  {row.here}")
