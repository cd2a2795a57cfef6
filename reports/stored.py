"""A run as it lies in its directory: all that any report is drawn from.

Reading is where a directory of the wrong kind is refused, with one line that says why; whoever
draws may rely on what is here.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Required, TypedDict

import msgspec

from partita.checker import History, HistoryError
from partita.reports.figures.availability import Load, load_of, reads_of
from partita.reports.figures.faults import SECOND, Fault, faults_of
from partita.reports.figures.summary import summarise

NEWEST_FORMAT = 2
SPAN_S_MAX = 2_000_000


class RunError(Exception):
    """A run directory that cannot be reported on: one line that says why."""


class _Step(TypedDict, total=False):
    at: float
    action: str
    target: str | None


class _Arguments(TypedDict, total=False):
    """What a run was asked for: all else in there is read by whoever repeats it."""

    system: str
    workload: str


class _Spec(TypedDict, total=False):
    """What is used of run.json. Whatever else stands there is left alone."""

    format: int
    system: str
    workload: str
    nodes: Required[list[str]]
    timeout: Required[float]
    rate: float | None
    time_limit: float | None
    concurrency: int | None
    seed: int | None
    reads: str | None
    schedule: list[_Step] | None
    arguments: _Arguments | None
    versions: dict[str, str] | None
    started: str | None
    command: str | None
    options: dict[str, dict[str, Any] | None] | None
    operations: dict[str, dict[str, Any]] | None
    promised: dict[str, str | None] | None
    expect: dict[str, str | None] | None


class _Verdict(TypedDict, total=False):
    model: str
    reason: str | None
    explanation: str | None
    counterexample: list[int] | None


class _Beginning(TypedDict):
    end: int
    last: list[int]
    stuck: list[int]


class _Refutation(TypedDict, total=False):
    explanation: str | None
    counterexample: list[int] | None
    beginning: _Beginning | None


class _Check(TypedDict, total=False):
    expected: str | None
    asked: str | None
    holds: str | None
    valid: bool | Literal["unknown"] | None
    applies: bool | None
    levels: dict[str, bool | Literal["unknown"]] | None
    reason: str | None
    refuted: dict[str, _Refutation] | None
    engine: str | None
    model: str | None
    seconds: float | None
    figures: dict[str, Any] | None
    notes: list[str] | None


class _Results(TypedDict, total=False):
    """What is used of results.json beside what is computed anew."""

    valid: bool | Literal["unknown"]
    reason: str | None
    missed: list[str]
    passed: bool
    acknowledged: int | None
    operations: int
    availability: float | None
    longest_unavailability: float | None
    seconds: float | None
    lost: int | None
    duplicated: int | None
    reordered: int | None
    recovered: int | None
    unexpected: int | None
    verdict: _Verdict | None
    checks: dict[str, _Check] | None
    notes: list[str] | None
    messages: dict[str, Any] | None


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
        return load_of(self.history, self.nodes, self.timeout, reads_of(self.spec))

    @property
    def timeout(self) -> float:
        """An operation's time-out, seconds."""
        return float(self.spec["timeout"])

    @cached_property
    def end(self) -> int:
        """When the last event happened, ns since the run began; no run takes no time at all."""
        return max(1, self.history.end)

    @cached_property
    def began_ns(self) -> int | None:
        """The run's zero, ns since 1970; None where nobody wrote it down.

        It is the event `began` of the monitor, or where there is none, when the run was started.
        """
        began = next(self.history.others.of("began"), None)
        said = began.value if began else self.spec.get("started")
        try:
            moment = datetime.fromisoformat(str(said))
        except ValueError:
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since = moment - datetime.fromtimestamp(0, UTC)
        return since // timedelta(microseconds=1) * 1000 - (max(0, began.time) if began else 0)

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
    spec = read_spec(directory)
    history = _read_history(directory / "history.jsonl")
    verdict = _of_this_history(read_results(directory), history)
    try:
        figures = summarise(history, spec)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunError(f"{directory}: run.json or history.jsonl is foreign: {error!r}") from error
    return StoredRun(directory.resolve(), spec, history, verdict | figures)


def read_spec(directory: Path) -> dict[str, Any]:
    """Read a run's `run.json`. Raises `RunError` where there is none of ours."""
    path = directory / "run.json"
    if not path.exists():
        raise RunError(f"{directory} is no run directory: it has no run.json")
    spec = read_json(path)
    written_as = spec.get("format")
    if isinstance(written_as, int) and written_as > NEWEST_FORMAT:
        raise RunError(f"{path} was written by a newer Partita: use that version for it")
    _of_our_shape(path, spec, _Spec)
    if not 0 < spec["timeout"] <= SPAN_S_MAX:
        raise RunError(f"{path} is foreign: no operation has a time-out of {spec['timeout']:g} s")
    return spec


def _read_history(path: Path) -> History:
    if not path.exists():
        raise RunError(f"{path.parent} has no history.jsonl: the run recorded nothing")
    try:
        history = History.read(path)
    except (HistoryError, msgspec.DecodeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path}: {error}") from error
    if max(history.end, int(history.due_ns.max(initial=0))) > SPAN_S_MAX * SECOND:
        raise RunError(f"{path}: its times are no ns since the run began: it would last for weeks")
    return history


def read_results(directory: Path) -> dict[str, Any]:
    """Read a run's `results.json`: unknown if nobody has checked the run. Raises `RunError`."""
    path = directory / "results.json"
    if not path.exists():
        return {"valid": "unknown", "reason": "the history of this run has not been checked"}
    return _of_our_shape(path, read_json(path), _Results)


def _of_this_history(results: dict[str, Any], history: History) -> dict[str, Any]:
    """Drop a verdict that is about another history, such as this one before it was cut off."""
    checked, found = results.get("operations"), len(history)
    if checked is None or checked == found:
        return results
    reason = f"the stored verdict is about {checked:,} operations, the history has {found:,} now"
    return {"valid": "unknown", "reason": reason}


def _of_our_shape(path: Path, found: dict[str, Any], shape: type) -> dict[str, Any]:
    try:
        msgspec.convert(found, shape)
    except msgspec.ValidationError as error:
        raise RunError(f"{path} is foreign: {error}") from error
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Read a file that holds one JSON object. Raises `RunError`."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise RunError(f"{path} holds no JSON object: not Partita's?")
    return found
