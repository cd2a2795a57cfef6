"""What a history file is made of: events, and what may be wrong with them.

The words that those who read files, those who write them and `History` have in common.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

# What `version` is where the store did not say.
UNVERSIONED: Final = -1


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a history that neither begins nor ends an operation.

    What the nemesis and the monitor say (`process` is their name), and what a client was told
    beside its answers, of type "event" (`process` is its number). `version` is the number that
    the store gave to the state that the event is about, -1 if unknown; `fields` are all that
    have no name here.
    """

    rank: int
    time: int
    process: int | str
    type: str
    f: str
    value: Any
    error: str | None = None
    version: int = UNVERSIONED
    key: Any = None
    fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


class HistoryError(Exception):
    """A history that cannot be read: one line that names the file, the line and the reason."""


class ReadingStopped(Exception):
    """A limit was hit while a history was read: one line that names it."""
