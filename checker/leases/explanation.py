"""What the store did wrong with an ephemeral entry, in English."""

from partita.checker.explain import quoted
from partita.checker.leases.entries import ABSENT, LISTED, LOCAL, WATCHED, Entry, Kept, Look
from partita.checker.leases.rules import DIVERGENCE, EARLY, FOREVER, ORPHAN, Violation
from partita.checker.lives import SECOND
from partita.checker.verdict import Counterexample


def explained(kept: Kept, violation: Violation) -> Counterexample:
    """Say what is wrong, and which operations show it."""
    sentence = {EARLY: _early, ORPHAN: _orphan, DIVERGENCE: _divergence, FOREVER: _forever}
    rows = {violation.entry.row, violation.entry.end_row}
    rows |= {look.row for look in (violation.look, violation.before) if look is not None}
    rows |= set() if violation.maker is None else {violation.maker.row}
    shown = tuple(sorted(row for row in rows if row >= 0))
    return Counterexample(shown, sentence[violation.rule](kept, violation), violation.entry.key)


def _early(kept: Kept, violation: Violation) -> str:
    entry, life = violation.entry, violation.entry.life
    time = violation.look.answered if violation.look else _maker(violation).made
    until = f"was owed to it until {_s(entry.owed)}"
    if life.owed == entry.owed:
        until += (
            f": its last renewal that was answered was sent at {_s(life.renewed)}, and its time to"
            f" live is {_s(life.ttl_ns)}"
        )
    else:
        until += ", when it was given up"
    return (
        f"{_entry(kept, entry)} was gone at {_s(time)}, {_s(violation.by_ns)} too early"
        f" ({_seen(violation.look, violation.maker)}). It {until}."
    )


def _orphan(kept: Kept, violation: Violation) -> str:
    entry, look = violation.entry, _look(violation)
    deleted = entry.end_row >= 0
    what = "its deletion" if deleted else f"the close of {entry.life.name}"
    return (
        f"{_entry(kept, entry)} was still there in {_named(look)}, sent at {_s(look.sent)}:"
        f" {_s(violation.by_ns)} after {what} had been answered at {_s(entry.end_answered)}."
    )


def _divergence(kept: Kept, violation: Violation) -> str:
    look = _look(violation)
    gone = look.sent - violation.by_ns
    return (
        f"{_entry(kept, violation.entry)} was there in {_named(look)}, sent at {_s(look.sent)},"
        f" after it had been gone by {_s(gone)} ({_seen(violation.before, violation.maker)})."
    )


def _forever(kept: Kept, violation: Violation) -> str:
    entry, look = violation.entry, _look(violation)
    return (
        f"{_entry(kept, entry)} was still there in {_named(look)} at the end, at {_s(look.sent)}:"
        f" {_s(violation.by_ns)} after {entry.life.name}, last renewed at {_s(entry.life.tried)} at"
        f" the latest, was over by its time to live of {_s(entry.life.ttl_ns)}."
    )


def _entry(kept: Kept, entry: Entry) -> str:
    process = kept.history.process_of(entry.row)
    return f"The entry {quoted(entry.key)} (revision {entry.revision}, made by process {process})"


def _seen(look: Look | None, maker: Entry | None) -> str:
    if look is None:
        assert maker is not None
        return f"a new one was made by {_s(maker.made)}, of revision {maker.revision}"
    if look.kind == WATCHED:
        return f"a watch delivered its deletion, revision {look.revision}"
    found = "nothing" if look.revision == ABSENT else f"revision {look.revision}"
    return f"{_named(look)} found {found}"


def _named(look: Look) -> str:
    at = f" on {look.node}" if look.node and look.kind in (LISTED, LOCAL) else ""
    return f"a {look.kind}{at}"


def _look(violation: Violation) -> Look:
    assert violation.look is not None
    return violation.look


def _maker(violation: Violation) -> Entry:
    assert violation.maker is not None
    return violation.maker


def _s(ns: int) -> str:
    return f"{ns / SECOND:.3f}".rstrip("0").rstrip(".") + " s"
