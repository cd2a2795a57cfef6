"""`partita report` and `partita compare`: stored runs drawn again, and side by side."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from partita import reports
from partita.harness.commands.written_files import refuse_page


def _formats(context: click.Context, param: click.Parameter, value: str) -> list[str]:
    formats = [each.strip() for each in value.split(",")]
    for each in formats:
        if each not in reports.FORMATS:
            known = ", ".join(reports.FORMATS)
            raise click.BadParameter(f"there is no format {each!r}: choose of {known}")
    return formats


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "formats",
    callback=_formats,
    default="png,svg,html",
    show_default=True,
    help=f"What to draw: {', '.join(reports.FORMATS)}, separated by commas.",
)
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="FILE.py:CLASS",
    help="Show a section of your own, too; may be repeated.",
)
def report(run: Path, formats: list[str], sections: Sequence[str]) -> None:
    """Draw the stored RUN again, from its files alone, and name the files written."""
    for path in reports.write_all(run, formats, sections):
        click.echo(path)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(path_type=Path), help="Write a page, with charts, too.")
def compare(runs: Sequence[Path], html: Path | None) -> None:
    """Show stored RUNS of one workload side by side."""
    if html:
        refuse_page(html)
    comparison, page = reports.compared(runs)
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    for name in comparison.names:
        table.add_column(name)
    for name, values in comparison.rows:
        style = "bold" if len(set(values)) > 1 else ""
        table.add_row(name, *values, style=style)
    Console().print(table)
    if html:
        _write(html, page)


def _write(path: Path, page: str) -> None:
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror}") from error
