"""The run directory, and the history in it that grows event by event.

An event is one write to the file, made before the operation is sent or after its answer came:
whatever kills the controller, what is on disk is a history that can be checked, and the order
of its lines never claims more than what happened.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec


class JournalError(Exception):
    """A file of a run that cannot be written: one line with the path and the reason."""


class RunsDirError(Exception):
    """No run directory can be made there: one line with the path and the reason."""


class Journal:
    """Appends events to a history file and keeps the run's clock; safe to use from threads.

    The first write that fails is kept in `failure` and raised, and so is every later write.
    """

    def __init__(self, path: Path, *, ended: int | None = None) -> None:
        self.path = path
        self.ended = ended  # at which time it was closed, ns since the run began
        self.failure: JournalError | None = None
        self.origin = time.monotonic_ns()
        self._file = path.open("ab", buffering=0)
        self._encode = msgspec.json.Encoder().encode

    def now(self) -> int:
        """Return the ns since the run began, until it was over."""
        return time.monotonic_ns() - self.origin if self.ended is None else self.ended

    def begin(self) -> None:
        """Let the run begin now."""
        self.origin = time.monotonic_ns()

    def note(self, kind: str, process: str, f: str, value: Any, error: str | None = None) -> None:
        """Record an event of the nemesis or of the monitor."""
        event = {"time": self.now(), "type": kind, "process": process, "f": f, "value": value}
        self.record(event | ({"error": error} if error else {}))

    def record(self, event: dict[str, Any]) -> None:
        """Write one event, whole, before returning. Raises `JournalError`."""
        if self.failure:
            raise self.failure
        line = self._encode(event) + b"\n"
        try:
            written = self._file.write(line)
        except ValueError:  # a client that hung came back after the end
            raise JournalError(f"the history {self.path} is closed") from None
        except OSError as error:
            self._fail(str(error.strerror))
        else:
            if written != len(line):
                self._fail("No space left on device")

    def close(self) -> None:
        self.ended = self.now()
        self._file.close()

    @contextmanager
    def reopened(self) -> Iterator["Journal"]:
        """Lend a journal of the same history, in which everything happens when this one ended.

        So what is found afterwards does not make a run longer than it was.
        """
        after = Journal(self.path, ended=self.ended)
        try:
            yield after
        finally:
            after.close()

    def _fail(self, reason: str) -> None:
        self.failure = JournalError(
            f"cannot write the history {self.path}: {reason}: what is written is kept, "
            "make room and run again"
        )
        raise self.failure


def require_runs(runs: Path) -> None:
    """See to it that runs can be stored there. Raises `RunsDirError`."""
    try:
        runs.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=runs):
            pass
    except OSError as error:
        raise _nowhere(runs, error) from error


def _nowhere(runs: Path, error: OSError) -> RunsDirError:
    said = f"cannot make a run directory in {runs}: {error.strerror}: choose another --runs-dir"
    return RunsDirError(said)


def make_run_directory(runs: Path, label: str) -> Path:
    """Make runs/<label>/<UTC time>/ and let runs/latest point at it. Raises `RunsDirError`."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    try:
        for attempt in range(1000):
            directory = runs / label / (stamp if not attempt else f"{stamp}-{attempt}")
            try:
                directory.mkdir(parents=True)
                break
            except FileExistsError:
                if not directory.is_dir():
                    raise
        _point_latest(runs, directory)
    except OSError as error:
        raise _nowhere(runs, error) from error
    return directory


def write_json(path: Path, document: Any) -> None:
    """Write a JSON file whole or not at all. Raises `JournalError`."""
    temporary = path.with_name(path.name + ".new")
    try:
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")
        temporary.rename(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise JournalError(
            f"cannot write {path}: {error.strerror}: the history beside it is whole, "
            f"make room and: partita check {path.parent}"
        ) from error


def _point_latest(runs: Path, directory: Path) -> None:
    link = runs / f".latest.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(directory.relative_to(runs))
    link.rename(runs / "latest")
