"""The oracle of the sessions check: its definition, tried out exhaustively.

Short enough to be believed by reading, exponential, and so for a handful of operations. The
check is compared with it in the tests; nothing else uses it, and it shares no code with it.

**The definition.** A history keeps a level if all its operations can be put into one order so
that

1. each operation that was answered stands in it once, and an update that crashed once or not;
2. it is legal: registers begin as null, a read returns what the last update of its key left, a
   cas that succeeded met its old value and one that failed did not, an add puts its element at
   the end of the list. (A cas that failed and was not told what it met is believed if an update
   of its key crashed.);
3. it keeps what was over before: an operation stands after all of its session's that were over
   before it was invoked, and, if the level *orders* it, after all of any session's. Sequential
   orders none, ordered-sequential updates, linearizable all;
4. it is the store's own: updates stand in the order of their versions, which are all different,
   and a version that a read names is that of the update whose value it returned. An update
   whose version nobody said may stand anywhere.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

from partita.checker.history import NEVER, History, Op

UPDATES = ("write", "cas", "add")


def keeps(history: History, level: str) -> bool:
    """Say whether a small history keeps a level."""
    ops = {op.index: op for op in history if _counts(op) and not _believed(history, op)}
    return any(_has_order(history, ops, level, versions) for versions in _assignments(ops))


def _counts(op: Op) -> bool:
    """Failed operations and unanswered reads did nothing, but a mismatch saw something."""
    if op.outcome == "info":
        return op.f in UPDATES
    return op.outcome == "ok" or op.error == "mismatch"


def _believed(history: History, op: Op) -> bool:
    if op.outcome != "fail" or op.output is not None:
        return False
    return any(
        other.outcome == "info" and other.f in UPDATES and other.key == op.key for other in history
    )


def _updates(op: Op) -> bool:
    return op.f in UPDATES and op.outcome != "fail"


def _told(op: Op) -> bool:
    """Say whether an operation was told a version: what crashed was told nothing."""
    return op.version >= 0 and op.outcome != "info"


def _session(history: History, op: Op) -> Any:
    """Return the session that an operation names, else its process.

    In a process that names sessions, an operation that names none may be of any of them.
    """
    named = history.extra("session")
    if op.index in named:
        return "session", named[op.index]
    moved = any(history[other].process == op.process for other in named)
    return ("nobody", op.index) if moved else ("process", op.process)


def _assignments(ops: Mapping[int, Op]) -> Iterator[dict[int, int | None]]:
    """Yield the versions that updates may have: those which nobody said are guessed."""
    named = sorted({op.version for op in ops.values() if _told(op)})
    choices: list[list[int | None]] = []
    updates = [op for op in ops.values() if _updates(op)]
    for op in updates:
        choices.append([op.version] if _told(op) else [None, *named])
    for chosen in product(*choices):
        said = [version for version in chosen if version is not None]
        if len(said) == len(set(said)):
            yield {op.index: version for op, version in zip(updates, chosen, strict=True)}


def _has_order(
    history: History, ops: Mapping[int, Op], level: str, versions: Mapping[int, int | None]
) -> bool:
    sessions = {index: _session(history, op) for index, op in ops.items()}
    needed = frozenset(index for index, op in ops.items() if op.outcome != "info")

    def ordered(op: Op) -> bool:
        return level == "linearizable" or (level == "ordered-sequential" and _updates(op))

    def before(first: int, second: int) -> bool:
        """Say whether the first operation must stand before the second one."""
        over = history.completed_rank[first]
        if over == NEVER or over > history.invoked_rank[second]:
            return False
        return ordered(ops[second]) or sessions[first] == sessions[second]

    @cache
    def possible(left: frozenset[int], registers: frozenset[tuple[Any, Any]], last: int) -> bool:
        if not left & needed:
            return True
        for index in left:
            if any(before(other, index) for other in left & needed):
                continue
            op, version = ops[index], versions.get(index)
            now = dict(registers)
            after = _after(op, now.get(op.key, (None, None)), version)
            if after is None or (version is not None and version <= last):
                continue
            registers_after = frozenset((now | {op.key: after}).items())
            later = last if version is None else version
            if possible(left - {index}, registers_after, later):
                return True
        return False

    return possible(frozenset(ops), frozenset(), -1)


# What a register holds, and the version of the update that left it there.
_State = tuple[Any, int | None]


def _after(op: Op, state: _State, version: int | None) -> _State | None:
    """Return the state after an operation, None if the operation is not possible."""
    value, written = state
    if op.f == "write":
        return _frozen(op.input), version
    if op.f == "add":
        return (*(value or ()), _frozen(op.input)), version
    if op.f == "read" and op.output == []:
        return state if value is None else None
    if op.f == "cas" and op.outcome != "fail":
        old, new = op.input
        return (_frozen(new), version) if value == _frozen(old) else None
    if op.f == "cas" and op.output is None:
        return state if value != _frozen(op.input[0]) else None
    # What has no value has no version: nobody made it.
    named = op.version if op.version >= 0 and op.output is not None else None
    return state if value == _frozen(op.output) and named in (None, written) else None


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
