"""A client that is a program of the user's: JSON lines on its stdin and stdout.

One process serves one worker, one request at a time. Nobody knows what became of a request whose
answer did not come, so a program that hangs, dies or prints something else leaves it open.
"""

import json
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from partita.workloads.client import UNKNOWN_VERSION, Answer, Definite, Indefinite, Mismatch

END_S = 1.0
SHOWN = 80


class ProgramClient:
    """Runs `command` in `folder` and asks it; each call gives up after `timeout` seconds.

    What the program writes to stderr goes to the controller's.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], timeout: float
    ) -> None:
        self._timeout = timeout
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                _found(command, folder),
                cwd=folder,
                env=os.environ | dict(variables) | {"TIMEOUT": f"{timeout:g}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise Definite(f"the client program cannot be started: {error}") from error

    def read(self, key: str) -> Answer:
        said = self.ask("read", key, None)
        value = said.get("value")
        if value is not None and not isinstance(value, str):
            raise Indefinite(f"the client program read {value!r}, which is no text")
        return _answer(said, value)

    def write(self, key: str, value: str) -> Answer:
        return _answer(self.ask("write", key, value))

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        return _answer(self.ask("cas", key, [old, new]))

    def close(self) -> None:
        """End the program: by closing its stdin, or by force if it does not take the hint."""
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        try:
            self._process.wait(END_S if self._process.poll() is None else 0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def ask(self, f: str, key: str | None, value: Any) -> dict[str, Any]:
        """Make a request of the program; return its answer, or raise what that says."""
        request = json.dumps({"f": f, "key": key, "value": value}) + "\n"
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(request.encode())
            stdin.flush()
        except OSError as error:
            raise Indefinite(self._ended()) from error
        return _judged(self._line(time.monotonic() + self._timeout))

    def _line(self, deadline: float) -> bytes:
        """Return the next line that the program prints; raises `Indefinite` if there is none."""
        stdout = self._process.stdout
        assert stdout is not None
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([stdout], [], [], left)[0]:
                # What it may print later belongs to this request, not to the next one.
                self._process.kill()
                raise Indefinite(f"the client program said nothing for {self._timeout:g} s")
            block = os.read(stdout.fileno(), 1 << 16)
            if not block:
                raise Indefinite(self._ended())
            self._rest += block
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def _ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return f"the client program ended with status {self._process.poll()}"


def _found(command: Sequence[str], folder: Path) -> list[str]:
    # A program beside the store.toml may be named as it lies there.
    beside = folder / command[0]
    return [str(beside) if beside.is_file() else command[0], *command[1:]]


def _answer(said: dict[str, Any], value: str | None = None) -> Answer:
    """Return what the program said beside the value: the version, and the session."""
    session = {"session": said["session"]} if "session" in said else {}
    return Answer(value, said.get("version", UNKNOWN_VERSION), session)


def _judged(line: bytes) -> dict[str, Any]:
    """Turn the program's answer into an output or an error."""
    try:
        answer = json.loads(line)
        kind = answer["type"]
    except (ValueError, TypeError, KeyError):
        shown = line.decode(errors="replace")[:SHOWN]
        raise Indefinite(f"the client program printed no answer: {shown!r}") from None
    reason = str(answer.get("error") or "the client program gave no reason")
    if kind == "ok":
        return dict(answer)
    if kind == "fail" and reason == "mismatch":
        version = answer.get("version", UNKNOWN_VERSION)
        raise Mismatch(answer.get("actual"), known="actual" in answer, version=version)
    if kind == "fail":
        raise Definite(reason)
    if kind == "info":
        raise Indefinite(reason)
    raise Indefinite(f"the client program said type {kind!r}, which is not ok, fail or info")
