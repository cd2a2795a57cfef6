"""What cannot be is refused with its line, and a run that tested nothing is unknown, and why."""

import re
from typing import Any

import pytest
from held_histories import Event, event, in_order, operation

from partita.checker import History
from partita.checker.checks import Check
from partita.checker.holders.holders import Holders
from partita.checker.leases.leases import Leases
from partita.checker.watches.watches import Watches


def said(check: Check, events: list[Event]) -> tuple[Any, str]:
    if all("time" in each for each in events):
        events = in_order(events)
    judgement = check.judge(History.of_events(events), check.levels)
    (answer,) = judgement.levels.values()
    return answer, judgement.reason or ""


def acquired(process: int, at: float, **more: Any) -> list[Event]:
    fields = {"version": 1, "session": f"s{process}", "ttl": 4.0} | more
    return operation(at, at + 1, process, "acquire", "a", **fields)


def untimed(events: list[Event], at: int) -> list[Event]:
    return [{name: value for name, value in each.items() if name != "time" or number != at}
            for number, each in enumerate(events)]  # fmt: skip


LOCKS = [
    ([acquired(1, 1)[0] | {"ttl": 0}, acquired(1, 1, ttl=4)[1] | {"ttl": 4}], "no lock was ever"),
    ([acquired(1, 1)[0] | {"ttl": 0}], "event 1: ttl is 0"),
    (acquired(1, 1, version=-1), "event 2: process 1's acquire .* without its token"),
    (operation(1, 2, 1, "release", "a"), "event 1: process 1's release comes without"),
    ([*acquired(1, 1), *acquired(1, 3)], "event 3: process 1's acquire comes though it holds"),
    (acquired(1, 1, ttl=0), "event 2: ttl is 0.*more than 0"),
    (acquired(1, 1, ttl="x"), 'event 2: ttl is "x"'),
    (acquired(1, 1, ttl=True), "event 2: ttl is true"),
    (acquired(1, 1, ttl=1e300), "event 2: ttl is 1e300.*to 1,000,000,000"),
    (acquired(1, 1, grace=10**400), "event 2: grace is 1.*from 0 to 1,000,000,000"),
    (acquired(1, 1, version=5.2), "event 2: process 1's acquire .* without its token"),
    (untimed(acquired(1, 1), 0), "event 1: process 1's acquire has no time"),
    (untimed(acquired(1, 1), 1), "event 2: process 1's acquire has no time"),
    ([*acquired(1, 1), *untimed([event(3, 1, "told")], 0)], "event 3: told has no time"),
    (
        [*acquired(1, 1), {"type": "info", "process": "monitor", "f": "leader", "value": ["n1"]}],
        "event 3: leader has no time",
    ),
    ([*acquired(1, 1), *untimed(operation(2, 3, 1, "release", "a", "info"), 1)],
     "event 4: process 1's release has no time"),
    (operation(1, 2, 1, "acquire", ["a"], version=1), 'event 1: its key is \\["a"\\]'),
    (
        [*acquired(1, 1), event(3, 1, "resource", key=["a"], version=1)],
        'event 3: its key is \\["a"\\], and must be a text or a number',
    ),
    (
        [*acquired(1, 1), event(3, 1, "beat", sent=2, value="renewed", session="s1")],
        'event 3: beat of process 1 has the value "renewed"',
    ),
    (
        [*acquired(1, 1), event(3, 1, "close", sent=2, value=1, session="s1")],
        "event 3: close of process 1 has the value 1, and must have true",
    ),
    (
        [*operation(0, 0.5, 1, "open", None, session="s1"), *acquired(1, 1),
         event(3, 1, "beat", sent=2, value=True, session="s9")],
        "event 5 renews session s9, which was never opened",
    ),
    ([*acquired(1, 1), event(3, 1, "beat", value=True)], "event 3: beat of process 1 needs `sent`"),
    (
        [*acquired(1, 1), event(3, 2, "resource", key="a", version=1)],
        "event 3: process 2 accesses .* token 1, which it was never granted",
    ),
    (acquired(1, 1), "no lock was ever contended"),
    (operation(1, 2, 1, "acquire", "a", "fail"), "nothing was ever granted"),
]  # fmt: skip


@pytest.mark.parametrize(("events", "reason"), LOCKS)
def test_locks(events: list[Event], reason: str) -> None:
    answer, why = said(Holders(), events)
    assert answer == "unknown"
    assert re.search(reason, why), why


def campaigned(process: int, at: float, name: str, **more: Any) -> list[Event]:
    return operation(at, at + 1, process, "campaign", "e", value=name, **({"version": 5} | more))


