"""Puts a run's reports into its directory."""

from pathlib import Path

from reports.charts import charts_of, save
from reports.page import run_page
from reports.stored import read_run


def write_all(run_directory: Path) -> list[Path]:
    """Draw everything from the stored files alone; returns the files written.

    Raises `RunError` for a directory that holds no run.
    """
    run = read_run(run_directory)
    written: list[Path] = []
    drawn: dict[str, Path] = {}
    for name, figure in charts_of(run):
        png, svg = save(figure, run.directory, name)
        written += [png, svg]
        drawn[name] = svg
    page = run.directory / "report.html"
    page.write_text(run_page(run, drawn), encoding="utf-8")
    return [*written, page]
