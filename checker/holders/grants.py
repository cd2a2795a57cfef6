"""Who was granted what, and when: each answered `acquire` or `campaign`, and how it ended.

Times are ns since the run began. A grant is certain from the moment its answer came until the
next request that could end it was sent.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from partita.checker.events import Event
from partita.checker.explain import quoted, who
from partita.checker.history import NEVER, OUTCOMES, History
from partita.checker.lives import (
    NO_TIME,
    Life,
    Lives,
    Unreadable,
    event_version,
    events_of,
    leader_changes,
    refuse_key,
    refuse_keys,
    refuse_untimed,
    refuse_untimed_event,
    rows_of,
    version_of,
)

# What takes, gives back and asks, and what the number of a grant is called.
WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "acquire": ("release", "token"),
    "campaign": ("resign", "term"),
}
_OK, _FAIL = OUTCOMES.index("ok"), OUTCOMES.index("fail")


@dataclass(slots=True, eq=False)
class Grant:
    """One grant. `process` holds `key` with `token`, in the session `life`.

    It was asked for at `asked` and answered at `got`. Its own client sent the release at `left`,
    and one that may have happened at `freed` (a release that failed frees nothing). The store owes
    it until `owed`, and it can be granted until `over`, when its session is certainly over. `told`
    and `suspended` are when its client was told that it is lost, or may be. All these are `NEVER`
    where nothing of the kind happened. `row` is the operation, `end` that of the release, -1 if
    there is none.
    """

    row: int
    process: int | str
    key: Any
    token: int
    life: Life
    asked: int
    got: int
    owed: int = NO_TIME
    over: int = NEVER
    left: int = NEVER
    freed: int = NEVER
    told: int = NEVER
    suspended: int = NEVER
    end: int = -1


class Observation(NamedTuple):
    """What somebody observed of an election: `name` leads in `term`, or nobody does (None).

    `seen` is the event, or the row of the operation.
    """

    rank: int
    seen: Event | int
    key: Any
    name: Any
    term: int
    process: int | str


@dataclass(slots=True)
class Holdings:
    """All that a history says of its locks or elections. `takes` is `acquire` or `campaign`.

    `grants` are in the order of their answers. `waits` are the times from which until when each
    process asked for a key, whatever came of it, and then held it. `horizon` is the history's end.
    `observed` is what was observed of elections, in the order of the answers.
    """

    history: History
    takes: str
    grants: list[Grant]
    waits: list[tuple[int, int, Any, int | str]]
    lives: Lives
    horizon: int
    by_process: dict[tuple[int | str, Any], list[Grant]] = field(default_factory=dict)
    observed: list[Observation] = field(default_factory=list)

    @property
    def number(self) -> str:
        """What the number of a grant is called: its token, or its term."""
        return WORDS[self.takes][1]

    def held_by(self, process: int | str, key: Any, time: int) -> Grant | None:
        """Return the grant that a process was answered last before a time."""
        grants = self.by_process.get((process, key), ())
        place = bisect_left(grants, time + 1, key=lambda grant: grant.got)
        return grants[place - 1] if place else None

    def by_key(self) -> dict[Any, list[Grant]]:
        """Return the grants of each lock, in the order of their answers."""
        found: dict[Any, list[Grant]] = defaultdict(list)
        for grant in self.grants:
            found[grant.key].append(grant)
        return found


def holdings_of(history: History) -> Holdings | None:
    """Read a history's locks, or its elections if it has no locks; None if it has neither.

    Raises `Unreadable` for what cannot be.
    """
    for takes, (gives, number) in WORDS.items():
        rows = rows_of(history, takes, gives)
        if rows:
            refuse_untimed(history, rows)
            refuse_keys(history, rows)
            lives = Lives(history)
            found = Holdings(history, takes, [], [], lives, history.end)
            if takes == "campaign":
                found.observed = _observed(history)
            _read(found, rows, number)
            _tell(found)
            _bound(found)
            return found
    return None


def _read(found: Holdings, rows: Sequence[int], number: str) -> None:
    """Follow each process through its operations: it takes, and gives back what it took."""
    history = found.history
    holding: dict[tuple[int | str, int], Grant] = {}
    for row in rows:
        place = (history.process_of(row), int(history.key[row]))
        asked = int(history.invoked_ns[row])
        if history.fs[history.f[row]] != found.takes:
            _give_back(found, holding, place, row)
            continue
        if place in holding and holding[place].life.close_sent > asked:
            _refuse(history, row, f"though it holds {quoted(holding[place].key)} since operation"
                                  f" {holding[place].row}")  # fmt: skip
        if history.outcome[row] != _OK:
            until = int(history.completed_ns[row])
            key = history.decoded_key(place[1])
            found.waits.append((asked, until if until >= 0 else found.horizon, key, place[0]))
            continue
        grant = holding[place] = _grant(found, row, number)
        found.grants.append(grant)
    found.grants.sort(key=lambda grant: grant.got)
    for grant in found.grants:
        found.by_process.setdefault((grant.process, grant.key), []).append(grant)
        until = min(grant.left, found.horizon)
        found.waits.append((grant.asked, until, grant.key, grant.process))


def _grant(found: Holdings, row: int, number: str) -> Grant:
    history = found.history
    life = found.lives.of_row(row)
    return Grant(
        row=row,
        process=history.process_of(row),
        key=history.decoded_key(history.key[row]),
        token=version_of(history, row, number),
        life=life,
        asked=int(history.invoked_ns[row]),
        got=int(history.completed_ns[row]),
    )


def _give_back(
    found: Holdings, holding: dict[tuple[int | str, int], Grant], place: Any, row: int
) -> None:
    history = found.history
    grant = holding.pop(place, None)
    if grant is None:
        _refuse(history, row, "without having been granted it")
    else:
        grant.left, grant.end = int(history.invoked_ns[row]), row
        if history.outcome[row] != _FAIL:
            grant.freed = grant.left


def _refuse(history: History, row: int, why: str) -> None:
    rank = history.invoked_rank[row]
    raise Unreadable(f"event {rank + 1}: {who(history, row, timed=False)} comes {why}")


def _tell(found: Holdings) -> None:
    """Note when each holder was told that it lost what it holds, or that nobody knows."""
    told: dict[tuple[str, int], list[tuple[int, Any]]] = defaultdict(list)
    for event in events_of(found.history, "told", "suspended"):
        refuse_untimed_event(event)
        life = found.lives.of_event(event)
        told[event.f, id(life)].append((event.time, event.key))
    for each in told.values():
        each.sort(key=lambda one: one[0])
    for grant in found.grants:
        # Who is told that a session is lost while it waits need not wait for more; what is
        # suspended meanwhile may be well again.
        grant.told = _first(told["told", id(grant.life)], grant.asked, grant.key)
        grant.suspended = _first(told["suspended", id(grant.life)], grant.got, grant.key)


def _first(told: list[tuple[int, Any]], since: int, key: Any) -> int:
    begin = bisect_left(told, since, key=lambda one: one[0])
    for at in range(begin, len(told)):
        time, named = told[at]
        if named is None or named == key:
            return time
    return NEVER


def _bound(found: Holdings) -> None:
    """Say until when each grant is owed, and when its session was certainly over."""
    changes = leader_changes(found.history).tolist()
    for grant in found.grants:
        life = grant.life
        grant.left = min(grant.left, max(life.close_sent, grant.got))
        grant.freed = min(grant.freed, max(life.close_sent, grant.asked))
        grant.owed = life.owed
        if life.over < NEVER and not _changed(changes, life, grant):
            grant.over = life.over


def _changed(changes: list[int], life: Life, grant: Grant) -> bool:
    """Whether leaders changed while the session ran out: a new one lets it begin anew.

    The monitor sees it a little later, so it is looked for a little longer.
    """
    first = bisect_left(changes, life.tried)
    until = grant.got + life.ttl_ns + life.grace_ns
    return first < len(changes) and changes[first] <= until


def _observed(history: History) -> list[Observation]:
    found: list[Observation] = []
    rows = rows_of(history, "observe")
    refuse_keys(history, rows)
    for row in rows:
        if history.outcome[row] == _OK:
            op = history[row]
            term = version_of(history, row, "term") if op.output is not None else op.version
            rank = int(history.ended_rank[row])
            found.append(Observation(rank, row, op.key, op.output, term, op.process))
    for event in events_of(history, "observe"):
        refuse_key(event)
        term = event_version(event, "term") if event.value is not None else event.version
        found.append(Observation(event.rank, event, event.key, event.value, term, event.process))
    return sorted(found, key=lambda each: each.rank)
