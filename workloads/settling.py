"""Final reads of copies that need a while to become the same.

Each node is read again and again until all show the same and nothing is missing, or until nothing
has changed for as long as the check wants to see. So a run of nodes that are quick is over soon.
"""

import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import Any

PAUSE_S = 0.25
# For so long each node is read at least: by then the others' readers have begun, too.
LEAST_S = 1.0
# Nodes that never come to rest are read for so many times the quiet that is wanted.
PATIENCE = 4
# What is seen here is written down a moment later, and the check counts from there.
MARGIN_S = 0.5
_NOTHING: Hashable = object()


class Settling:
    """Decides how often each node is read; its readers are threads, one for each node.

    `is_whole` says of what a node showed whether nothing is missing.
    """

    def __init__(self, quiet_s: float, is_whole: Callable[[Any], bool]) -> None:
        self._quiet_s, self._is_whole = quiet_s, is_whole
        self._shown: dict[int, Hashable] = {}  # by reader
        self._changed = 0.0
        self._lock = threading.Lock()
        self._reader = threading.local()

    def reads(self, f: str, key: str | None) -> Iterator[tuple[str, str | None]]:
        """Yield the final reads of one node, for the thread that makes them."""
        begun = time.monotonic()
        with self._lock:
            self._reader.number = len(self._shown)
            self._shown[self._reader.number] = _NOTHING
            self._changed = max(self._changed, begun)
        while True:
            is_last = self._is_over(begun)  # what is read after that quiet is read once more
            yield f, key
            if is_last or self._agree(begun):
                return
            time.sleep(PAUSE_S)

    def saw(self, shown: Hashable) -> None:
        """Note what a read showed; of no account while the load runs."""
        number = getattr(self._reader, "number", None)
        with self._lock:
            if number is not None and self._shown[number] != shown:
                self._shown[number] = shown
                self._changed = time.monotonic()

    def _is_over(self, begun: float) -> bool:
        now = time.monotonic()
        with self._lock:
            quiet = now > self._changed + self._quiet_s + MARGIN_S
        return quiet or now > begun + PATIENCE * self._quiet_s + MARGIN_S

    def _agree(self, begun: float) -> bool:
        """Say whether all show the same, and nothing is missing."""
        if time.monotonic() < begun + LEAST_S:
            return False
        with self._lock:
            shown = set(self._shown.values())
        return len(shown) == 1 and _NOTHING not in shown and self._is_whole(shown.pop())
