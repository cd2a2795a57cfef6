"""Puts a run's reports into its directory."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from partita.checker import History, Verdict
from partita.checker.linearizability.linearizability import beginning_of
from partita.reports.comparison import Comparison, compare, overlaid
from partita.reports.contents import Content, Plate, contents_of, ready
from partita.reports.drawing import rendered
from partita.reports.page import comparison_page, run_page, violation_page
from partita.reports.stored import RunError, read_run
from partita.reports.trace import trace_of
from partita.reports.violations.beginning import ending
from partita.reports.violations.isolation import isolation
from partita.reports.violations.violation import violation

FORMATS = ("png", "svg", "html", "trace")


def write_all(
    run_directory: Path,
    formats: Sequence[str] = ("png", "svg", "html"),
    sections: Sequence[str] = (),
) -> list[Path]:
    """Draw everything from the stored files alone; returns the files written.

    Formats: pictures as "png" and "svg", the page "html" (report.html), and "trace" (trace.json,
    in the Trace Event format). `sections` names some beside those that are installed, as
    path/to/file.py:Class. Raises `RunError` for a directory that holds no run, and for a file
    that cannot be written, `PluginError` for a section that is not there.
    """
    run = read_run(run_directory)
    kept = [kind for kind in ("png", "svg") if kind in formats]
    kinds = [*kept, "svg"] if "html" in formats and "svg" not in kept else kept
    written, contents = [], []
    if "trace" in formats:
        written.append(_write(run.directory / "trace.json", msgspec.json.encode(trace_of(run))))
    # Each is written before the next is drawn: one of them lists what lies in the directory.
    for content in contents_of(run, kinds, sections) if kinds else ():
        written += _written(content, kept, run.directory)
        contents.append(content)
    if "html" in formats:
        written.append(_write(run.directory / "report.html", run_page(run, contents).encode()))
    return written


def _written(content: Content, kinds: Sequence[str], directory: Path) -> list[Path]:
    plates = [part for part in content.parts if isinstance(part, Plate)]
    return [
        _write(directory / f"{plate.name}.{kind}", plate.files[kind])
        for plate in plates
        for kind in kinds
    ]


def page_of(run_directory: Path) -> str:
    """The page of a run as HTML, with nothing written. Raises `RunError`."""
    run = read_run(run_directory)
    return run_page(run, contents_of(run, ["svg"]))


def write_violation(history: History, verdict: Verdict, page: Path, title: str) -> bool:
    """Write a page about the violation in a history of any origin.

    False, and nothing written, if the verdict names no contradiction. Raises `RunError` if it
    cannot be written.
    """
    found = verdict.counterexample
    if found is None or not found.operations:
        return False
    if "anomalies" in verdict.details:
        drawn = [*isolation(history, verdict.details)]
    else:
        drawn = [*violation(history, found.operations)]
    if beginning := beginning_of(verdict):
        drawn += ending(history, beginning)
    parts = [ready(part, ["svg"]) for part in drawn]
    _write(page, violation_page(found.explanation, parts, title).encode())
    return True


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from error
    return path


def compared(run_directories: Sequence[Path]) -> tuple[Comparison, str]:
    """Compare stored runs: as a table, and as a page (HTML). Raises `RunError`."""
    runs = [read_run(directory) for directory in run_directories]
    comparison = compare(runs)
    picture = rendered(overlaid(runs), "overlaid", ["svg"])["svg"].decode()
    return comparison, comparison_page(comparison, picture)
