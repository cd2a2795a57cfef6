"""A client that is a program of the user's: JSON lines on its stdin and stdout.

One process serves one worker, one request at a time. Nobody knows what became of a request whose
answer did not come, so a program that hangs, dies or prints something else leaves it open. Beside
its answers a program may print events at any time, such as that its session is lost.
"""

import json
import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from partita.workloads.client import UNKNOWN_VERSION, Answer, Definite, Indefinite, Mismatch, Tell

END_S = 1.0
TOLD = ("session", "ttl", "grace", "position")  # what an answer may say for the history
SHOWN = 80


class ProgramClient:
    """Runs `command` in `folder` and asks it; each call gives up after `timeout` seconds.

    What the program writes to stderr goes to the controller's.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, variables: Mapping[str, str], timeout: float
    ) -> None:
        self._timeout = timeout
        self._lines: SimpleQueue[bytes] = SimpleQueue()  # answers; an empty one: the program ended
        self._lock = threading.Lock()  # of what follows
        self._tell: Tell | None = None
        self._early: list[Mapping[str, Any]] = []  # events from before anybody listened
        self._complaint: str | None = None  # why nothing that it prints is believed any more
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
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def listen(self, tell: Tell) -> None:
        """Let events be told that the program prints."""
        with self._lock:
            self._tell = tell
            for event in self._early:
                _pass_on(event, tell)

    def read(self, key: str) -> Answer:
        said = self.ask("read", key, None)
        value = said.get("value")
        if value is not None and not isinstance(value, str):
            raise Indefinite(f"the client program read {value!r}, which is no text")
        return answered(said)

    def write(self, key: str, value: str) -> Answer:
        return answered(self.ask("write", key, value))

    def cas(self, key: str, old: str | None, new: str) -> Answer:
        return answered(self.ask("cas", key, [old, new]))

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
        self._reader.join(END_S)  # of what it left behind something may still have its output

    def ask(
        self, f: str, key: str | None, value: Any, *, refused: type[Definite] = Definite
    ) -> dict[str, Any]:
        """Make a request of the program; return its answer, or raise what that says.

        `refused` is raised if it answers that this certainly did not happen.
        """
        if not self._lines.empty():
            self._distrust("the client program printed a line that nobody asked for")
        if self._complaint or self._process.poll() is not None:
            raise Definite(self._complaint or self._ended())
        request = json.dumps({"f": f, "key": key, "value": value}) + "\n"
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(request.encode())
            stdin.flush()
        except OSError as error:
            raise Indefinite(self._ended()) from error
        return _judged(self._answer(), refused)

    def _answer(self) -> bytes:
        """Return the next line that is no event; raises `Indefinite` if there is none."""
        try:
            line = self._lines.get(timeout=self._timeout)
        except Empty:
            # What it may print later belongs to this request, not to the next one.
            self._distrust(f"the client program said nothing for {self._timeout:g} s")
            raise Indefinite(self._complaint) from None
        if not line:
            raise Indefinite(self._complaint or self._ended())
        return line

    def _read(self) -> None:
        """Take what the program prints, and pass events on as they come."""
        stdout = self._process.stdout
        assert stdout is not None
        with stdout:
            for line in stdout:
                event = _event(line)
                if not line.endswith(b"\n"):  # it ended while it spoke
                    break
                if event is None:
                    self._lines.put(line)
                elif complaint := _complaint(event):
                    shown = line.decode(errors="replace").strip()[:SHOWN]
                    self._distrust(f"the client program printed an event {complaint}: {shown}")
                else:
                    self._hear(event)
        self._lines.put(b"")

    def _hear(self, event: Mapping[str, Any]) -> None:
        with self._lock:
            if self._tell is None:
                self._early.append(event)
            else:
                _pass_on(event, self._tell)

    def _distrust(self, complaint: str) -> None:
        self._complaint = self._complaint or complaint
        self._process.kill()

    def _ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        return f"the client program ended with status {self._process.poll()}"


def _found(command: Sequence[str], folder: Path) -> list[str]:
    # A program beside the store.toml may be named as it lies there.
    beside = folder / command[0]
    return [str(beside) if beside.is_file() else command[0], *command[1:]]


def answered(said: Mapping[str, Any]) -> Answer:
    """Return what the program answered as an `Answer`: with the version, the session and so on."""
    told = {name: said[name] for name in TOLD if name in said}
    return Answer(said.get("value"), said.get("version", UNKNOWN_VERSION), told)


def _event(line: bytes) -> dict[str, Any] | None:
    """Read a line that is an event, None if it is none."""
    if b"event" not in line:
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and event.get("type") == "event" else None


def _complaint(event: Mapping[str, Any]) -> str | None:
    """Say what is wrong with an event, None if nothing is."""
    if not isinstance(event.get("f"), str):
        return "without an f"
    if not isinstance(event.get("key"), str | None):
        return "whose key is no text"
    if type(event.get("version", 0)) is not int:
        return "whose version is no whole number"
    for name in ("sent", "at"):
        if type(event.get(name)) not in (int, float, type(None)):
            return f"whose {name} is no number"
    return None


def _pass_on(event: Mapping[str, Any], tell: Tell) -> None:
    given = {name: value for name, value in event.items() if name not in ("type", "f", "value")}
    tell(event["f"], event.get("value"), **given)


def _judged(line: bytes, refused: type[Definite]) -> dict[str, Any]:
    """Turn the program's answer into an output or an error."""
    try:
        answer = json.loads(line)
        kind = answer["type"]
    except (ValueError, TypeError, KeyError):
        shown = line.decode(errors="replace").strip()[:SHOWN]
        raise Indefinite(f"the client program printed no answer: {shown!r}") from None
    reason = str(answer.get("error") or "the client program gave no reason")
    if kind == "ok":
        return dict(answer)
    if kind == "fail" and reason == "mismatch":
        version = answer.get("version", UNKNOWN_VERSION)
        raise Mismatch(answer.get("actual"), known="actual" in answer, version=version)
    if kind == "fail":
        raise refused(reason)
    if kind == "info":
        raise Indefinite(reason)
    raise Indefinite(f"the client program said type {kind!r}, which is not ok, fail or info")
