"""Processes that outlive a call, and that are found and ended again whoever started them.

Each bears a mark in its environment. A stored list of ids would miss a process whose starter
was killed before it could store anything.
"""

import os
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = "PARTITA_CLUSTER"
END_WAIT_S = 10.0


class NotReadyError(Exception):
    """A process that ended before it was ready: the last line of what it said."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that we started. A process id may be used again, an id and a start time not."""

    pid: int
    started: int

    @staticmethod
    def of(pid: int) -> "Process":
        return Process(pid, _start_time(pid) or 0)

    def alive(self) -> bool:
        return _start_time(self.pid) == self.started

    def kill(self) -> None:
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, 9)


def start(mark: str, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a process that bears the mark and that Ctrl-C in our terminal spares."""
    return subprocess.Popen(
        command,
        env=os.environ | {MARK: mark},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def await_ready(process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process says "ready". Raises `NotReadyError` if it ends before."""
    assert process.stdout is not None
    if process.stdout.readline() == b"ready\n":
        return
    _, stderr = process.communicate()
    said = stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
    raise NotReadyError(said[-1])


def marked(mark: str) -> list[Process]:
    """Return the living processes that bear the mark, as far as this user may see them."""
    wanted = f"{MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                process = Process.of(int(entry.name))
                if wanted in (entry / "environ").read_bytes().split(b"\0") and process.alive():
                    found.append(process)
    return found


def end_all(mark: str) -> list[int]:
    """Kill the processes that bear the mark and wait; return the ids of those that stay."""
    deadline = time.monotonic() + END_WAIT_S
    while (found := marked(mark)) and time.monotonic() < deadline:
        for process in found:
            process.kill()
            with suppress(ChildProcessError):
                os.waitpid(process.pid, os.WNOHANG)
        time.sleep(0.01)
    return [process.pid for process in marked(mark)]


def _start_time(pid: int) -> int | None:
    """Return when a process started, in the kernel's ticks, or None if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else int(fields[19])
