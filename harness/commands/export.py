"""`partita export`: a stored run for the tools that other people have."""

import sys
from pathlib import Path

import click

from partita.harness.run.progress import Progress
from partita.reports import exports


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--to",
    required=True,
    metavar="TARGET",
    help="FILE.parquet, FILE.jsonl, or http://HOST:PORT of a collector.",
)
def export(run: Path, to: str) -> None:
    """Give the stored RUN to other tools: as Parquet, or as spans of OpenTelemetry.

    FILE.parquet has a row for each event of the history. FILE.jsonl has the run as one trace, in
    OTLP: a span for each operation and each fault. An address gets the same spans, by OTLP over
    HTTP. A file is written whole or not at all.
    """
    progress = Progress()
    if sys.stderr.isatty():  # elsewhere, only what takes long is worth a line
        progress.say("reading the run")
    try:
        said = exports.export(run, to, lambda done, of: _tell(progress, done, of))
    finally:
        progress.close()
    click.echo(said)


def _tell(progress: Progress, done: int, of: int) -> None:
    if done:
        progress.tick(f"{done:,} of {of:,} written")
