"""The oracle of the check `leases`: its definition, tried out one moment after the other.

Short enough to be believed by reading, and slow. The check is compared with it in the tests;
nothing else uses it, and it shares no code with it.

**Kept.** For each entry of a key, in the order of their revisions, there are a moment at which it
came (before anybody was told that it is there) and one at which it went, so that

1. it went before the next one came;
2. it did not go before it may: until its time to live after the last answered renewal was sent,
   or until a deletion of it, or the close of its session, was sent;
3. it was gone when a deletion that was sent after it was made, or the close, had been answered;
4. every look found what was there at some moment between its sending and its answer, and what a
   replica found at a position was there when the replica was at that position;
5. no list of the final reads shows it more than three times to live after the last moment at
   which a renewal may have arrived.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

from partita.checker.history import History, Op

NEVER = 10**18


@dataclass(frozen=True)
class _Made:
    op: Op
    least: int  # it may go from here on
    most: int  # it was gone by here
    forever: int  # in the final reads nobody finds it after this


def keeps(history: History) -> bool:
    """Say whether the ephemeral entries of a small history lived as long as they must."""
    made = [_made(history, op) for op in history if op.f == "ephemeral" and op.outcome == "ok"]
    return all(_key_keeps(history, key, made) for key in {each.op.key for each in made})


def _key_keeps(history: History, key: Any, made: list[_Made]) -> bool:
    mine = sorted((each for each in made if each.op.key == key), key=lambda each: each.op.version)
    looks = [op for op in history if op.f in ("look", "list") and op.outcome == "ok"]
    looks = [op for op in looks if op.f == "list" or op.key == key]
    final = [each.time for each in history.others if each.f == "phase"]
    for each in mine:
        for look in looks:
            late = look.invoked >= min(final, default=NEVER) and look.invoked > each.forever
            if late and _found(look, key) == each.op.version and not _local(history, look):
                return False
    times = {time for op in history for time in (op.invoked, op.completed or 0)}
    times |= {each.time for each in history.others} | {each.least for each in mine} | {0}
    moments = sorted(times)
    for lives in product(*(_lives(each, moments) for each in mine)):
        ends = [time for life in lives for time in life]
        looked = (_fits(history, op, key, mine, lives) for op in looks)
        told = (_delivered(history, key, *each) for each in zip(mine, lives, strict=True))
        if ends == sorted(ends) and all(looked) and all(told):
            return True
    return False


def _lives(each: _Made, moments: list[int]) -> list[tuple[int, int]]:
    """Return when it may have come and gone; it may stay for ever."""
    ends = [*moments, NEVER]
    return [
        (came, went)
        for came in moments
        for went in ends
        if came <= min(each.op.completed or 0, went) and each.least <= went <= each.most
    ]


def _fits(
    history: History, look: Op, key: Any, mine: list[_Made], lives: tuple[tuple[int, int], ...]
) -> bool:
    found, answered = _found(look, key), look.completed or 0
    if _local(history, look):
        position = history.extra("position")[look.index]
        for each, (came, went) in zip(mine, lives, strict=True):
            if found == each.op.version and came > answered:
                return False
            newer = position >= each.op.version if found is None else found > each.op.version
            if newer and went > answered:
                return False
        return True
    for each, (came, went) in zip(mine, lives, strict=True):
        if found == each.op.version and not (came <= answered and went >= look.invoked):
            return False
        if found is not None and found > each.op.version and went > answered:
            return False
        if found is None and not (look.invoked <= came or answered >= went):
            return False
    return True


def _found(look: Op, key: Any) -> int | None:
    """Return the revision of what was there."""
    if look.f == "list":
        return dict(look.output).get(key)
    return None if look.output is None else look.version


def _local(history: History, look: Op) -> bool:
    return look.index in history.extra("position")


def _delivered(history: History, key: Any, each: _Made, life: tuple[int, int]) -> bool:
    """Say whether it had gone when a watch delivered a later deletion."""
    deletions = [event for event in history.others if event.f == "event" and event.key == key]
    return all(life[1] <= event.time for event in deletions if event.version > each.op.version)


def _made(history: History, op: Op) -> _Made:
    session = history.extra("session")[op.index]
    events = [each for each in history.others if each.fields.get("session") == session]
    ttl = round(history.extra("ttl")[op.index] * 10**9)
    beats = [each for each in events if each.f == "beat"]
    sent = [each.fields["sent"] for each in beats if each.value is True]
    tried = [each.time for each in beats if each.value is not False]
    closes = [each for each in events if each.f == "close"]
    deletes = [each for each in history if each.f == "delete" and each.key == op.key]
    deletes = [each for each in deletes if each.outcome != "fail"]
    may_end = [each.fields["sent"] for each in closes]
    has_ended = [each.time for each in closes if each.value is True]
    for each in deletes:
        over = each.completed if each.outcome == "ok" else None
        if over is None or op.invoked <= over:
            may_end.append(each.invoked)
        if over is not None and (op.completed or 0) < each.invoked:
            has_ended.append(over)
    least = min([max(sent) + ttl if sent else 0, *may_end])
    forever = max(tried) + 3 * ttl if tried else NEVER
    return _Made(op, least, min(has_ended, default=NEVER), forever)
