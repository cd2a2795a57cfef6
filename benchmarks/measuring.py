"""One tool on one history, in a process of its own, within limits.

A tool is a program that is given a file and a time limit and prints one JSON object with
`valid` (true, false or "unknown") and `seconds` (of the check alone). Its peak memory and the time
of the whole command are measured from outside, the same way for all tools.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Starting, reading and warming up are not part of the check: a tool has so long for them.
_AROUND_SECONDS = 90
_POLL_SECONDS = 0.05
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a check may take, and how much its whole process may hold."""

    seconds: float
    memory_mb: int


@dataclass(frozen=True, slots=True)
class Tool:
    """A checker: its name, and the command that checks a file within limits."""

    name: str
    command: Callable[[Path, Limits], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What a tool said, and what it took. `why` says why it decided nothing.

    `explaining_seconds` of the check went into finding what contradicts, once that was decided.
    `processor_seconds` are those of the whole command: what it took does not depend on what else
    the machine had to do.
    """

    valid: bool | str
    seconds: float
    load_seconds: float | None
    wall_seconds: float
    peak_mb: float
    why: str | None
    explaining_seconds: float = 0.0
    processor_seconds: float = 0.0


def partita(*asked: str) -> Tool:
    """Return the checker of this repository, called with what is `asked` of a history."""
    program = str(Path(sys.executable).with_name("partita"))

    def command(file: Path, limits: Limits) -> Sequence[str]:
        bounds = ["--time-limit", str(limits.seconds), "--memory-limit", f"{limits.memory_mb}MB"]
        return [program, "check", "--json", *asked, *bounds, str(file)]

    return Tool("partita", command)


def peer(name: str, program: Path) -> Tool:
    """Return another checker, called as `program FILE SECONDS`."""
    return Tool(name, lambda file, limits: [str(program), str(file), str(limits.seconds)])


def smallest_mb() -> float:
    """Return below what peak memory cannot be measured.

    A child begins as a copy of this process, and Linux counts that towards the child's peak.
    """
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def measure(tool: Tool, file: Path, limits: Limits) -> Measurement:
    """Run a tool on a history; if it oversteps a limit, end it and call that unknown."""
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as complaints:
        begin = time.perf_counter()
        process = subprocess.Popen(
            tool.command(file, limits), stdout=said, stderr=complaints, start_new_session=True
        )
        watch = _Watch(process.pid, limits)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        overstepped = watch.leave()
        said.seek(0)
        complaints.seek(0)
        answer = _answer(said.read(), complaints.read(), overstepped)
    return Measurement(
        valid=answer["valid"],
        seconds=answer.get("seconds", limits.seconds),
        load_seconds=answer.get("load_seconds"),
        wall_seconds=wall,
        peak_mb=usage.ru_maxrss / 1e3,
        why=_why(answer) if answer["valid"] == "unknown" else None,
        explaining_seconds=(answer.get("details") or {}).get("explaining_seconds", 0.0),
        processor_seconds=usage.ru_utime + usage.ru_stime,
    )


def _answer(said: bytes, complaints: bytes, overstepped: str | None) -> dict[str, Any]:
    if overstepped:
        return {"valid": "unknown", "reason": overstepped}
    for line in reversed(said.splitlines()):
        if line.startswith(b"{"):
            answer: dict[str, Any] = json.loads(line)
            return answer
    last = complaints.decode(errors="replace").strip().splitlines()[-1:]
    return {"valid": "unknown", "reason": " ".join(["no answer", *last])}


def _why(answer: dict[str, Any]) -> str:
    return str(answer.get("reason") or "time limit reached")


class _Watch:
    """A thread that ends a process which oversteps a limit."""

    def __init__(self, pid: int, limits: Limits) -> None:
        self.pid, self.limits = pid, limits
        self.overstepped: str | None = None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        deadline = time.monotonic() + self.limits.seconds + _AROUND_SECONDS
        while not self.over.wait(_POLL_SECONDS):
            if self.memory_mb() > self.limits.memory_mb:
                self.overstepped = "memory limit reached"
            elif time.monotonic() > deadline:
                self.overstepped = "time limit reached"
            else:
                continue
            os.killpg(self.pid, signal.SIGKILL)
            return

    def memory_mb(self) -> float:
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE / 1e6
        except (OSError, IndexError):
            return 0.0

    def leave(self) -> str | None:
        self.over.set()
        self.thread.join()
        return self.overstepped
