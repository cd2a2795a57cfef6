"""One node: a program that reads messages on its standard input and writes them on its output."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

READ_MAX = 1 << 18  # bytes that are read at once
LINE_MAX = 16 << 20  # bytes of one message
BEGIN = 1000  # bytes of a longer one that are kept, to show them
STUCK_MAX = 64 << 20  # bytes that may wait for a program that does not read


class TooLong(Exception):
    """A line of output that does not end; it is skipped to its end. `begin` is how it begins."""

    def __init__(self, begin: bytes) -> None:
        super().__init__()
        self.begin = begin


class Process:
    """A running program. What it wrote by itself stays in its folder, for the next one to find.

    It is started by the thread that lives longest, because the kernel ends it with that thread
    (`--pdeathsig`): so a controller that is killed leaves no node behind.
    """

    def __init__(self, command: Sequence[str], folder: Path, said: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        setpriv = shutil.which("setpriv")
        dies_with_us = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
        with said.open("ab") as errors:
            self._popen = subprocess.Popen(
                [*dies_with_us, *command],
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._popen.stdin is not None and self._popen.stdout is not None
        self.input, self.output = self._popen.stdin.fileno(), self._popen.stdout.fileno()
        os.set_blocking(self.input, False)
        os.set_blocking(self.output, False)
        self.ready = False  # it has answered `init`
        self.lines = 0
        self.waiting = bytearray()  # what it has not read yet
        self.early: bytearray | None = None  # requests for after it has answered `init`
        self._part = bytearray()
        self._skips = False

    @property
    def pid(self) -> int:
        return self._popen.pid

    def runs(self) -> bool:
        """Say whether the program is there and not frozen."""
        if self._popen.poll() is not None:
            return False
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state not in "TtZX"

    def there(self) -> bool:
        return self._popen.poll() is None

    def read(self) -> Iterator[bytes]:
        """Yield some of the lines that have come: who writes all the time has to take turns.

        Raises `TooLong`, and `EOFError` when the program has ended.
        """
        try:
            data = os.read(self.output, READ_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise EOFError
        yield from self._split(data)

    def _split(self, data: bytes) -> Iterator[bytes]:
        *whole, rest = data.split(b"\n")
        for line in whole:
            self.lines += 1
            if self._skips:
                self._skips = False
            elif self._part:
                self._part += line
                yield bytes(self._part)
            else:
                yield line
            self._part.clear()
        if self._skips:
            return
        self._part += rest
        if len(self._part) > LINE_MAX:
            begin = bytes(self._part[:BEGIN])
            self._part.clear()
            self._skips = True
            raise TooLong(begin)

    def write(self) -> bool:
        """Hand over what is waiting, as far as the program reads; say whether all is gone."""
        try:
            while self.waiting:
                done = os.write(self.input, self.waiting[: 1 << 16])
                del self.waiting[:done]
        except BlockingIOError:
            return False
        except OSError:  # it has closed its input, or it has ended
            self.waiting.clear()
        return True

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program and to all that it started; no harm if it is gone."""
        with suppress(OSError):
            os.killpg(self.pid, number)

    def kill(self) -> None:
        """End it at once, and wait for that."""
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def stop(self, patience_s: float) -> None:
        """End it as an administrator would, and after a while by force."""
        self.signal(signal.SIGTERM)
        self.signal(signal.SIGCONT)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(patience_s)
        self.kill()

    def let_go(self) -> None:
        """Close our ends of its pipes."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
