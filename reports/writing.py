"""Puts a run's reports into its directory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from matplotlib.figure import Figure

from partita.checker import History, Verdict
from partita.reports.charts import charts_of, rendered
from partita.reports.comparison import Comparison, compare, overlaid
from partita.reports.interactive import counterexample
from partita.reports.page import comparison_page, run_page, violation_page
from partita.reports.sentences import verdict_sentence
from partita.reports.stored import RunError, StoredRun, read_run
from partita.reports.trace import trace_of
from partita.reports.violation import Violation, violation_of, violation_of_verdict

FORMATS = ("png", "svg", "html", "trace")


def write_all(run_directory: Path, formats: Sequence[str] = ("png", "svg", "html")) -> list[Path]:
    """Draw everything from the stored files alone; returns the files written.

    Formats: pictures as "png" and "svg", the page "html" (report.html), and "trace" (trace.json,
    in the Trace Event format). Raises `RunError` for a directory that holds no run, and for a file
    that cannot be written.
    """
    run = read_run(run_directory)
    violation = _violation(run)
    figures = dict(charts_of(run)) | (violation.figures if violation else {})
    files = _pictures(figures, formats)
    if "trace" in formats:
        files["trace.json"] = msgspec.json.encode(trace_of(run))
    for name, content in files.items():
        _write(run.directory / name, content)
    if "html" in formats:
        # Last, since it lists what lies in the directory.
        pictures = {
            name: (files.get(f"{name}.svg") or _svg(figure, name)).decode()
            for name, figure in figures.items()
        }
        files["report.html"] = run_page(run, pictures, violation).encode()
        _write(run.directory / "report.html", files["report.html"])
    return [run.directory / name for name in files]


def page_of(run_directory: Path) -> str:
    """The page of a run as HTML, with nothing written. Raises `RunError`."""
    run = read_run(run_directory)
    violation = _violation(run)
    figures = dict(charts_of(run)) | (violation.figures if violation else {})
    pictures = {name: _svg(figure, name).decode() for name, figure in figures.items()}
    return run_page(run, pictures, violation)


def _pictures(figures: Mapping[str, Figure], formats: Sequence[str]) -> dict[str, bytes]:
    """The files that the pictures make, by their names."""
    kinds = [kind for kind in ("png", "svg") if kind in formats]
    return {
        f"{name}.{kind}": rendered(figure, name, kind)
        for name, figure in figures.items()
        for kind in kinds
    }


def _svg(figure: Figure, name: str) -> bytes:
    return rendered(figure, name, "svg")


def _violation(run: StoredRun) -> Violation | None:
    rows = counterexample(run)
    if not rows or run.results.get("valid") is not False:
        return None
    return violation_of(run.history, rows, verdict_sentence(run.results))


def write_violation(history: History, verdict: Verdict, page: Path, title: str) -> bool:
    """Write a page about the violation in a history of any origin.

    False, and nothing written, if the verdict names no contradiction. Raises `RunError` if it
    cannot be written.
    """
    violation = violation_of_verdict(history, verdict)
    if violation is None:
        return False
    pictures = {name: _svg(figure, name).decode() for name, figure in violation.figures.items()}
    _write(page, violation_page(violation, pictures, title).encode())
    return True


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error


def compared(run_directories: Sequence[Path]) -> tuple[Comparison, str]:
    """Compare stored runs: as a table, and as a page (HTML). Raises `RunError`."""
    runs = [read_run(directory) for directory in run_directories]
    comparison = compare(runs)
    picture = rendered(overlaid(runs), "overlaid", "svg").decode()
    return comparison, comparison_page(comparison, picture)
