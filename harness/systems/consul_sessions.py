"""Consul's sessions: keys are held by them, and free, or gone, when they are over.

A session lives for its time to live at least and, as Consul's documentation says, for twice as
long at most. It has no health checks here: those would end it earlier.
"""

import json
import time
from typing import Any, Literal

from partita.harness.systems.connection import Connection
from partita.harness.systems.renewals import Over
from partita.workloads.client import Definite, Indefinite

# Consul refuses what is shorter.
LEAST_TTL_S = 10.0
# How much later than twice its time to live a session may end: the end goes through the log.
GRACE_S = 5.0
PORT = 8500


class ConsulSession:
    """A session, see `Session`. `behavior` says what becomes of the keys that it holds at its end.

    A key whose holder's session ended cannot be acquired for `lock_delay` seconds. Raises
    `Definite` if no session was made: one of which nobody knows runs out by itself.
    """

    def __init__(
        self,
        host: str,
        ttl: float,
        timeout: float,
        *,
        behavior: Literal["release", "delete"] = "release",
        lock_delay: float = 0.0,
        port: int = PORT,
    ) -> None:
        # What was given up must not arrive later: it would live longer than anybody knows.
        self._connection = Connection(host, port, timeout, lingers=False)
        wanted = {"TTL": f"{max(ttl, LEAST_TTL_S):g}s", "LockDelay": f"{lock_delay:g}s"}
        wanted |= {"Behavior": behavior}
        checks: dict[str, list[str]] = {"Checks": [], "NodeChecks": []}
        self.opened = time.monotonic()
        try:
            self.name: str = self._ask("create", wanted | checks)["ID"]
            # It is the answer that counts, not what was asked for.
            self.ttl = float(self._renewed()["TTL"].removesuffix("s"))
        except Indefinite as error:
            raise Definite(f"no session was made: {error}") from error
        self.said = {"session": self.name, "ttl": self.ttl, "grace": self.ttl + GRACE_S}

    def beat(self) -> None:
        self._renewed()

    def end(self) -> None:
        self._ask(f"destroy/{self.name}")

    def close(self) -> None:
        self._connection.close()

    def _renewed(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask(f"renew/{self.name}")[0]
        return found

    def _ask(self, what: str, body: Any = None) -> Any:
        text = None if body is None else json.dumps(body).encode()
        status, answer = self._connection.request("PUT", f"/v1/session/{what}", text)
        if status == 200:
            return json.loads(answer)
        reason = answer.decode(errors="replace").strip() or f"status {status}"
        if status == 404:
            raise Over(reason)
        raise (Definite if 400 <= status < 500 else Indefinite)(reason)
