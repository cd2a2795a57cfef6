"""What the messages of a run come to: how many of each type, how many an operation takes."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from partita.checker import History
from partita.reports.figures.availability import Ints
from partita.reports.figures.requests import Requests
from partita.reports.messages import Messages

TRACED_MAX = 400  # operations of one f that are traced


@dataclass(frozen=True, slots=True)
class OfType:
    """The messages of one type. `size` is what their bodies have, in bytes; copies count in it."""

    name: str
    sent: int
    lost: int
    copies: int
    size: int


@dataclass(frozen=True, slots=True)
class OfOperation:
    """What operations of one f took: `hops` is the median of the messages from request to answer.

    `traced` is of how many of them that is known.
    """

    f: str
    asked: int
    traced: int
    hops: float | None


def by_type(messages: Messages) -> list[OfType]:
    """The types, the most frequent first."""
    sent = _count(messages, ~messages.copy)
    lost, copies = _count(messages, messages.lost), _count(messages, messages.copy)
    size = np.bincount(messages.kind, weights=messages.size, minlength=len(messages.kinds))
    found = [
        OfType(name, int(sent[code]), int(lost[code]), int(copies[code]), int(size[code]))
        for code, name in enumerate(messages.kinds)
    ]
    return sorted(found, key=lambda each: (-each.sent, each.name))


def by_operation(requests: Requests, history: History) -> list[OfOperation]:
    """What operations took, by f."""
    return [_of(requests, f, rows) for f, rows in _asked(requests, history)]


def between_nodes(messages: Messages) -> int:
    """How many messages were sent that no client sent or was to get."""
    return int((~messages.of_clients() & ~messages.copy).sum())


def _asked(requests: Requests, history: History) -> Iterator[tuple[str, list[int]]]:
    asked = requests.of_operation
    for code, f in enumerate(history.fs):
        rows = [asked[row] for row in np.flatnonzero(history.f == code).tolist() if row in asked]
        if rows:
            yield f, rows


def _of(requests: Requests, f: str, rows: list[int]) -> OfOperation:
    chains = (requests.chain(row) for row in rows[:: -(-len(rows) // TRACED_MAX)])
    hops = [len(chain) for chain in chains if chain]
    middle = float(np.median(hops)) if hops else None
    return OfOperation(f, len(rows), len(hops), middle)


def _count(messages: Messages, chosen: npt.NDArray[np.bool_]) -> Ints:
    return np.bincount(messages.kind[chosen], minlength=len(messages.kinds))
