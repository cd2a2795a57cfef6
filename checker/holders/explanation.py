"""What the store did wrong with a lock or an election, in English."""

from partita.checker.events import Event
from partita.checker.explain import quoted
from partita.checker.history import NEVER, History
from partita.checker.holders.grants import Grant, Holdings
from partita.checker.holders.order import ALIVE, EXCLUSIVE, NO_RETURN, ONCE, Violation
from partita.checker.lives import SECOND
from partita.checker.verdict import Counterexample


def explained(holdings: Holdings, violation: Violation) -> Counterexample:
    """Say what is wrong, and which operations show it."""
    sentence = {EXCLUSIVE: _exclusive, ALIVE: _alive, ONCE: _once, NO_RETURN: _no_return}
    text = sentence.get(violation.rule, _one_leader)(holdings, violation)
    grants = [each for each in (violation.before, violation.grant) if each is not None]
    rows = {each.row for each in grants} | {each.end for each in grants if each.end >= 0}
    rows |= {each for each in (violation.seen, violation.seen_before) if isinstance(each, int)}
    return Counterexample(tuple(sorted(rows)), text, violation.key)


def _exclusive(holdings: Holdings, violation: Violation) -> str:
    later, before = violation.grant, violation.before
    assert later is not None and before is not None
    if before.freed <= before.owed or before.owed < 0:
        kept = "which had not given it back"
        if before.freed < NEVER:
            kept = f"which gave it back at {seconds(before.freed)} at the earliest"
    else:
        kept = f"to which it was owed until {seconds(before.owed)}, {_why_owed(before)}"
    early = f", {seconds(violation.by_ns)} too early" if before.freed < NEVER else ""
    return (
        f"{_granted(holdings, later)} at {seconds(later.got)}{early}, while it must still have been"
        f" held by {_named(holdings, before)}, {kept}."
    )


def _alive(holdings: Holdings, violation: Violation) -> str:
    grant = violation.grant
    assert grant is not None
    waited = ""
    if violation.before is not None:
        waited = (
            f" {_capital(_named(holdings, violation.before))} kept it until "
            f"{seconds(grant.over + violation.by_ns)}, so that it was granted after that."
        )
    life = grant.life
    grace = f", {seconds(life.grace_ns)} of grace included" if life.grace_ns else ""
    return (
        f"{_granted(holdings, grant)} at {seconds(grant.got)}, though its {_session(grant)} was"
        f" over for {seconds(violation.by_ns)}: it was renewed at {seconds(life.tried)} at the"
        f" latest, its time to live is {seconds(life.ttl_ns)}, and so it was over by"
        f" {seconds(grant.over)}{grace}.{waited}"
    )


def _once(holdings: Holdings, violation: Violation) -> str:
    later, before = violation.grant, violation.before
    assert later is not None and before is not None
    return (
        f"Process {before.process} and process {later.process} were both granted"
        f" {quoted(later.key)} with {holdings.number} {later.token}, at {seconds(before.got)} and"
        f" {seconds(later.got)}, but no two grants have one {holdings.number}."
    )


def _one_leader(holdings: Holdings, violation: Violation) -> str:
    seen = violation.seen
    assert seen is not None
    who, name, term, time = _observed(holdings.history, seen)
    sentence = f"{who} saw {quoted(name)} lead {quoted(violation.key)} in term {term} at {time}"
    if violation.grant is not None:
        leader = holdings.history[violation.grant.row].input
        return (
            f"{sentence}, but that term is of {quoted(leader)}: process {violation.grant.process}"
            f" won it at {seconds(violation.grant.got)}."
        )
    assert violation.seen_before is not None
    other, first, _, when = _observed(holdings.history, violation.seen_before)
    return f"{sentence}, but {_uncapital(other)} saw {quoted(first)} lead in it at {when}."


def _no_return(holdings: Holdings, violation: Violation) -> str:
    assert violation.seen is not None and violation.seen_before is not None
    who, name, term, time = _observed(holdings.history, violation.seen)
    _, later, top, when = _observed(holdings.history, violation.seen_before)
    return (
        f"{who} saw {quoted(name)} lead {quoted(violation.key)} in term {term} at {time}, after it"
        f" had seen {quoted(later)} lead in the later term {top} at {when}."
    )


def seconds(ns: int) -> str:
    """Say a time or a moment: `3.21 s`."""
    return f"{ns / SECOND:.3f}".rstrip("0").rstrip(".") + " s"


def _granted(holdings: Holdings, grant: Grant) -> str:
    what = "was granted" if holdings.takes == "acquire" else "became the leader of"
    return (
        f"Process {grant.process} {what} {quoted(grant.key)} with {holdings.number} {grant.token}"
    )


def _named(holdings: Holdings, grant: Grant) -> str:
    return f"process {grant.process} with {holdings.number} {grant.token}"


def _why_owed(grant: Grant) -> str:
    return (
        f"{seconds(grant.life.ttl_ns)} after the last renewal of its {_session(grant)} that was"
        " answered had been sent"
    )


def _session(grant: Grant) -> str:
    name = grant.life.name
    return name if name.startswith("session") else "session"


def _observed(history: History, seen: Event | int) -> tuple[str, object, int, str]:
    if isinstance(seen, Event):
        return f"Process {seen.process}", seen.value, seen.version, seconds(seen.time)
    op = history[seen]
    end = op.invoked if op.completed is None else op.completed
    return f"Process {op.process}", op.output, op.version, seconds(end)


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
