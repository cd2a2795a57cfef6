"""Sessions: each lives for as long as it is renewed, and what belongs to it goes with it.

A session's name is the place in the log of the command that opened it. It ends because its client
closes it, or because it was not renewed for its time to live: whether that time is over is for the
leader's clock to say (`expiry.py`), but that it *is* ended is a command like any other, so that it
is over on all nodes at the same place of the log.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from journal import Command
from operations import Answer
from registers import Registers

# Whoever asks for less cannot renew it in time.
LEAST_TTL_S = 0.1
OVER: Answer = {"error": "the session is over", "over": True, "definite": True}


@dataclass(slots=True)
class Session:
    """A session that lives: its time to live in seconds, and the place of its last renewal.

    `entries` are its ephemeral entries, by key, with the places of their creation.
    """

    ttl: float
    renewed: int
    entries: dict[str, int] = field(default_factory=dict)


class Sessions:
    """The sessions that live. `on_end` is called with each that ends, and with where in the log."""

    def __init__(self, registers: Registers, bug: str) -> None:
        self.live: dict[str, Session] = {}
        self.on_end: Callable[[str, int], None] = lambda session, index: None
        self._registers = registers
        self._bug = bug

    def dump(self) -> Any:
        """Return all that live, as JSON has them."""
        return {name: asdict(session) for name, session in self.live.items()}

    def load(self, dumped: Any) -> None:
        """Take what `dump` returned."""
        self.live = {name: Session(**fields) for name, fields in dumped.items()}

    def open(self, command: Command, index: int) -> Answer:
        session = self.live[str(index)] = Session(max(LEAST_TTL_S, command["ttl"]), index)
        return {"session": str(index), "ttl": session.ttl, "version": index}

    def beat(self, command: Command, index: int) -> Answer:
        session = self.live.get(command["session"])
        if session is None:
            return OVER
        if not command.get("unnoticed"):
            session.renewed = index
        return {"version": index}

    def close(self, command: Command, index: int) -> Answer:
        session = self.live.get(command["session"])
        if session is None:
            return OVER
        # BUG close-leaves: the session is forgotten, and nobody thinks of its entries any more.
        leaves = self._bug == "close-leaves"
        self.end(command["session"], index, [] if leaves else [*session.entries])
        return {"version": index}

    def expire(self, command: Command, index: int) -> Answer:
        """End a session, unless a renewal came before this command."""
        session = self.live.get(command["session"])
        if session is not None and session.renewed == command["renewed"]:
            self.end(command["session"], index, command.get("keys", [*session.entries]))
        return {"version": index}

    def end(self, name: str, index: int, keys: list[str]) -> None:
        """Forget a session, and delete the entries with these keys that are still its own."""
        session = self.live.pop(name)
        mine = [key for key in keys if self._registers.read(key)[1] == session.entries[key]]
        self._registers.change({key: (None, index) for key in mine})
        self.on_end(name, index)

    def ephemeral(self, command: Command, index: int) -> Answer:
        """Make an entry that belongs to a session, where there is nothing."""
        session = self.live.get(command["session"])
        if session is None:
            return OVER
        key = command["key"]
        if self._registers.read(key)[0] is not None:
            return {"error": f"there is a {key} already", "definite": True}
        self._registers.change({key: (command["value"], index)})
        session.entries[key] = index
        return {"version": index}
