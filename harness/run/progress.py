"""What a run says while it runs: one line on stderr, remade in place on a terminal."""

import sys
import time

from rich.console import Console
from rich.status import Status

PLAIN_INTERVAL_S = 10.0


class Progress:
    """One changing line. Where stderr is no terminal: a line for each phase, and now and then.

    If it is `brief`, a phase is no reason for a line there: of many runs there would be too many.
    """

    def __init__(self, *, quiet: bool = False, brief: bool = False) -> None:
        self._brief = brief
        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._status: Status | None = None
        self._last = 0.0
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Begin a phase."""
        self._show(text, always=not self._brief)

    def tick(self, text: str) -> None:
        """Tell how a phase goes; may be called often."""
        self._show(text, always=False)

    def close(self) -> None:
        """Take the line away."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _show(self, text: str, *, always: bool) -> None:
        now = time.monotonic()
        if self._console.is_terminal:
            if self._status is None:
                self._status = self._console.status(text)
                self._status.start()
            self._status.update(text)
        elif always or now - self._last > PLAIN_INTERVAL_S:
            self._console.print(f"{now - self._began:6.1f} s  {text}", soft_wrap=True)
            sys.stderr.flush()
            self._last = now
