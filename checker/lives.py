"""How long sessions lived: what the store owed them, and when they were certainly over.

Locks, elections, leases and ephemeral entries all hang on a session, which lives for its time to
live after it was renewed. A history tells of it by the operations `open`, `beat` and `close`, and
by the events `beat` and `close` of what a library does by itself (docs/coordination.md). Of every
request it is known when it was sent and when it was answered, and never when it arrived: so there
are two moments, one until which a session must live, and one by which it must have ended.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from partita.checker.events import Event
from partita.checker.explain import quoted, who
from partita.checker.history import NEVER, OUTCOMES, History, IntColumn
from partita.checker.values import ABSENT

SECOND = 1_000_000_000
# A moment before the run, and what was not said.
NO_TIME = -1
# More seconds than any session lives: times in ns stay far below `NEVER`.
_MOST_S = 1_000_000_000
_OK, _FAIL, _INFO = (OUTCOMES.index(each) for each in ("ok", "fail", "info"))


class Unreadable(Exception):
    """A line that cannot be what it says: which one, and why."""


@dataclass(slots=True, eq=False)
class Life:
    """One session. Times are ns since the run began, `ttl_ns` and `grace_ns` -1 if nobody said.

    `sent` and `answered` are of the renewals that the store answered, in the order of the answers.
    `renewed` is when the last of them was sent, `tried` the last moment at which any renewal may
    have arrived. `close_sent` and `close_answered` are of its end by its own client.
    """

    name: str
    opened: bool = False  # by an operation of the history
    ttl_ns: int = NO_TIME
    grace_ns: int = NO_TIME
    sent: list[int] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)
    renewed: int = NO_TIME
    tried: int = NO_TIME
    close_sent: int = NEVER
    close_answered: int = NEVER
    _kept: tuple[list[int], list[int]] | None = None

    @property
    def owed(self) -> int:
        """Until when the store owes it, if its client does not close it; -1: no time is promised"""
        return self.renewed + self.ttl_ns if self.ttl_ns >= 0 <= self.renewed else NO_TIME

    @property
    def over(self) -> int:
        """When it is certainly over; `NEVER` if that is not promised."""
        if self.ttl_ns < 0 or self.grace_ns < 0 or not 0 <= self.tried < NEVER:
            return NEVER
        return self.tried + self.ttl_ns + self.grace_ns

    def kept_until(self, time: int) -> int:
        """Until when a client that knew itself alive then goes on by its own clock.

        It counts from the sending of what was answered by then, and stops for good where the next
        answer came too late. Without a time to live it cannot know, and goes on.
        """
        if self.ttl_ns < 0:
            return NEVER
        if self._kept is None:
            self._kept = self._spans()
        begins, ends = self._kept
        place = bisect_right(begins, time)
        return ends[place - 1] if place else NO_TIME

    def _spans(self) -> tuple[list[int], list[int]]:
        """Return when its client began to know itself alive, and until when it went on then."""
        begins: list[int] = []
        ends: list[int] = []
        for sent, answered in zip(self.sent, self.answered, strict=True):
            if ends and answered < ends[-1]:
                ends[-1] = max(ends[-1], sent + self.ttl_ns)
            else:
                begins.append(answered)
                ends.append(sent + self.ttl_ns)
        return begins, ends


class Lives:
    """The sessions of a history, and whose each line is. Raises `Unreadable`."""

    def __init__(self, history: History) -> None:
        refuse_other_clocks(history)
        refuse_untimed(history, rows_of(history, "open", "beat", "close"))
        self._history = history
        self._named = history.extra("session")
        self._lives: dict[Any, Life] = {}
        self._opened: dict[Any, tuple[list[int], list[Life]]] = {}  # by process, in order
        self._read_opens()
        self._read_times()
        for sent, answered, life in sorted(self._renewals(), key=lambda each: each[1]):
            life.sent.append(sent)
            life.answered.append(answered)
            life.renewed = max(life.renewed, sent)
        self._read_ends()

    def __iter__(self) -> Iterator[Life]:
        return iter(self._lives.values())

    def of_row(self, row: int) -> Life:
        """Return the session of an operation."""
        rank = int(self._history.invoked_rank[row])
        return self._of(self._history.process_of(row), rank, self._named.get(row))

    def of_event(self, event: Event) -> Life:
        """Return the session of an event."""
        return self._of(event.process, event.rank, event.fields.get("session"))

    def _of(self, process: Any, rank: int, named: Any) -> Life:
        if named is not None:
            return self._life(("session", _plain(named)), f"session {named}")
        if process in self._opened:
            ranks, lives = self._opened[process]
            if place := bisect_left(ranks, rank):
                return lives[place - 1]
        return self._life(("process", process), f"process {process}")

    def _life(self, key: Any, name: str) -> Life:
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = Life(name)
        return life

    def _read_opens(self) -> None:
        history = self._history
        for row in rows_of(history, "open"):
            if history.outcome[row] != _OK:
                continue
            process, named = history.process_of(row), self._named.get(row)
            name = f"the session that process {process} opened in operation {row}"
            life = (
                self._life(("open", row), name)
                if named is None
                else self._life(("session", _plain(named)), f"session {named}")
            )
            life.opened = True
            ranks, lives = self._opened.setdefault(process, ([], []))
            ranks.append(int(history.ended_rank[row]))
            lives.append(life)

    def _read_times(self) -> None:
        """Take times to live and graces from wherever they stand, the first of each session."""
        history = self._history
        for name in ("ttl", "grace"):
            answered = history.extras.column(name, history.ended_rank) != ABSENT
            line = np.where(answered, history.ended_rank, history.invoked_rank)
            said = [(int(history.invoked_rank[row]), int(line[row]), self._opened_by(row), value)
                    for row, value in history.extra(name).items()]  # fmt: skip
            said += [(event.rank, event.rank, self.of_event(event), event.fields[name])
                     for event in history.others.at(history.others.having(name))]  # fmt: skip
            for _, rank, life, value in sorted(said, key=lambda each: each[0]):
                ns = _seconds(rank, name, value)
                if getattr(life, f"{name}_ns") < 0:
                    setattr(life, f"{name}_ns", ns)

    def _opened_by(self, row: int) -> Life:
        """Return the session of an operation, of an `open` the one that it opened."""
        history, process = self._history, self._history.process_of(row)
        if history.f[row] == history.f_code("open") and history.outcome[row] == _OK:
            return self._of(process, int(history.ended_rank[row]) + 1, self._named.get(row))
        return self.of_row(row)

    def _renewals(self) -> Iterator[tuple[int, int, Life]]:
        """Yield what was sent and answered; note besides what may have arrived, and when."""
        history = self._history
        for row in (*rows_of(history, "open"), *rows_of(history, "beat")):
            life = self._opened_by(row)
            outcome, end = history.outcome[row], int(history.completed_ns[row])
            if outcome == _FAIL:
                continue
            if history.f[row] == history.f_code("beat"):
                self._refuse_stranger(life, int(history.invoked_rank[row]))
            life.tried = max(life.tried, NEVER if history.ended_rank[row] == NEVER else end)
            if outcome == _OK:
                yield int(history.invoked_ns[row]), end, life
        for event in events_of(history, "beat"):
            life, sent = self.of_event(event), _sent(event)
            _refuse_answer(event)
            if event.value is False:
                continue
            self._refuse_stranger(life, event.rank)
            life.tried = max(life.tried, event.time)
            if event.value is True:
                yield sent, event.time, life

    def _refuse_stranger(self, life: Life, rank: int) -> None:
        """Refuse a renewal of a session that nobody opened, where sessions are opened."""
        if self._opened and not life.opened:
            raise Unreadable(f"event {rank + 1} renews {life.name}, which was never opened")

    def _read_ends(self) -> None:
        history = self._history
        for row in rows_of(history, "close"):
            if history.outcome[row] == _FAIL:
                continue
            life = self.of_row(row)
            life.close_sent = min(life.close_sent, int(history.invoked_ns[row]))
            if history.outcome[row] == _OK:
                life.close_answered = min(life.close_answered, int(history.completed_ns[row]))
        for event in events_of(history, "close"):
            life = self.of_event(event)
            _refuse_answer(event)
            life.close_sent = min(life.close_sent, _sent(event))
            if event.value is True:
                life.close_answered = min(life.close_answered, event.time)


def rows_of(history: History, *fs: str) -> list[int]:
    """Return the rows of the operations with one of these f, in the order of invocation."""
    found: list[int] = np.flatnonzero(history.among(fs)).tolist()
    return found


def events_of(history: History, *fs: str) -> Iterator[Event]:
    """Yield what clients were told beside their answers, of one of these f."""
    return history.others.of(*fs, type="event")


def version_of(history: History, row: int, what: str) -> int:
    """Return the version of what succeeded. Raises `Unreadable` if it has none."""
    version = int(history.version[row])
    if version < 0:
        raise Unreadable(
            f"event {history.ended_rank[row] + 1}: {who(history, row)} is ok without its {what}, "
            "which is to be a whole number from 0"
        )
    return version


def event_version(event: Event, what: str) -> int:
    """Return the version of an event. Raises `Unreadable` if it has none."""
    if event.version < 0:
        raise Unreadable(
            f"event {event.rank + 1}: {event.f} of process {event.process} is without its {what}, "
            "which is to be a whole number from 0"
        )
    return event.version


def refuse_untimed(history: History, rows: list[int]) -> None:
    """Raise `Unreadable` for an operation that does not say when it was, or was over."""
    at = np.array(rows, dtype=np.int64)
    begun = history.invoked_ns[at] < 0
    ended = (history.completed_ns[at] < 0) & (history.ended_rank[at] < NEVER)
    for row in at[begun | ended][:1].tolist():
        of = history.invoked_rank if history.invoked_ns[row] < 0 else history.ended_rank
        raise Unreadable(f"event {of[row] + 1}: {who(history, row, timed=False)} has no time")


def refuse_untimed_event(event: Event) -> None:
    """Raise `Unreadable` for an event that does not say when it was."""
    if event.time < 0:
        raise Unreadable(f"event {event.rank + 1}: {event.f} has no time")


def refuse_keys(history: History, rows: list[int]) -> None:
    """Raise `Unreadable` for an operation whose key is neither a text nor a number."""
    key = history.key[np.array(rows, dtype=np.int64)]
    codes = [code for code in np.unique(key) if not is_name(history.decoded_key(code))]
    for at in np.flatnonzero(np.isin(key, codes))[:1].tolist():
        _refuse_key(int(history.invoked_rank[rows[at]]), history.decoded_key(key[at]))


def refuse_key(event: Event) -> None:
    """Raise `Unreadable` for an event whose key is neither a text nor a number."""
    if not is_name(event.key):
        _refuse_key(event.rank, event.key)


def is_name(key: Any) -> bool:
    """Whether that names a lock, an election or an entry: a text or a number, or nothing does."""
    return key is None or (isinstance(key, str | int | float) and not isinstance(key, bool))


def _refuse_key(rank: int, key: Any) -> None:
    raise Unreadable(f"event {rank + 1}: its key is {quoted(key)}, and must be a text or a number")


def refuse_other_clocks(history: History) -> None:
    """Raise `Unreadable` if the time falls within a process: then there are two clocks."""
    ended = np.flatnonzero((history.ended_rank < NEVER) & (history.completed_ns >= 0))
    begun = np.flatnonzero(history.invoked_ns >= 0)
    process = np.concatenate([history.process[begun], history.process[ended]])
    rank = np.concatenate([history.invoked_rank[begun], history.ended_rank[ended]])
    time = np.concatenate([history.invoked_ns[begun], history.completed_ns[ended]])
    order = np.lexsort((rank, process))
    falls = (np.diff(time[order]) < 0) & (np.diff(process[order]) == 0)
    for at in np.flatnonzero(falls)[:1] + 1:
        raise Unreadable(
            f"event {rank[order[at]] + 1}: the time of process {process[order[at]]} falls: "
            "all times must be of one clock"
        )


def leader_changes(history: History) -> IntColumn:
    """Return when the monitor saw that others lead than before, or that nobody does.

    Raises `Unreadable` if it does not say when.
    """
    said = [event for event in history.others.of("leader") if event.process == "monitor"]
    for event in said:
        refuse_untimed_event(event)
    times = [each.time for before, each in pairwise(said)
             if each.value != before.value]  # fmt: skip
    return np.array(times, dtype=np.int64)


def _seconds(rank: int, name: str, value: Any) -> int:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= _MOST_S or (name == "ttl" and value == 0):
        least = "more than 0" if name == "ttl" else "from 0"
        raise Unreadable(
            f"event {rank + 1}: {name} is {quoted(value)}, and must be a number of seconds, {least}"
            f" to {_MOST_S:,}"
        )
    return round(float(value) * SECOND)


def _sent(event: Event) -> int:
    sent = event.fields.get("sent")
    if not isinstance(sent, int) or isinstance(sent, bool) or sent > event.time:
        raise Unreadable(
            f"event {event.rank + 1}: {event.f} of process {event.process} needs `sent`, the ns at "
            "which it was sent, before its own time"
        )
    return int(sent)


def _refuse_answer(event: Event) -> None:
    if event.value is not None and not isinstance(event.value, bool):
        raise Unreadable(
            f"event {event.rank + 1}: {event.f} of process {event.process} has the value "
            f"{quoted(event.value)}, and must have true, false or null"
        )


def _plain(value: Any) -> Any:
    """Return a value that dictionaries take as a key."""
    return value if isinstance(value, str | int | float | None) else quoted(value)


def labelled(fields: Mapping[str, Any], name: str) -> Any:
    """Return a further field of an event as something that dictionaries take as a key."""
    return _plain(fields.get(name))
