"""Who leads: terms, votes, and when a node stands for election.

Section 5.2 of the Raft paper, with the pre-vote and the check of the leader's quorum from
Ongaro's thesis.
"""

import asyncio
import math
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

from journal import Journal
from peers import Pace, Peers
from wire import Message

# Whose mistakes a leader makes that does not know that it is one no more: with these, it does not
# notice that it has lost its quorum.
STUBBORN = ("stale-leader-read", "beat-unlogged", "lock-local")


class Elections:
    """The part that one node has in elections.

    `lead` is called when it has won one, `deposed` when it leads no more, and `in_touch` says
    whether a majority has been heard from lately.
    """

    def __init__(
        self,
        name: str,
        journal: Journal,
        peers: Peers,
        pace: Pace,
        bug: str,
        *,
        lead: Callable[[], None],
        deposed: Callable[[], None],
        in_touch: Callable[[], bool],
    ) -> None:
        self.role = "follower"
        self.leader: str | None = None
        self._name = name
        self._journal = journal
        self._members = journal.members
        self._peers = peers
        self._pace = pace
        self._bug = bug
        self._lead = lead
        self._deposed = deposed
        self._in_touch = in_touch
        self._heard_leader = -math.inf
        self._stands_at = 0.0

    async def run(self) -> None:
        """Stand for election whenever no leader is heard of; step down when none hears us."""
        self._be_patient()
        while True:
            await asyncio.sleep(self._pace.heartbeat / 2)
            if self.role == "leader":
                if not self._in_touch() and self._bug not in STUBBORN:
                    self.follow()
            elif time.monotonic() > self._stands_at:
                self._be_patient()
                if self._members.stands(self._name):
                    await self._stand()

    def on_vote(self, message: Message) -> Message:
        """Answer a candidate. A trial asks only whether it could win, and changes nothing."""
        term, candidate = message["term"], message["candidate"]
        # Whoever hears from a leader does not help to unseat it: a node that comes back from
        # behind a partition, or was removed, must not disturb the others.
        if message["trial"]:
            granted = not self._led() and self._may_win(message)
            return {"term": self._journal.term, "granted": granted}
        self.observe(term)
        free = self._journal.voted_for in (None, candidate)
        # BUG double-vote: the vote of this term is forgotten, and the next candidate gets it too.
        if self._bug == "double-vote":
            free = True
        # Who lets its leader hold a lease elects nobody else meanwhile.
        if self._bug == "lease-by-wall-clock" and self._led():
            free = False
        granted = term == self._journal.term and free and self._may_win(message)
        if granted:
            self._journal.vote(term, candidate)
            self._be_patient()
        return {"term": self._journal.term, "granted": granted}

    def heard(self, leader: str) -> None:
        """Take note that this node has a leader, which has just been heard."""
        self.role, self.leader = "follower", leader
        self._heard_leader = time.monotonic()
        self._be_patient()

    def observe(self, term: int) -> None:
        """Take note of a term: whoever is in an earlier one leads no more."""
        if term > self._journal.term:
            self._journal.vote(term, None)
            self.follow()

    def follow(self) -> None:
        """Lead no more, if this node did, and know of no leader."""
        if self.role == "leader":
            self._say("leads no more")
        self.role, self.leader = "follower", None
        self._deposed()

    def _may_win(self, message: Message) -> bool:
        if not self._members.votes(self._name):
            return False
        # Only a log that is at least as new as ours is sure to have all that is committed.
        last = self._journal.last_term, self._journal.last
        return (
            message["term"] >= self._journal.term
            and (message["last_term"], message["last"]) >= last
        )

    def _led(self) -> bool:
        silence = time.monotonic() - self._heard_leader
        return self.role == "leader" or silence < self._pace.election

    def _be_patient(self) -> None:
        # Chosen anew each time, so that two candidates do not get in each other's way for long.
        self._stands_at = time.monotonic() + random.uniform(1, 2) * self._pace.election

    async def _stand(self) -> None:
        self.leader = None
        term = self._journal.term + 1
        if not await self._poll(term, trial=True) or self.leader is not None:
            return
        term = self._journal.term + 1
        self._journal.vote(term, self._name)
        self.role = "candidate"
        self._say("stands for election")
        won = await self._poll(term, trial=False)
        if won and (self.role, self._journal.term) == ("candidate", term):
            self.role, self.leader = "leader", self._name
            self._say("leads")
            self._lead()

    async def _poll(self, term: int, *, trial: bool) -> bool:
        request = {
            "term": term,
            "candidate": self._name,
            "last": self._journal.last,
            "last_term": self._journal.last_term,
            "trial": trial,
        }
        votes = int(self._name in self._members.now)
        others = self._members.besides(self._name)
        calls = [self._peers.call(peer, "/vote", request) for peer in others]
        for call in asyncio.as_completed(calls):
            answer = await call
            if answer is not None:
                self.observe(answer["term"])
                votes += answer["granted"]
            if votes >= self._members.majority:
                # The calls that are still under way come to their end by themselves.
                return True
        return votes >= self._members.majority

    def _say(self, what: str) -> None:
        """Log what this node does, with the time, so that reports can put it beside a fault."""
        now, term = datetime.now(UTC).isoformat(), self._journal.term
        print(f"{now} {self._name} {what}, term {term}", flush=True)
