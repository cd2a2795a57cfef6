"""Elections: who campaigns leads for a while and resigns; all others look who leads.

A leader goes on until its own time is over, whatever it is told meanwhile: how long two believed to
lead, and for how long nobody did, is for the check to say (docs/coordination.md).
"""

import threading
import time
from collections.abc import Iterable, Mapping
from random import Random
from typing import Annotated, Any

from partita.checker.holders.holders import Belief, Leaders
from partita.checker.settings import Setting
from partita.workloads.capabilities.elections import Elections
from partita.workloads.client import (
    Answer,
    Client,
    HasLive,
    HasPresence,
    Tell,
    answer_of,
)
from partita.workloads.workload import Operation, Wait

# What is left of an operation's time for the rest of it, when nobody waits to lead any more.
REST = 0.25


class Election:
    """Elections with one leader at a time, who resigns after a while; others observe."""

    name = "election"
    capability = "elections"
    operations: Mapping[str, Operation] = {
        "campaign": Operation(takes=True),
        "resign": Operation(gives=True),
        "observe": Operation(reads=True),
    }
    client_nodes = 2

    def __init__(
        self,
        elections: Annotated[int, Setting("Elections.", least=1, most=1000)] = 1,
        ttl: Annotated[
            float,
            Setting("Seconds that a session lives unrenewed, as asked for.", least=0.1, most=3600),
        ] = 4.0,
        wait: Annotated[
            float, Setting("Most seconds to wait for one's turn.", least=0.05, most=3600)
        ] = 3.0,
        lead: Annotated[
            float, Setting("Seconds for which a leader leads.", least=0.0, most=3600)
        ] = 1.0,
        observes: Annotated[
            float, Setting("Share of operations that look who leads.", least=0.0, most=0.99)
        ] = 0.5,
        belief: Annotated[
            Belief, Setting("The rule by which a leader stops believing, for --max-overlap.")
        ] = "told",
    ) -> None:
        self.elections = [f"election{number}" for number in range(elections)]
        self.ttl, self.wait, self.lead, self.observes = ttl, wait, lead, observes
        self.checks = (Leaders(belief),)
        self._mine = threading.local()  # what this worker leads, by which client; and its rest

    def draw(self, random: Random, number: int) -> tuple[str, str, Any]:
        """Draw for the worker that asks: who leads resigns, others campaign or look who leads."""
        self._mine.rest = random.random() * 0.2
        leads: tuple[Client, str] | None = getattr(self._mine, "leads", None)
        if leads is not None:
            return "resign", leads[1], None
        election = self.elections[int(random.random() * len(self.elections))]
        if random.random() < self.observes:
            return "observe", election, None
        # A name of its own for each campaign, so that it is known whose term is observed.
        return "campaign", election, f"candidate{number}"

    def prepare(self, f: str, key: str, value: Any) -> Any:
        return value

    def invoke(self, client: Any, f: str, key: str, value: Any, until: float) -> Answer:
        if isinstance(client, HasLive):
            client.live(self.ttl)
        if f == "observe":
            return answer_of(client.observe(key))
        self._mine.leads = None
        if f == "resign":
            return answer_of(client.resign(key))
        return self._campaign(client, key, value, until)

    def final(self) -> Iterable[tuple[str, str]]:
        return ()

    def between(self, client: Client | None, tell: Tell, wait: Wait) -> None:
        leads: tuple[Client, str] | None = getattr(self._mine, "leads", None)
        if leads is None or leads[0] is not client:
            self._mine.leads = None
            wait(self._mine.rest)
        elif not wait(self.lead) and isinstance(client, HasPresence):
            client.present()

    def _campaign(self, client: Elections, key: str, name: str, until: float) -> Answer:
        left = until - time.monotonic()
        answer = client.campaign(key, name, max(0.0, min(self.wait, left * (1 - REST))))
        self._mine.leads = client, key
        return answer
