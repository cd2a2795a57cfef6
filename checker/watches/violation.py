"""What can be wrong with what a watch delivered."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from partita.checker.events import Event

PHANTOM, TRUTH, UNIQUE, START, ORDERED, GAP, ATOMIC, BOOKMARK, AFTER, ARMED, ARRIVES = (
    "phantom", "truth", "unique", "start", "ordered", "gap", "atomic", "bookmark", "after",
    "armed", "arrives",
)  # fmt: skip
# In the order in which they are told: what was made up before what is missing.
RULES = (
    PHANTOM, TRUTH, UNIQUE, START, ORDERED, GAP, ATOMIC, BOOKMARK, AFTER, ARMED, ARRIVES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, and the sentence that says how it was at first.

    `rows` are operations of the history that show it, `event` is where it was seen; `times` is how
    often it was broken so.
    """

    rule: str
    text: str
    key: Any = None
    rows: Sequence[int] = ()
    event: Event | None = None
    times: int = 1
