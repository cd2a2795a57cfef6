"""Raft: five nodes agree on one log, as long as three of them can talk to each other.

After Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), with
the pre-vote and the check of the leader's quorum from Ongaro's thesis, and without snapshots
and membership changes. Figure 2 of the paper is the specification; names follow it.

Everything runs in one asyncio loop. Whatever changes the state is a plain function, without
an await inside, so that no two changes can get in each other's way.
"""

import asyncio
import contextlib
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from journal import Command, Entry, Journal
from waiting import NotLeader, Waiting, settle
from wire import Link, Message, NoAnswer, NotSent

Apply = Callable[[Command], Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go. Times are seconds.

    A follower waits between once and twice `election` for a leader before it stands itself.
    `delay` makes each message to a peer wait first, and `batch` is the most entries that one
    message carries: slow, small messages make rare orders of events likely, in tests.
    """

    election: float = 0.75
    heartbeat: float = 0.1
    delay: float = 0.0
    batch: int = 128


@dataclass(slots=True)
class Progress:
    """What the leader knows of one follower."""

    next: int  # the index of the next entry to send to it
    match: int  # its log is known to equal the leader's up to here
    heard: float  # when the latest message that it answered was sent
    round: int  # the latest round of heartbeats that it answered
    wake: asyncio.Event  # set when there is something to send


class Raft:
    """One member of the cluster. `apply` is called with each committed command, in order."""

    def __init__(
        self,
        name: str,
        links: dict[str, Link],
        journal: Journal,
        apply: Apply,
        pace: Pace,
        bug: str,
    ) -> None:
        self.name = name
        self.role = "follower"
        self.leader: str | None = None
        self.commit = 0
        self.applied = 0
        self._links = links
        self._journal = journal
        self._apply = apply
        self.pace = pace
        self._bug = bug
        self._heard_leader = -math.inf
        self._stands_at = 0.0
        self._progress: dict[str, Progress] = {}
        self._round = 0
        self._proposed: list[tuple[Command, asyncio.Future[Any]]] = []
        self._waiting = Waiting()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def term(self) -> int:
        return self._journal.term

    def status(self) -> Message:
        return {
            "id": self.name,
            "role": self.role,
            "term": self.term,
            "leader": self.leader,
            "commit": self.commit,
            "applied": self.applied,
            "last": self._journal.last,
        }

    # --- What clients want -----------------------------------------------------------------

    async def propose(self, command: Command) -> Any:
        """Have the command committed; return what `apply` returned for it.

        Raises `NotLeader` if it certainly will not be committed from here. May wait for ever:
        a leader without followers cannot know what becomes of its entries.
        """
        if self.role != "leader":
            raise NotLeader
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        # All commands that arrive in one turn of the loop share one write to the disk.
        if not self._proposed:
            asyncio.get_running_loop().call_soon(self._append_proposed)
        self._proposed.append((command, future))
        return await future

    def _append_proposed(self) -> None:
        proposed, self._proposed = self._proposed, []
        for command, future in proposed:
            if self.role != "leader":
                settle(future, NotLeader())
                continue
            self._journal.append([Entry(self.term, command)])
            self._waiting.for_entry(self._journal.last, self.term, future)
        self._spread()

    async def confirm(self) -> None:
        """Return when everything that was acknowledged before this call has been applied here.

        This is the paper's read index: the leader remembers its commit index, hears from a
        majority that it is still the leader, and answers from its state. Raises `NotLeader`.
        """
        # BUG stale-follower-read: every node answers from what it has, however old that is.
        if self._bug == "stale-follower-read":
            return
        # A new leader does not know what is committed before an entry of its own term is.
        if self.role != "leader" or self._journal.entries[self.commit].term != self.term:
            raise NotLeader
        # BUG stale-leader-read: once a leader, always a leader, for all that it asks. (For the
        # same reason such a leader does not notice that it has lost its quorum, see `run`.)
        if self._bug == "stale-leader-read":
            return
        self._round += 1
        future = self._waiting.for_round(self._round)
        self._count()
        for progress in self._progress.values():
            progress.wake.set()
        await future

    # --- What peers send -------------------------------------------------------------------

    def on_vote(self, message: Message) -> Message:
        """Answer a candidate. A trial asks only whether it could win, and changes nothing."""
        term, candidate = message["term"], message["candidate"]
        # Whoever hears from a leader does not help to unseat it: a node that comes back from
        # behind a partition must not disturb the others.
        if message["trial"]:
            return {"term": self.term, "granted": not self._led() and self._may_win(message)}
        self._observe(term)
        free = self._journal.voted_for in (None, candidate)
        # BUG double-vote: the vote of this term is forgotten, and the next candidate gets it too.
        if self._bug == "double-vote":
            free = True
        granted = term == self.term and free and self._may_win(message)
        if granted:
            self._journal.vote(term, candidate)
            self._be_patient()
        return {"term": self.term, "granted": granted}

    def _may_win(self, message: Message) -> bool:
        # Only a log that is at least as new as ours is sure to have all that is committed.
        last = self._journal.entries[-1].term, self._journal.last
        return message["term"] >= self.term and (message["last_term"], message["last"]) >= last

    def _led(self) -> bool:
        silence = time.monotonic() - self._heard_leader
        return self.role == "leader" or silence < self.pace.election

    def on_append(self, message: Message) -> Message:
        """Take a leader's entries, if our log and its log agree up to where they begin."""
        # Two leaders of one term cannot be, so a leader has no answer to the other one.
        if message["term"] < self.term or (message["term"] == self.term and self.role == "leader"):
            return {"term": self.term, "ok": False, "next": 0}
        self._observe(message["term"])
        self.role, self.leader = "follower", message["leader"]
        self._heard_leader = time.monotonic()
        self._be_patient()
        entries, previous = self._journal.entries, message["previous"]
        if previous > self._journal.last:
            return {"term": self.term, "ok": False, "next": self._journal.last + 1}
        if entries[previous].term != message["previous_term"]:
            return {"term": self.term, "ok": False, "next": self._first_of_term(previous)}
        self._take(previous + 1, [Entry(term, command) for term, command in message["entries"]])
        self._commit_to(min(message["commit"], previous + len(message["entries"])))
        return {"term": self.term, "ok": True, "next": previous + len(message["entries"]) + 1}

    def _first_of_term(self, index: int) -> int:
        term = self._journal.entries[index].term
        while index > 1 and self._journal.entries[index - 1].term == term:
            index -= 1
        return index

    def _take(self, index: int, new: list[Entry]) -> None:
        # What we have already may be more than this message, which may be late: only an entry
        # of another term shows that what follows is void.
        entries = self._journal.entries
        while new and index <= self._journal.last and entries[index].term == new[0].term:
            index, new = index + 1, new[1:]
        if new:
            self._journal.cut(index)
            self._journal.append(new)
            self._journal.sync()

    # --- Elections -------------------------------------------------------------------------

    async def run(self) -> None:
        """Stand for election whenever no leader is heard of; step down when none hears us."""
        self._be_patient()
        while True:
            await asyncio.sleep(self.pace.heartbeat / 2)
            now = time.monotonic()
            if self.role == "leader":
                if not self._quorum_heard(now) and self._bug != "stale-leader-read":
                    self._follow()
            elif now > self._stands_at:
                self._be_patient()
                await self._stand()

    def _be_patient(self) -> None:
        # Chosen anew each time, so that two candidates do not get in each other's way for long.
        self._stands_at = time.monotonic() + random.uniform(1, 2) * self.pace.election

    async def _stand(self) -> None:
        self.leader = None
        if not await self._poll(self.term + 1, trial=True) or self.leader is not None:
            return
        self._journal.vote(self.term + 1, self.name)
        self.role, term = "candidate", self.term
        if await self._poll(term, trial=False) and (self.role, self.term) == ("candidate", term):
            self._lead()

    async def _poll(self, term: int, *, trial: bool) -> bool:
        request = {
            "term": term,
            "candidate": self.name,
            "last": self._journal.last,
            "last_term": self._journal.entries[-1].term,
            "trial": trial,
        }
        votes = 1
        calls = [self._call(peer, "/vote", request) for peer in self._links]
        for call in asyncio.as_completed(calls):
            answer = await call
            if answer is not None:
                self._observe(answer["term"])
                votes += answer["granted"]
            if votes >= self._majority():
                # The calls that are still under way come to their end by themselves.
                return True
        return votes >= self._majority()

    def _observe(self, term: int) -> None:
        if term > self.term:
            self._journal.vote(term, None)
            self._follow()

    def _follow(self) -> None:
        self.role, self.leader = "follower", None
        self._waiting.deposed()

    def _majority(self) -> int:
        return (len(self._links) + 1) // 2 + 1

    # --- The leader ------------------------------------------------------------------------

    def _lead(self) -> None:
        self.role, self.leader = "leader", self.name
        now = time.monotonic()
        self._round += 1
        following = self._journal.last + 1
        self._progress = {
            peer: Progress(following, 0, now, 0, asyncio.Event()) for peer in self._links
        }
        self._journal.append([Entry(self.term, None)])
        for peer in self._links:
            task = asyncio.create_task(self._replicate(peer, self._progress[peer]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._spread()

    def _spread(self) -> None:
        # Not before our own copy is safe may it count towards the majority.
        self._journal.sync()
        if self.role == "leader":
            self._count()
            for progress in self._progress.values():
                progress.wake.set()

    async def _replicate(self, peer: str, progress: Progress) -> None:
        """Bring one follower up to date and keep it so, while this leadership lasts."""
        term = self.term
        while self._leads(term):
            progress.wake.clear()
            sent, round = time.monotonic(), self._round
            request = self._append_request(progress)
            answer = await self._call(peer, "/append", request)
            if answer is not None:
                self._observe(answer["term"])
            if not self._leads(term):
                return
            if answer is None or answer["next"] == 0:
                await asyncio.sleep(self.pace.heartbeat)
                continue
            progress.heard, progress.next = sent, answer["next"]
            if answer["ok"]:
                progress.match, progress.round = answer["next"] - 1, round
                self._count()
            if progress.next > self._journal.last and progress.round == self._round:
                await _set_within(progress.wake, self.pace.heartbeat)

    def _leads(self, term: int) -> bool:
        return self.role == "leader" and self.term == term

    def _append_request(self, progress: Progress) -> Message:
        entries = self._journal.entries[progress.next : progress.next + self.pace.batch]
        previous = progress.next - 1
        return {
            "term": self.term,
            "leader": self.name,
            "previous": previous,
            "previous_term": self._journal.entries[previous].term,
            "entries": [(entry.term, entry.command) for entry in entries],
            "commit": self.commit,
        }

    def _count(self) -> None:
        """See what a majority has by now: entries to commit, rounds that confirm a read."""
        index = self._reached_by_majority(
            self._journal.last, [progress.match for progress in self._progress.values()]
        )
        # BUG ack-early: the leader's own copy is taken for enough.
        if self._bug == "ack-early":
            index = self._journal.last
        # An entry of an earlier term may be on a majority and still be replaced (the paper's
        # figure 8). It is safe only below an entry of this term.
        # BUG commit-earlier-term: it is taken for safe as soon as a majority has it.
        own_term = self._journal.entries[index].term == self.term
        if own_term or self._bug == "commit-earlier-term":
            self._commit_to(index)
        confirmed = self._reached_by_majority(
            self._round, [progress.round for progress in self._progress.values()]
        )
        self._waiting.confirmed(confirmed)

    def _reached_by_majority(self, own: int, others: list[int]) -> int:
        return sorted([own, *others], reverse=True)[self._quorum() - 1]

    def _quorum(self) -> int:
        # BUG split-brain: a follower that has been silent for a while counts as dead, and a
        # majority of the living is taken for enough. But silence may be the network's.
        if self._bug == "split-brain":
            now = time.monotonic()
            alive = [p for p in self._progress.values() if now - p.heard < self.pace.election / 2]
            return (len(alive) + 1) // 2 + 1
        return self._majority()

    def _quorum_heard(self, now: float) -> bool:
        heard = [now, *(progress.heard for progress in self._progress.values())]
        return now - sorted(heard, reverse=True)[self._quorum() - 1] < self.pace.election

    def _commit_to(self, index: int) -> None:
        """Commit everything up to `index`: apply it, and tell those who wait for it."""
        self.commit = max(self.commit, min(index, self._journal.last))
        while self.applied < self.commit:
            self.applied += 1
            entry = self._journal.entries[self.applied]
            result = self._apply(entry.command) if entry.command is not None else None
            self._waiting.applied(self.applied, entry.term, result)

    async def _call(self, peer: str, path: str, request: Message) -> Message | None:
        if self.pace.delay:
            await asyncio.sleep(self.pace.delay)
        try:
            status, answer = await self._links[peer].call(path, request, self.pace.election * 0.7)
        except (NotSent, NoAnswer):
            return None
        return answer if status == 200 else None


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
