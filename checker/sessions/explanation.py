"""What breaks a level, in English, and the operations that a reader needs to see it.

The four guarantees that a session can lose (Terry et al., 1994) have no code that looks for them:
they are the ways in which an operation can fail to have a place, and they name it.
"""

from partita.checker.explain import capital, moment, quoted
from partita.checker.sessions.naming import said
from partita.checker.sessions.observed import MISMATCH, READ, UNKNOWN, UPDATE, session_name
from partita.checker.sessions.order import Violation
from partita.checker.sessions.placing import Placed
from partita.checker.verdict import Counterexample


def explained(placed: Placed, violation: Violation) -> Counterexample:
    """Say why an operation has no place, and which others contradict it."""
    seen, index = placed.seen, violation.operation
    sentence = {READ: _read, UPDATE: _update, MISMATCH: _mismatch}[int(seen.kind[index])]
    involved = {index, *_shown(placed, violation)}
    involved |= {witness for each in involved for witness in _witnesses(placed, each)}
    rows = tuple(sorted(seen.row(each) for each in involved))
    return Counterexample(rows, sentence(placed, violation), seen.key_of(index))


def _shown(placed: Placed, violation: Violation) -> set[int]:
    """Return what the sentence speaks of beside the operation itself."""
    index = violation.operation
    shown = set() if violation.cause is None else {violation.cause}
    if placed.seen.kind[index] == READ:
        shown.add(placed.at(int(placed.next[index])))
        shown |= {placed.at(int(place)) for place in placed.place[[index]] if place}
    if MISMATCH in placed.seen.kind[[index, *shown]] and violation.bound:
        shown.add(placed.at(violation.bound))
    return shown


def _witnesses(placed: Placed, index: int) -> list[int]:
    """Return what shows the place of an operation whose own answer did not."""
    seen = placed.seen
    if index in placed.hidden:
        return [placed.at(int(placed.place[index]) + 1)]
    return seen.witnesses(index)


def _read(placed: Placed, violation: Violation) -> str:
    seen, read, cause = placed.seen, violation.operation, _cause(violation)
    history, row = seen.history, seen.row(read)
    newer = placed.at(int(placed.next[read]))
    began = moment(history, row)
    if not _same_session(placed, violation):
        over = moment(history, seen.row(cause), completed=True)
        known = "and" if newer == cause else f"which {said(seen, cause)} shows, and that"
        return (
            f"{capital(said(seen, read))} was stale: {_replacement(placed, newer, read)}, {known}"
            f" was over at {over}, before the read was invoked at {began}."
        )
    lost = "read your writes" if seen.kind[cause] == UPDATE else "monotonic reads"
    of_key = _of_key(placed, read)
    found = f"version {seen.version[read]}{of_key}" if placed.place[read] else f"nothing{of_key}"
    session = capital(session_name(history, row))
    return (
        f"{session} read {found} at {began}, after it had {_did(placed, violation)}:"
        f" {_replacement(placed, newer, read)}. The session went back ({lost})."
    )


def _update(placed: Placed, violation: Violation) -> str:
    seen, update, cause = placed.seen, violation.operation, _cause(violation)
    history = seen.history
    name, began = said(seen, update), moment(history, seen.row(update))
    if placed.place[cause] == placed.place[update]:
        return f"{capital(said(seen, cause))} was over before {name} was invoked at {began}."
    made = f"made {_version(placed, update)}"
    if update in placed.hidden:
        made = f"must stand directly before {_version(placed, placed.at(_after(placed, update)))}"
    bound = _version(placed, placed.at(violation.bound))
    if not _same_session(placed, violation):
        over = moment(history, seen.row(cause), completed=True)
        return (
            f"{capital(name)} {made}, but {said(seen, cause)}, at {bound}, was over at {over},"
            f" before it was invoked at {began}."
        )
    lost = "monotonic writes" if seen.kind[cause] == UPDATE else "writes follow reads"
    session = session_name(history, seen.row(update))
    return (
        f"{capital(name)} {made}, although {session} had {_did(placed, violation)}: the order of"
        f" the session was not kept ({lost})."
    )


def _mismatch(placed: Placed, violation: Violation) -> str:
    seen, index, cause = placed.seen, violation.operation, violation.cause
    old = quoted(seen.history[seen.row(index)].input[0])
    sentence = f"{capital(said(seen, index))} failed because {old} was not there"
    if cause is None:
        return f"{sentence}, but nothing else was ever there."
    bound = _version(placed, placed.at(violation.bound))
    return (
        f"{sentence}, but it was there at {bound} and ever after, and that was reached before,"
        f" as {said(seen, cause)} shows."
    )


def _cause(violation: Violation) -> int:
    assert violation.cause is not None  # only a failed cas needs nothing to be contradicted
    return violation.cause


def _same_session(placed: Placed, violation: Violation) -> bool:
    session = placed.seen.session
    return bool(session[violation.operation] == session[_cause(violation)])


def _after(placed: Placed, index: int) -> int:
    return int(placed.place[index]) + 1


def _version(placed: Placed, index: int) -> str:
    version = placed.seen.version[index]
    return f"version {version}" if version != UNKNOWN else "a version that nobody was told"


def _of_key(placed: Placed, index: int) -> str:
    key = placed.seen.key_of(index)
    return "" if key is None else f" of {quoted(key)}"


def _did(placed: Placed, violation: Violation) -> str:
    """Say what a session had done or seen: "seen version 19 of "y" at 2.9 s"."""
    seen, cause = placed.seen, _cause(violation)
    at = moment(seen.history, seen.row(cause))
    if seen.kind[cause] == MISMATCH:
        old = quoted(seen.history[seen.row(cause)].input[0])
        reached = _version(placed, placed.at(violation.bound))
        return f"been told that {old}{_of_key(placed, cause)} was gone at {at}, by {reached}"
    verb = "made" if seen.kind[cause] == UPDATE else "seen"
    return f"{verb} {_version(placed, cause)}{_of_key(placed, cause)} at {at}"


def _replacement(placed: Placed, newer: int, read: int) -> str:
    """Say what had taken the place of what was read."""
    name = f"{_version(placed, newer)}, {said(placed.seen, newer)}, had"
    if not placed.place[read]:
        return f"{name} been written"
    return f"{name} replaced {_version(placed, read)}"