ELECTIONS = [
    (campaigned(1, 1, "x", version=5.2), "event 2: process 1's campaign .* without its term"),
    (
        [*campaigned(1, 1, "x"), *operation(3, 4, 2, "observe", "e", answer="x", version="x")],
        "event 4: process 2's observe .* without its term",
    ),
    (
        [*campaigned(1, 1, "x"), *operation(3, 4, 2, "observe", {}, answer="x", version=5)],
        "event 3: its key is {}",
    ),
    (
        [*campaigned(1, 1, "x"), event(3, 2, "observe", key="e", value="y", version="5")],
        "event 3: observe of process 2 is without its term, .* whole number from 0",
    ),
    (
        [*campaigned(1, 1, "x"), event(3, 2, "observe", key="e", value="y")],
        "event 3: observe of process 2 is without its term",
    ),
    (
        [*campaigned(1, 1, "x"), event(3, 2, "observe", key=["e"], value="y", version=5)],
        "event 3: its key is",
    ),
    (
        [*campaigned(1, 1, "x"), event(3, 2, "observe", key="e"),
         *operation(3, 4, 2, "observe", "e")],
        "no election was ever contended",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("events", "reason"), ELECTIONS)
def test_elections(events: list[Event], reason: str) -> None:
    answer, why = said(Holders(), events)
    assert answer == "unknown"
    assert re.search(reason, why), why


def test_two_clocks_are_refused() -> None:
    events = [*acquired(1, 5), *operation(1, 2, 1, "release", "a")]
    judgement = Holders().judge(History.of_events(events), Holders.levels)
    assert judgement.reason is not None
    assert judgement.reason.startswith("event 3: the time of process 1 falls")


def entry(**more: Any) -> list[Event]:
    return operation(1, 2, 1, "ephemeral", "e", version=7, **({"ttl": 3.0} | more))


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        (entry(ttl=None), "event 2: ttl is null"),
        (operation(1, 2, 1, "ephemeral", "e", version=7), "process 1, which has no `ttl`"),
        (entry(), "nobody looked"),
        ([*entry(), *operation(3, 4, 2, "look", "e", answer=None)], ""),
        ([*entry(), *operation(3, 4, 2, "look", "e", answer="x")], "without its revision"),
        (
            [*entry(), *operation(3, 4, 2, "look", "e", answer="x", version=7)],
            "no lease ever expired while somebody looked",
        ),
        (untimed(entry(), 1), "event 2: process 1's ephemeral has no time"),
        (
            [*entry(), *untimed(operation(3, 4, 2, "look", "e", answer=None), 1)],
            "event 4: process 2's look has no time",
        ),
        (
            [*entry(), *untimed(operation(3, 4, 2, "list", None, answer=[]), 1)],
            "event 4: process 2's list that returned [] has no time",
        ),
        (
            [*entry(), *untimed([event(3, 2, "event", key="e", version=9)], 0)],
            "event 3: event has no time",
        ),
        (
            [*entry(), event(3, 2, "event", key=["e"], version=9)],
            'event 3: its key is ["e"], and must be a text or a number',
        ),
        (operation(1, 2, 1, "ephemeral", {"a": 1}, version=7), 'event 1: its key is {"a":1}'),
        (
            [*entry(), *operation(3, 4, 2, "list", None, answer=[[["e"], 7]])],
            'and not of [["e"],7]',
        ),
        ([*entry(), *operation(3, 4, 2, "list", None, answer=[["e", -1]])], 'not of ["e",-1]'),
    ],
)
def test_leases(events: list[Event], reason: str) -> None:
    answer, why = said(Leases(), events)
    assert (answer, reason in why) == (True if not reason else "unknown", True), why


def test_watches() -> None:
    written = operation(1, 2, 1, "write", "a", value=1, version=3)
    began = event(0, 5, "resume", stream=1, version=1)
    assert said(Watches(), [*written, began, event(1, 5, "ended", stream=1)]) == (
        "unknown",
        "no watch ever delivered anything",
    )
    unversioned = event(3, 5, "event", value=1, key="a", stream=1)
    answer, why = said(Watches(), [*written, began, unversioned])
    assert (answer, why[:43]) == ("unknown", "event 4: event of stream 1 is without its v")
    behind = [*written, began, *operation(3, 4, 2, "write", "a", value=2, version=4)]
    told = event(3, 5, "event", value=1, key="a", stream=1, version=3)
    answer, why = said(Watches(), [*behind, told, event(5, 9, "x")])
    assert answer == "unknown"
    assert why.startswith('stream 1 had not delivered the write of 2 under "a" (revision 4)')


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (event(3, 5, "seen", key="a", value=1, version="3"), "seen of process 5 is without its v"),
        (event(3, 5, "arm", key="a", value=1), "arm of process 5 is without its version, which is"),
        (event(3, 5, "arm", value=1, version=3), "arm of process 5 is without its key"),
        (event(3, 5, "fire"), "fire of process 5 is without its key"),
        (event(3, 5, "poll", key="a", value=1, stream=1, version=3, modified=-1), "a poll needs"),
        (event(3, 5, "poll", key="a", value=1, stream=1, version=3, modified=3.5), "a poll needs"),
        (event(3, 5, "poll", key="a", value=1, version=3, modified=3), "a poll needs its stream"),
        (event(3, 5, "poll", value=1, stream=1, version=3, modified=3), "a poll needs its stream"),
        (event(3, 5, "event", value=1, stream=1, version=3), "event of stream 1 is without its k"),
        (event(3, 5, "resume", stream=1, version="1"), 'resume of stream 1 has the version "1"'),
    ],
)
def test_what_watches_tell_of_no_key_or_version(line: Event, reason: str) -> None:
    written = operation(1, 2, 1, "write", "a", value=1, version=3)
    answer, why = said(Watches(), [*written, line])
    assert answer == "unknown"
    assert why.startswith(f"event 3: {reason}"), why


def test_nothing_there_needs_no_version() -> None:
    written = operation(1, 2, 1, "write", "a", value=1, version=3)
    absent = [event(2, 5, f, key="a") for f in ("arm", "fire", "seen")]
    answer, why = said(Watches(), [*written, *absent, event(3, 6, "resume", stream=1)])
    assert (answer, why) == (True, "")


@pytest.mark.parametrize("check", [Holders(), Leases(), Watches()])
def test_a_history_without_any_is_not_judged(check: Check) -> None:
    judgement = check.judge(History.of_events(operation(1, 2, 1, "read", "a")), check.levels)
    assert (judgement.applies, judgement.levels) == (False, {})
    assert judgement.reason
