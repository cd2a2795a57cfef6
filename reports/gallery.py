"""Many runs at a glance: what lies under a directory of runs, from the small files alone.

A history may have millions of events, and there may be hundreds of runs: a row of the list is made
of `run.json` and `results.json`. What is missing or broken is said in the row, not hidden.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from partita.reports.facts import steps_of
from partita.reports.sentences import brief_checks, verdict_sentence, verdict_word
from partita.reports.stored import RunError, read_results, read_spec


@dataclass(frozen=True, slots=True)
class Row:
    """One run in the list. `path` is relative to the directory of runs; shares run from 0 to 1.

    `state` is "Valid", "Invalid", "Unknown", "Running", "Unfinished" (no results, and nobody at
    work on them) or "Unreadable" (`note` says why). `missed` are the thresholds that it missed, as
    sentences. `checks` are what each check found, by its name. Figures are None where nobody knows.
    """

    path: str
    state: str
    note: str
    missed: tuple[str, ...] = ()
    checks: tuple[tuple[str, str], ...] = ()
    system: str = ""
    workload: str = ""
    faults: str = ""
    started: str = ""
    availability: float | None = None
    longest_unavailability: float | None = None
    operations: int | None = None
    seconds: float | None = None


def rows_of(runs: Path) -> list[Row]:
    """All runs under a directory, the latest first."""
    runs = runs.resolve()
    rows = [_row(runs, directory) for directory in _run_directories(runs)]
    return sorted(rows, key=lambda row: (row.started, row.path), reverse=True)


def _run_directories(runs: Path) -> Iterator[Path]:
    """Directories with a `run.json`; links are not followed, so `latest` is not a run again."""
    for folder, folders, files in os.walk(runs):
        if "run.json" in files:
            folders.clear()
            yield Path(folder)


def _row(runs: Path, directory: Path) -> Row:
    path = directory.relative_to(runs).as_posix()
    if leads_outside(directory, runs):
        return Row(path, "Unreadable", "a link in it leads out of the directory of runs")
    try:
        spec = read_spec(directory)
        results = read_results(directory)
        state, note = _state(directory, results)
        return _known(Row(path, state, note), spec, results)
    except RunError as error:
        return Row(path, "Unreadable", str(error))


def _state(directory: Path, results: Mapping[str, Any]) -> tuple[str, str]:
    if (directory / "results.json").exists():
        return verdict_word(results), verdict_sentence(results)
    if is_alive(directory):
        return "Running", "in progress"
    return "Unfinished", "it has no results: partita check reads its history all the same"


def is_alive(directory: Path) -> bool:
    """Whether a run is in progress: its controller holds a lock on the log that it writes.

    It does so until everything is checked and drawn.
    """
    try:
        log = os.open(directory / "controller.log", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(log)
    return False


def leads_outside(directory: Path, root: Path) -> bool:
    """Whether a link somewhere in a directory leads to what is not below `root`."""
    return any(
        path.is_symlink() and not path.resolve().is_relative_to(root)
        for folder, folders, files in os.walk(directory)
        for path in (Path(folder, name) for name in (*folders, *files))
    )


def _known(row: Row, spec: Mapping[str, Any], results: Mapping[str, Any]) -> Row:
    """The row with what was run, and the figures that came out."""
    faults = [
        f"{step.get('action', '')} {step.get('target') or ''}".strip() for step in steps_of(spec)
    ]
    return replace(
        row,
        missed=tuple(results.get("missed") or ()),
        checks=tuple(brief_checks(results).items()),
        system=str(spec.get("system", "")),
        workload=str(spec.get("workload", "")),
        started=str(spec.get("started", "")),
        faults=", ".join(dict.fromkeys(faults)),
        seconds=results.get("seconds"),
        availability=results.get("availability"),
        longest_unavailability=results.get("longest_unavailability"),
        operations=results.get("operations"),
    )
