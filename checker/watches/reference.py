"""The oracle of the check `watches` for streams: each rule as it is defined, one after the other.

Short enough to be believed by reading, and slow. The check is compared with it in the tests;
nothing else uses it, and it shares no code with it. Keys are texts, and every value is written
once under its key.
"""

from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from partita.checker.events import Event
from partita.checker.history import History, Op


@dataclass
class Piece:
    """What a stream delivered since it began, or began again."""

    prefix: str
    start: int
    begun: int
    events: list[Event] = field(default_factory=list)  # changes and progress, in their order
    ended: bool = False
    last: bool = True

    def changes(self) -> list[Event]:
        return [each for each in self.events if each.f == "event"]


def rules_broken(history: History, settle_ns: int) -> set[str]:
    """Return the rules that the streams of a small history break."""
    pieces = pieces_of(history)
    known = {(version, key): value for version, key, value in _told(history)}
    delivered = [each for piece in pieces for each in piece.changes()]
    for each in delivered:
        known.setdefault((each.version, each.key), each.value)
    found = set()
    if _two_truths(history, delivered):
        found.add("truth")
    if _made_up(history, delivered):
        found.add("phantom")
    for piece in pieces:
        found |= _of_piece(piece, known)
        found |= _late(history, piece, known, delivered, settle_ns)
    return found


def _of_piece(piece: Piece, known: dict[tuple[int, Any], Any]) -> set[str]:
    found = set()
    before: list[Event] = []
    for each in piece.events:
        if each.f == "event":
            changes = [one for one in before if one.f == "event"]
            marks = [one.version for one in before if one.f == "progress"]
            if (each.version, each.key) in {(one.version, one.key) for one in changes}:
                found.add("unique")
            else:
                if each.version < piece.start:
                    found.add("start")
                if any(each.version < one.version for one in changes):
                    found.add("ordered")
                if any(each.version <= mark for mark in marks):
                    found.add("bookmark")
                if changes and changes[-1].version == each.version:
                    batches = {one.fields.get("batch", -1) for one in (changes[-1], each)}
                    if len(batches) > 1 and -1 not in batches:
                        found.add("atomic")
            if not each.key.startswith(piece.prefix):
                found.add("phantom")
        before.append(each)
    changes = piece.changes()
    if piece.start < 0 and not changes:
        return found
    start = piece.start if piece.start >= 0 else changes[0].version
    upto = _reached(piece)
    have = {(each.version, each.key) for each in changes}
    for version, key in known:
        if start <= version <= upto and key.startswith(piece.prefix) and (version, key) not in have:
            found.add("gap")
    return found


def _reached(piece: Piece) -> int:
    """Return up to where all must be there: of the last revision half may be written down."""
    marks = [each.version for each in piece.events if each.f == "progress"]
    return max([each.version - 1 for each in piece.changes()] + marks, default=-1)


def _late(
    history: History,
    piece: Piece,
    known: dict[tuple[int, Any], Any],
    delivered: list[Event],
    settle_ns: int,
) -> set[str]:
    """Say whether a live stream had time enough for the first that it did not deliver."""
    changes = piece.changes()
    if piece.ended or not piece.last or (piece.start < 0 and not changes):
        return set()
    start = piece.start if piece.start >= 0 else changes[0].version
    upto = _reached(piece)
    have = {(each.version, each.key) for each in changes}
    owed = [each for each in known if each[0] >= start and each[1].startswith(piece.prefix)]
    behind = sorted(each for each in owed if each not in have and each[0] > upto)
    if not behind:
        return set()
    version, key = behind[0]
    told = [op.completed or 0 for op in _writers(history) if (op.version, op.key) == (version, key)]
    seen = [each.time for each in delivered if (each.version, each.key) == (version, key)]
    seen += [
        op.completed or 0 for op in _readers(history) if (op.version, op.key) == (version, key)
    ]
    quiet = max([each.time for each in history.others if each.process == "nemesis"], default=0)
    since = max(told[0] if told else min(seen), piece.begun, quiet)
    return {"arrives"} if history.end - since >= settle_ns else set()


def pieces_of(history: History) -> list[Piece]:
    """Read the streams."""
    streams: dict[Any, list[Piece]] = {}
    for event in history.others:
        if event.f not in ("resume", "event", "progress", "compacted", "ended"):
            continue
        mine = streams.setdefault(event.fields["stream"], [])
        if event.f == "resume":
            for piece in mine:
                piece.last = False
            mine.append(Piece(event.key or "", event.version, event.time))
        elif not mine:
            mine.append(Piece("", -1, event.time))
        if event.f in ("ended", "compacted"):
            mine[-1].ended = True
        elif event.f in ("event", "progress") and not mine[-1].ended:
            mine[-1].events.append(event)
    return [piece for pieces in streams.values() for piece in pieces]


def _writers(history: History) -> list[Op]:
    fs = ("write", "delete")
    return [op for op in history if op.f in fs and op.outcome == "ok" and op.version >= 0]


def _readers(history: History) -> list[Op]:
    reads = [op for op in history if op.f == "read" and op.outcome == "ok"]
    return [op for op in reads if op.version >= 0 and op.output is not None]


def _told(history: History) -> list[tuple[int, Any, Any]]:
    writes = [(op.version, op.key, op.input) for op in _writers(history)]
    return writes + [(op.version, op.key, op.output) for op in _readers(history)]


def _two_truths(history: History, delivered: list[Event]) -> bool:
    seen = _told(history) + [(each.version, each.key, each.value) for each in delivered]
    for first in seen:
        for second in seen:
            same = first[:2] == second[:2]
            if same and first[2] != second[2]:
                return True
            one_value = first[1:] == second[1:] and first[2] is not None
            if one_value and first[0] != second[0]:
                return True
    return False


def _made_up(history: History, delivered: list[Event]) -> bool:
    seen = [(each.key, each.value, each.rank) for each in delivered]
    seen += [(op.key, op.output, int(history.ended_rank[op.index])) for op in _readers(history)]
    for key, value, rank in seen:
        if value is not None and not any(
            (op.f, op.key, op.input) == ("write", key, value)
            and op.outcome != "fail"
            and history.invoked_rank[op.index] < rank
            for op in history
        ):
            return True
    return not all(
        _deletions_fit(history, delivered, key) for key in {each.key for each in delivered}
    )


def _deletions_fit(history: History, delivered: list[Event], key: Any) -> bool:
    """Say whether each deletion can be given to an attempt of its own that began before."""
    told = {op.version: op for op in _writers(history) if op.key == key}
    open_ = [op for op in history if (op.f, op.key) == ("delete", key) and op.outcome != "fail"]
    open_ = [op for op in open_ if op.outcome == "info" or op.version < 0]
    first: dict[int, int] = {}  # by revision of nobody's, when it was seen first
    for each in delivered:
        if each.key != key or each.value is not None:
            continue
        if each.version in told:
            if history.invoked_rank[told[each.version].index] > each.rank:
                return False
        else:
            first[each.version] = min(each.rank, first.get(each.version, each.rank))
    begun = [int(history.invoked_rank[op.index]) for op in open_]
    return any(
        all(begin < rank for begin, rank in zip(chosen, first.values(), strict=True))
        for chosen in permutations(begun, len(first))
    )
