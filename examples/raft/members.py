"""Who the members are: that is what the log says, as soon as it says so, committed or not.

After chapter 4 of Ongaro's thesis, "Consensus: Bridging Theory and Practice" (2014). One member is
added or removed at a time. So each majority of the old members has a node in common with each
majority of the new ones, and no two leaders of one term can be.
"""

from collections.abc import Mapping
from typing import Any

Addresses = Mapping[str, str]
Message = dict[str, Any]

# What an administrator asks for, and what stands in the log for it.
CHANGES = ("add", "remove")
ENTRY = "members"


class Members:
    """The members of the cluster, by the entries of one node's log.

    `known` are the addresses that the node was started with, its own too. They are the members
    before the log says anything else, unless the node `joins` a cluster that others have begun.
    """

    def __init__(self, known: Addresses, *, joins: bool = False) -> None:
        self._known = known
        self._joins = joins
        self._said: list[tuple[int, Addresses]] = [(0, {} if joins else known)]
        self._commit = 0

    @property
    def now(self) -> Addresses:
        """The members, and their addresses."""
        return self._said[-1][1]

    @property
    def since(self) -> int:
        """The place in the log of the latest change; 0 if there was none."""
        return self._said[-1][0]

    @property
    def settled(self) -> bool:
        """Whether the latest change is known to be committed, and so is here to stay."""
        return self.since <= self._commit

    @property
    def majority(self) -> int:
        return len(self.now) // 2 + 1

    def besides(self, name: str) -> list[str]:
        """Return all members but one."""
        return [each for each in self.now if each != name]

    def address(self, name: str) -> str | None:
        """Return where a node is, member or not; None if nobody said so."""
        return self.now.get(name) or self._known.get(name)

    def votes(self, name: str) -> bool:
        """Say whether this node may vote.

        One that joins may have voted before its disk was wiped. So it does not vote again before
        its log says that it is a member.
        """
        return not self._joins or name in self.now

    def stands(self, name: str) -> bool:
        """Say whether this node may have to lead: until its removal is known to be committed."""
        return name in self.now or not self.settled

    def take(self, index: int, command: Message | None) -> None:
        """Note an entry of the log."""
        if command is not None and command["f"] == ENTRY:
            self._said.append((index, command["members"]))

    def cut(self, index: int) -> None:
        """Forget the entries from a place on: what was said before them holds again."""
        self._said = [self._said[0], *(said for said in self._said[1:] if said[0] < index)]

    def at(self, index: int) -> Addresses:
        """Return who the members are at a place of the log."""
        return next(now for since, now in reversed(self._said) if since <= index)

    def begin(self, index: int, now: Addresses) -> None:
        """Take the members at a place of the log for the first ones; nothing follows yet."""
        self._said = [(index, now)]

    def committed(self, index: int) -> None:
        """Note up to where the log is committed."""
        self._commit = index

    def changed(self, change: Message) -> Message:
        """Return the entry that makes a change, or the answer that refuses it."""
        node, now = change["node"], dict(self.now)
        if (node in now) == (change["f"] == "add"):
            return refused(f"{node} is {'a member already' if node in now else 'no member'}")
        if change["f"] == "add":
            return {"f": ENTRY, "members": now | {node: change["address"]}}
        if len(now) == 1:
            return refused(f"{node} is the last member")
        del now[node]
        return {"f": ENTRY, "members": now}


def refused(reason: str) -> Message:
    """Return the answer to a change that certainly has no effect."""
    return {"error": reason, "definite": True}
