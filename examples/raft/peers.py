"""How nodes ask each other, and how fast things go."""

import asyncio
from dataclasses import dataclass

from members import Members
from wire import Links, Message, NoAnswer, NotSent


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast things go. Times are seconds.

    A follower waits between once and twice `election` for a leader before it stands itself.
    `delay` makes each message to a peer wait first, and `batch` is the most entries that one
    message carries: slow, small messages make rare orders of events likely, in tests.
    A leader takes a snapshot after every `compact` entries; 0: never.
    """

    election: float = 0.75
    heartbeat: float = 0.1
    delay: float = 0.0
    batch: int = 128
    compact: int = 1000


class Peers:
    """The other nodes, by their names; their addresses are what the members' log says."""

    def __init__(self, members: Members, links: Links, pace: Pace) -> None:
        self._members = members
        self._links = links
        self._pace = pace

    async def call(self, peer: str, path: str, request: Message) -> Message | None:
        """Ask a node; return its answer, None if none comes in time."""
        if self._pace.delay:
            await asyncio.sleep(self._pace.delay)
        address = self._members.address(peer)
        if address is None:
            return None
        patience = self._pace.election * 0.7
        try:
            status, answer = await self._links.to(address).call(path, request, patience)
        except (NotSent, NoAnswer):
            return None
        return answer if status == 200 else None
