"""A run as it lies in its directory: all that any report is drawn from.

Reading is where a directory of the wrong kind is refused, with one line that says why; whoever
draws may rely on what is here.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from checker import History, HistoryError
from reports.availability import Load, load_of
from reports.faults import Fault, faults_of
from reports.summary import summarise

NEWEST_FORMAT = 1


class RunError(Exception):
    """A run directory that cannot be reported on: one line that says why."""


@dataclass
class StoredRun:
    """A run: its directory, `run.json`, its history, and what came out (`results.json`).

    Availability, faults and statistics in `results` are computed anew from the history, so that
    nothing is shown that the stored events do not support.
    """

    directory: Path
    spec: dict[str, Any]
    history: History
    results: dict[str, Any]

    @cached_property
    def faults(self) -> list[Fault]:
        return faults_of(self.history)

    @cached_property
    def nodes(self) -> list[str]:
        return list(self.spec.get("nodes") or self.history.nodes)

    @cached_property
    def load(self) -> Load:
        return load_of(self.history, self.nodes, self.timeout)

    @property
    def timeout(self) -> float:
        """An operation's time-out, seconds."""
        return float(self.spec["timeout"])

    @cached_property
    def end(self) -> int:
        """When the last event happened, ns since the run began."""
        times = [event.time for event in self.history.others]
        columns = (self.history.invoked_ns, self.history.completed_ns)
        return max(1, *times, *(int(column.max(initial=0)) for column in columns))

    @property
    def name(self) -> str:
        """System and workload, as the run directory's parent says too."""
        return f"{self.spec.get('system', '?')} {self.spec.get('workload', '?')}"


def read_run(directory: Path) -> StoredRun:
    """Read a run directory.

    Raises `RunError` where it is not one, is half-written, or comes from a newer version. A run
    without `results.json` is shown as unknown: nobody has checked it yet.
    """
    directory = Path(directory)
    if not directory.is_dir():
        raise RunError(f"{directory} is no directory: give that of a run, such as runs/latest")
    spec = _read_spec(directory)
    history = _read_history(directory / "history.jsonl")
    try:
        figures = summarise(history, spec)
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{directory}: run.json or history.jsonl is foreign: {error!r}") from error
    return StoredRun(directory.resolve(), spec, history, _read_verdict(directory) | figures)


def _read_spec(directory: Path) -> dict[str, Any]:
    path = directory / "run.json"
    if not path.exists():
        raise RunError(f"{directory} is no run directory: it has no run.json")
    spec = read_json(path)
    if spec.get("format", NEWEST_FORMAT) > NEWEST_FORMAT:
        raise RunError(f"{path} was written by a newer Partita: report on it with that version")
    missing = [name for name in ("nodes", "timeout") if name not in spec]
    if missing:
        raise RunError(f"{path} does not name the run's {' and '.join(missing)}: not Partita's?")
    return spec


def _read_history(path: Path) -> History:
    if not path.exists():
        raise RunError(f"{path.parent} has no history.jsonl: the run recorded nothing")
    try:
        return History.read(path)
    except (HistoryError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error


def _read_verdict(directory: Path) -> dict[str, Any]:
    path = directory / "results.json"
    if not path.exists():
        return {"valid": "unknown", "reason": "the history of this run has not been checked"}
    return read_json(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object. Raises `RunError`."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise RunError(f"{path} holds no JSON object: not Partita's?")
    return found
