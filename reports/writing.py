"""Puts a run's reports into its directory."""

from pathlib import Path

from checker import History, Verdict
from reports.charts import charts_of, save
from reports.interactive import counterexample
from reports.page import run_page, violation_page
from reports.sentences import verdict_sentence
from reports.stored import StoredRun, read_run
from reports.violation import Violation, violation_of, violation_of_verdict


def write_all(run_directory: Path) -> list[Path]:
    """Draw everything from the stored files alone; returns the files written.

    Raises `RunError` for a directory that holds no run.
    """
    run = read_run(run_directory)
    drawn = {name: save(figure, run.directory, name) for name, figure in charts_of(run)}
    violation = _violation(run)
    pictures = violation.pictures.values() if violation else ()
    page = run.directory / "report.html"
    charts = {name: svg for name, (_, svg) in drawn.items()}
    page.write_text(run_page(run, charts, violation), encoding="utf-8")
    files = [path for pair in drawn.values() for path in pair]
    files += [path for svg in pictures for path in (svg.with_suffix(".png"), svg)]
    return [*files, page]


def _violation(run: StoredRun) -> Violation | None:
    rows = counterexample(run)
    if not rows or run.results.get("valid") is not False:
        return None
    return violation_of(run.history, rows, verdict_sentence(run.results), run.directory)


def write_violation(history: History, verdict: Verdict, page: Path, title: str) -> bool:
    """Write a page about the violation in a history of any origin, its pictures beside it.

    False, and nothing written, if the verdict names no contradiction.
    """
    violation = violation_of_verdict(history, verdict, page.parent)
    if violation is None:
        return False
    page.write_text(violation_page(violation, title), encoding="utf-8")
    return True
