"""Sessions that end, and entries that must go with them: at once, everywhere, and not before.

Each client has a session, which it renews, closes, or leaves alone for another one. At the end
nobody renews any: all entries must be gone, on every node.
"""

import math
import threading
import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.leases.leases import Leases as LeasesCheck
from partita.checker.leases.rules import PATIENCE
from partita.checker.settings import Setting
from partita.workloads.capabilities.leases import Leases
from partita.workloads.client import Answer, Definite, Indefinite, Refused, answer_of
from partita.workloads.workload import Operation

PREFIX = "entry"
PAUSE_S = 1.0
# Which share of the operations is of which kind; `look` has the rest.
SHARES = {"ephemeral": 0.2, "beat": 0.2, "open": 0.03, "close": 0.02, "delete": 0.03, "list": 0.07}
# What tells whose session it is, also if it fails.
OF_SESSIONS = ("beat", "close")


class Lease:
    """Sessions and ephemeral entries: they live as long as they are owed, and no longer."""

    name = "lease"
    capability = "leases"
    operations: Mapping[str, Operation] = {
        "open": Operation(),
        "beat": Operation(needed=False),
        "close": Operation(needed=False),
        "ephemeral": Operation(),
        "delete": Operation(needed=False),
        "look": Operation(reads=True),
        "list": Operation(reads=True),
        "settle": Operation(reads=True, needed=False),
    }
    checks = (LeasesCheck(),)

    def __init__(
        self,
        keys: Annotated[int, Setting("Entries that there may be.", least=1, most=1_000)] = 16,
        ttl: Annotated[
            float, Setting("Seconds that a session is asked to live.", least=0.5, most=600)
        ] = 5.0,
    ) -> None:
        self.keys = [f"{PREFIX}{number:03}" for number in range(keys)]
        self.ttl = ttl
        self._granted = ttl  # the longest that the store made of it
        self._mine = threading.local()  # the session of this worker's client
        self._renews: bool | None = None  # clients renew when they are asked to; None: who knows

    def draw(self, random: Random, number: int) -> tuple[str, str | None, Any]:
        f, key = self._f(random.random()), random.choice(self.keys)
        if f == "ephemeral":
            return f, key, str(number)
        if f == "list":
            return f, PREFIX, None
        return f, key if f in ("look", "delete") else None, None

    def prepare(self, f: str, key: str | None, value: Any) -> Any:
        return value

    def invoke(self, client: Leases, f: str, key: str | None, value: Any, until: float) -> Any:
        if f == "settle":
            return time.sleep(max(0.0, min(PAUSE_S, until - time.monotonic())))
        if f == "open":
            return self._open(client)
        if f in OF_SESSIONS:
            return self._of_session(client, f)
        if f == "ephemeral":
            return client.ephemeral(str(key), value)
        return {"delete": client.delete, "look": client.look, "list": client.list}[f](str(key))

    def final(self) -> Iterator[tuple[str, str | None]]:
        """Wait until nothing may be left, and have each node list twice what it has."""
        for _ in range(math.ceil(PATIENCE * self._granted / PAUSE_S) + 1):
            yield "settle", None
        yield "list", PREFIX
        yield "list", PREFIX

    def _f(self, drawn: float) -> str:
        for f, share in SHARES.items():
            if drawn < share:
                return "look" if f == "beat" and self._renews is False else f
            drawn -= share
        return "look"

    def _open(self, client: Leases) -> Answer:
        answer = client.open(self.ttl)
        self._mine.session = {"session": answer.fields.get("session")}
        self._mine.closed = False
        self._granted = max(self._granted, float(answer.fields.get("ttl", 0.0)))
        return answer

    def _of_session(self, client: Leases, f: str) -> Answer:
        """Renew or close the session. Whatever comes of it, it is said of which."""
        session = getattr(self._mine, "session", {})
        open_ = bool(session) and not getattr(self._mine, "closed", False)
        self._mine.closed = not open_ or f == "close"
        try:
            answer = answer_of(client.beat() if f == "beat" else client.close_session())
        except (Definite, Indefinite) as error:
            if f == "beat" and isinstance(error, Refused) and open_ and not self._renews:
                self._renews = False  # it does so by itself
            error.fields = {**session, **error.fields}
            raise
        self._renews = True if f == "beat" else self._renews
        return answer._replace(fields={**session, **answer.fields})
