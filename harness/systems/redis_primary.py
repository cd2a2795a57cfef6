"""How a client of Redis finds the primary: by asking its own node's Sentinel, as Redis advises.

(https://redis.io/docs/latest/develop/reference/sentinel-clients/.) So a client of a node that is
cut off together with the primary goes on writing there, and a client of any other node leaves it as
soon as its Sentinel names a new one, as libraries do that listen to Sentinel.
"""

import time
from typing import Any

from partita.harness.systems.resp import Resp, Word
from partita.workloads.client import Definite, Indefinite

PORT = 6379
SENTINEL_PORT = 26379
GROUP = "partita"  # what Sentinel calls the primary and its replicas
LOOK_S = 1.0  # how often a client asks whether the primary is another one


class Primary:
    """A connection to the primary that the Sentinel on `host` knows; made when it is needed.

    What is changed counts as done only if `wait` replicas say in `timeout` seconds that they have
    it. After a failure it looks for the primary anew.
    """

    def __init__(
        self,
        host: str,
        timeout: float,
        wait: int = 0,
        *,
        lingers: bool = True,
        port: int = SENTINEL_PORT,
    ) -> None:
        self._lingers, self._port = lingers, port
        self._host, self._timeout, self._wait = host, timeout, wait
        self._connection: Resp | None = None
        self._at: tuple[str, int] = "", 0
        self._looked = 0.0

    def read(self, *words: Word) -> Any:
        """Ask for something that changes nothing. Raises `Definite` if no answer comes."""
        return self._ask(*words, reads=True)

    def change(self, *words: Word) -> Any:
        """Carry out a command; return its answer when enough replicas have it."""
        answer = self._ask(*words)
        if self._wait and self._connection is not None:
            self._await_replicas(self._connection)
        return answer

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _ask(self, *words: Word, reads: bool = False) -> Any:
        if time.monotonic() - self._looked > LOOK_S:
            self._look()
        if self._connection is None:
            self._connection = self._connected()
        try:
            return self._connection.ask(*words, reads=reads)
        except (Definite, Indefinite):
            # A replica refuses to write. Whatever it was, the primary may be another one now.
            self.close()
            raise

    def _await_replicas(self, connection: Resp) -> None:
        # Redis looks ten times a second whether such a time is over.
        patience_ms = round(0.8 * self._timeout * 1000)
        try:
            have = connection.ask("WAIT", self._wait, patience_ms)
        except Definite as error:
            self.close()
            raise Indefinite(str(error)) from error
        except Indefinite:
            self.close()
            raise
        if have < self._wait:
            raise Indefinite(f"{have} of {self._wait} replicas have it")

    def _look(self) -> None:
        """Leave a primary that is none any more, as far as the Sentinel knows."""
        self._looked = time.monotonic()
        try:
            moved = self._connection is not None and self._address() != self._at
        except Definite:  # the Sentinel does not answer: what is known must do
            return
        if moved:
            self.close()

    def _connected(self) -> Resp:
        address = self._at = self._address()
        connection = Resp(*address, self._timeout, lingers=self._lingers)
        try:
            role = connection.ask("ROLE", reads=True)[0]
        except Definite:
            connection.close()
            raise
        if role != "master":
            connection.close()
            raise Definite(f"{address[0]} is no primary, though Sentinel says so")
        return connection

    def _address(self) -> tuple[str, int]:
        sentinel = Resp(self._host, self._port, self._timeout)
        try:
            found = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP, reads=True)
        finally:
            sentinel.close()
        if not found:
            raise Definite("Sentinel knows no primary")
        return found[0], int(found[1])
