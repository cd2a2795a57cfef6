"""Asks the nodes, all through the run, who leads, and writes it into the history."""

import logging
import threading
from collections.abc import Callable

from partita.harness.run.journal import Journal, JournalError

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
REPEAT = 10  # rounds after which an unchanged answer is written again


class Monitor:
    """Polls `leaders()`; an answer is recorded when it changes, and now and then besides."""

    def __init__(self, journal: Journal, leaders: Callable[[], list[str]]) -> None:
        self._journal = journal
        self._leaders = leaders
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _poll(self) -> None:
        last, rounds = None, 0
        while not self._stop.is_set():
            try:
                leaders = self._leaders()
                rounds += 1
                if leaders != last or rounds % REPEAT == 0:
                    self._journal.note("info", "monitor", "leader", leaders)
                last = leaders
            except JournalError:
                return
            except Exception as error:
                log.warning("who leads could not be asked: %s", error)
            self._stop.wait(INTERVAL_S)
