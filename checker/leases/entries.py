"""Ephemeral entries, and who looked whether they are there.

Times are ns since the run began. An entry is known by its key and the revision of its creation.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import quoted, who
from partita.checker.history import NEVER, OUTCOMES, History
from partita.checker.lives import (
    Life,
    Lives,
    Unreadable,
    events_of,
    is_name,
    refuse_key,
    refuse_keys,
    refuse_untimed,
    refuse_untimed_event,
    rows_of,
    version_of,
)

ABSENT = -1
# Where a look was answered from: by all, by one node that was brought up to date first, by one
# node as it was, or by a watch.
WHOLE, LISTED, LOCAL, WATCHED = "look", "list", "local look", "watch"
_OK, _FAIL = OUTCOMES.index("ok"), OUTCOMES.index("fail")


@dataclass(slots=True, eq=False)
class Entry:
    """An ephemeral entry, made by the operation `row`, acknowledged at `made`.

    A deletion (or the close of its session) was sent at `end_sent`, and was answered at
    `end_answered`; `NEVER` if not. `end_row` is the deletion, -1 if there was none.
    """

    row: int
    key: Any
    revision: int
    life: Life
    asked: int
    made: int
    end_sent: int = NEVER
    end_answered: int = NEVER
    end_row: int = -1

    @property
    def owed(self) -> int:
        """Until when it must be there."""
        return min(self.life.owed, self.end_sent)

    @property
    def expires(self) -> int:
        """When it should be gone at the latest, if nothing takes its time; `NEVER` if unknown."""
        if not 0 <= self.life.tried < NEVER:
            return NEVER
        return self.life.tried + self.life.ttl_ns


class Look(NamedTuple):
    """What somebody saw of a key: a revision, or `ABSENT`. `row` or `event` is where it stands."""

    key: Any
    revision: int
    sent: int
    answered: int
    kind: str
    position: int
    row: int
    event: Event | None
    node: str


@dataclass(slots=True)
class Kept:
    """All entries of a history, and all looks at their keys."""

    history: History
    lives: Lives
    entries: list[Entry]
    looks: list[Look]


def kept_of(history: History) -> Kept | None:
    """Read a history's ephemeral entries; None if nobody makes any. Raises `Unreadable`."""
    rows = rows_of(history, "ephemeral")
    if not rows:
        return None
    of_entries = rows_of(history, "ephemeral", "delete", "look", "list")
    refuse_untimed(history, of_entries)
    refuse_keys(history, of_entries)
    lives = Lives(history)
    entries = [_entry(history, lives, row) for row in rows if history.outcome[row] == _OK]
    for entry in entries:
        if entry.life.ttl_ns < 0:
            raise Unreadable(
                f"event {history.ended_rank[entry.row] + 1}: {who(history, entry.row)} belongs to "
                f"{entry.life.name}, which has no `ttl`"
            )
    _close(entries)
    _delete(history, entries)
    looks = [*_looks(history), *_lists(history, entries), *_watched(history)]
    return Kept(history, lives, entries, looks)


def by_key(entries: Iterable[Any]) -> dict[Any, list[Any]]:
    """Return entries, or looks, by their keys."""
    found: dict[Any, list[Any]] = defaultdict(list)
    for each in entries:
        found[each.key].append(each)
    return found


def _entry(history: History, lives: Lives, row: int) -> Entry:
    return Entry(
        row=row,
        key=history.decoded_key(history.key[row]),
        revision=version_of(history, row, "revision"),
        life=lives.of_row(row),
        asked=int(history.invoked_ns[row]),
        made=int(history.completed_ns[row]),
    )


def _close(entries: list[Entry]) -> None:
    """End entries with their sessions."""
    for entry in entries:
        entry.end_sent = entry.life.close_sent
        entry.end_answered = entry.life.close_answered


def _delete(history: History, entries: list[Entry]) -> None:
    """End entries that somebody deleted, or may have."""
    mine = by_key(entries)
    for row in rows_of(history, "delete"):
        if history.outcome[row] == _FAIL:
            continue
        sent = int(history.invoked_ns[row])
        ended = history.ended_rank[row] < NEVER
        answered = int(history.completed_ns[row]) if ended else NEVER
        for entry in mine.get(history.decoded_key(history.key[row]), ()):
            known = history.outcome[row] == _OK
            if known and entry.asked > answered:
                continue  # that was an entry before it
            entry.end_sent = min(entry.end_sent, sent)
            if known and entry.made < sent and answered < entry.end_answered:
                entry.end_answered, entry.end_row = answered, row


def _looks(history: History) -> Iterable[Look]:
    positions = history.extra("position")
    rows = np.array(rows_of(history, "look"), dtype=np.int64)
    rows = rows[history.outcome[rows] == _OK]
    columns = [
        rows, history.key[rows], history.output[rows], history.version[rows],
        history.invoked_ns[rows], history.completed_ns[rows], history.node[rows],
    ]  # fmt: skip
    for row, key, output, version, sent, answered, node in zip(
        *(column.tolist() for column in columns), strict=True
    ):
        if output >= 0 > version:
            version_of(history, row, "revision of the creation")  # which it refuses
        yield Look(
            history.decoded_key(key),
            version if output >= 0 else ABSENT,
            sent,
            answered,
            LOCAL if row in positions else WHOLE,
            _whole(positions[row], row, history) if row in positions else -1,
            row,
            None,
            history.nodes[node] if node >= 0 else "",
        )


def _lists(history: History, entries: list[Entry]) -> Iterable[Look]:
    """Yield what lists show of each key, and of each key that they do not show."""
    keys = {entry.key for entry in entries}
    for row in rows_of(history, "list"):
        if history.outcome[row] != _OK:
            continue
        shown = _shown(history, row)
        prefix = history.decoded_key(history.key[row])
        under = {each for each in keys if prefix is None or str(each).startswith(str(prefix))}
        for key in under | shown.keys():
            yield Look(
                key, shown.get(key, ABSENT), int(history.invoked_ns[row]),
                int(history.completed_ns[row]), LISTED, -1, row, None, _node(history, row),
            )  # fmt: skip


def _shown(history: History, row: int) -> dict[Any, int]:
    output = history[row].output
    pairs = output if isinstance(output, list) else [output]
    for pair in pairs:
        if not _is_shown(pair):
            raise Unreadable(
                f"event {history.ended_rank[row] + 1}: a list is of [key, revision of the "
                f"creation], and not of {quoted(pair)}"
            )
    return dict(pairs)


def _is_shown(pair: Any) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    return is_name(pair[0]) and type(pair[1]) is int and pair[1] >= 0


def _watched(history: History) -> Iterable[Look]:
    """Yield the deletions that watches delivered."""
    for event in events_of(history, "event"):
        if event.value is None and event.version >= 0 and event.key is not None:
            refuse_key(event)
            refuse_untimed_event(event)
            # It says that everything below its revision is gone.
            yield Look(event.key, event.version, event.time, event.time, WATCHED, -1, -1, event, "")


def _whole(position: Any, row: int, history: History) -> int:
    if type(position) is not int:
        rank = history.ended_rank[row] + 1
        raise Unreadable(f"event {rank}: the position of a look is a whole number")
    return position


def _node(history: History, row: int) -> str:
    code = int(history.node[row])
    return history.nodes[code] if code >= 0 else ""
