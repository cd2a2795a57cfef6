"""Each rule by a history that breaks it and nothing else, and what is said; none goes unnoticed."""

import re
from random import Random
from typing import Any

import held_histories
import leased_histories
import pytest
from held_histories import Event, event, in_order, operation

from partita.checker import History
from partita.checker.checks import Check
from partita.checker.holders import order
from partita.checker.holders import reference as held_reference
from partita.checker.holders.grants import holdings_of
from partita.checker.holders.holders import Holders
from partita.checker.leases import reference as leased_reference
from partita.checker.leases import rules
from partita.checker.leases.entries import kept_of
from partita.checker.leases.leases import final_reads
from partita.checker.watches.watches import Watches


def campaign(process: int, begin: float, end: float, term: int, name: str) -> list[Event]:
    fields = {"session": f"s{process}", "ttl": 3.0, "grace": 1.0}
    return operation(begin, end, process, "campaign", "e", version=term, value=name, **fields)


def observe(process: int, at: float, name: str, term: int) -> list[Event]:
    return operation(at, at + 0.1, process, "observe", "e", version=term, answer=name)


def saw(process: int, at: float, f: str, value: Any, version: int = -1) -> Event:
    known = {"version": version} if version >= 0 else {}
    return event(at, process, f, value=value, key="k", **known)


def poll(at: float, value: Any, index: int) -> Event:
    return event(at, 9, "poll", value=value, key="k", version=index, modified=index, stream=9)


WRITES = [
    *operation(1, 1.1, 1, "write", "k", value="a", version=5),
    *operation(3, 3.1, 1, "write", "k", value="b", version=8),
]
END = event(30, 7, "x")
LED = [*campaign(1, 1, 2, 10, "one"), *operation(3, 3.5, 1, "resign", "e"),
       *campaign(2, 2, 5, 11, "two")]  # fmt: skip
# Process 2 is granted the lock when process 1 gives it back, and its session is over by then.
SLEPT = [event(1.5, 1, "beat", sent=1, value=True, session="a", ttl=60.0),
         *operation(1, 2, 1, "acquire", "l", version=5, session="a"),
         event(2.6, 2, "beat", sent=2.5, value=True, session="b", ttl=2.0, grace=1.0),
         *operation(2.7, 10, 2, "acquire", "l", version=6, session="b"),
         *operation(9, 9.5, 1, "release", "l", session="a")]  # fmt: skip

CASES: list[tuple[Check, list[Event], str, str]] = [
    (Holders(), [*LED, *observe(3, 4, "two", 10)], "one leader a term",
     'saw "two" lead "e" in term 10 .* that term is of "one": process 1 won it at 2 s'),
    (Holders(), [*LED, *observe(3, 6, "two", 12), *observe(4, 7, "three", 12)],
     "one leader a term", 'saw "three" lead "e" in term 12 .* saw "two" lead in it'),
    (Holders(), [*LED, *observe(3, 6, "two", 11), event(7, 3, "observe", value="one", key="e",
                                                        version=10)],
     "no return", 'saw "one" lead "e" in term 10 at 7 s, after it had seen "two" lead .* 11'),
    (Holders(), SLEPT, "alive", "its session b was over for 3.4 s: it was renewed at 2.6 s at the "
     "latest, .* Process 1 with token 5 kept it until 9 s, so that it was granted after that"),
    (Watches(), [*WRITES, saw(3, 2, "arm", "a", 5), saw(3, 4, "seen", "b", 8),
                 saw(3, 5, "fire", "changed"), END], "after",
     'Process 3 saw version 8 of "k" at 4.000 s, though the watch .* version 5'),
    (Watches(), [*WRITES, saw(3, 2, "arm", "a", 5), saw(3, 3.2, "fire", "changed"),
                 saw(3, 3.3, "fire", "changed"), END], "armed", "none was armed: each fires once"),
    (Watches(), [*WRITES, saw(3, 2, "arm", "a", 5), END], "arrives",
     'left on "k" at 2.000 s never fired, though the write of "b" .*known for 26.900 s'),
    (Watches(), [*WRITES, poll(2, "a", 5), poll(3.5, "b", 8), poll(4, "a", 5), poll(5, "b", 8),
                 END], "ordered", "index 5 at 4.000 s, after .* index 8"),
    (Watches(), [*WRITES, poll(2, "a", 5), END], "arrives",
     'Query 9 never saw the write of "b" under "k" .*its last answer at 2.000 s was "a"'),
]  # fmt: skip


@pytest.mark.parametrize(("check", "events", "rule", "said"), CASES)
def test_a_rule_is_broken_and_told(check: Check, events: list[Event], rule: str, said: str) -> None:
    judgement = check.judge(History.of_events(in_order(events)), check.levels)
    assert judgement.figures["violations"] == {rule: 1}
    (found,) = judgement.found.values()
    assert re.search(said, found.explanation), found.explanation


VALID: list[tuple[Check, list[Event]]] = [
    (Holders(), [*LED, *observe(3, 2.5, "one", 10), *observe(3, 6, "two", 11)]),
    (Watches(), [*WRITES, saw(3, 2, "arm", "a", 5), saw(3, 3.2, "fire", "changed"),
                 saw(3, 4, "arm", "b", 8), END]),
    # Whoever lost the connection has no watch any more.
    (Watches(), [*WRITES, saw(4, 2, "arm", "a", 5), saw(4, 3.2, "fire", "changed"),
                 saw(3, 2, "arm", "a", 5), event(2.5, 3, "disarmed"), saw(3, 4, "arm", "b", 8),
                 END]),
    (Watches(), [*WRITES, poll(2, "a", 5), poll(3.5, "b", 8), END]),
    # Whoever watches what is not there, as it is not any more, is owed nothing.
    (Watches(), [*WRITES, saw(3, 2, "arm", "a", 5), saw(3, 3.2, "fire", "changed"),
                 *operation(4, 4.1, 1, "delete", "k", version=9), saw(3, 5, "arm", None), END]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "events"), VALID)
def test_what_keeps_the_rules_is_valid(check: Check, events: list[Event]) -> None:
    judgement = check.judge(History.of_events(in_order(events)), check.levels)
    assert set(judgement.levels.values()) == {True}, (judgement.found, judgement.reason)


@pytest.mark.parametrize("rule", [order.EXCLUSIVE, order.ALIVE, order.ONCE])
def test_a_rule_of_locks_that_is_left_out_is_noticed(rule: str) -> None:
    for seed in range(1_500):
        history = History.of_events(held_histories.wild(Random(seed)))
        holdings = holdings_of(history)
        if holdings is None:
            continue
        left = [each for each in order.broken(holdings) if each.rule != rule]
        if (not left) != held_reference.keeps(held_reference.grants(history)):
            return
    pytest.fail(f"nothing shows that {rule} is left out")


@pytest.mark.parametrize("rule", rules.RULES)
def test_a_rule_of_leases_that_is_left_out_is_noticed(rule: str) -> None:
    for seed in range(1_500):
        history = History.of_events(leased_histories.wild(Random(seed)))
        kept = kept_of(history)
        assert kept is not None
        found = rules.broken(kept, rules.fates(kept), final_reads(history))
        if (not [each for each in found if each.rule != rule]) != leased_reference.keeps(history):
            return
    pytest.fail(f"nothing shows that {rule} is left out")
