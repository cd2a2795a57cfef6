"""Pages of locks, elections, ephemerals and watches, from histories in which all can be counted."""

import json
from pathlib import Path
from random import Random

from held_histories import SECOND, Event, event, in_order, operation
from judged_run import write_judged
from leased_histories import kept as kept_leases
from watched_histories import followed

from partita.checker import History
from partita.checker.checks import Check
from partita.checker.holders.holders import Holders
from partita.checker.leases.leases import Leases
from partita.checker.watches.watches import Watches
from partita.reports import read_run, write_all
from partita.reports.sections.locks import Locks


def stored(directory: Path, check: Check, events: list[Event]) -> Path:
    ordered = in_order(events)
    history = History.of_events(ordered)
    run = write_judged(directory, [check.judge(history, check.levels)])
    (run / "history.jsonl").write_text("".join(json.dumps(each) + "\n" for each in ordered))
    results = json.loads((run / "results.json").read_text())
    (run / "results.json").write_text(json.dumps(results | {"operations": len(history)}))
    return run


def held(takes: str = "acquire", gives: str = "release") -> list[Event]:
    """Process 1 holds from 1 s, and believes so until it is told at 9 s; 2 has it at 6 s."""
    cut = {"fault": 1, "target": "one", "description": "n1"}
    events: list[Event] = [
        {"time": at * SECOND, "type": kind, "process": "nemesis", "f": f, "value": cut | more}
        for at, kind, f, more in (
            (2, "invoke", "pause", {"nodes": ["n1"]}), (2, "ok", "pause", {"nodes": ["n1"]}),
            (8, "invoke", "heal", {"faults": [1]}), (8, "ok", "heal", {"faults": [1]}),
        )
    ]  # fmt: skip
    for process, asked, got, left in ((1, 0, 1, 10), (2, 3, 6, 13)):
        session = f"s{process}"
        fields = {"session": session, "ttl": 4.0, "version": process * 10, "value": f"p{process}"}
        events += operation(asked, got, process, takes, "a", **fields)
        events += operation(left, left + 0.5, process, gives, "a", session=session)
        sent = got - 0.5
        beat = {"sent": sent, "value": True, "session": session}
        events.append(event(got - 0.2, process, "beat", **beat))
    events.append(event(7.5, 1, "suspended", session="s1"))
    events.append(event(9, 1, "told", session="s1"))
    access = {"key": "a", "version": 10, "session": "s1"}
    later = {"key": "a", "version": 20, "session": "s2"}
    events += [
        event(5.5, 1, "resource", **access), event(6.5, 2, "resource", **later),
        event(7, 2, "resource", value="x", **later), event(8, 1, "resource", value="y", **access),
    ]  # fmt: skip
    return events


def test_locks_show_the_four_rules_and_what_was_lost(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", Holders(), held())
    html = write_all(run, ["html"])[-1].read_text()
    told = html[html.index("Who held the lock") :]
    naive = told[told.index("(<code>naive</code>)") :][:200]
    assert "4.0\N{NO-BREAK SPACE}s" in naive
    judged = told[told.index("(<code>told</code>), judged") :][:200]
    assert "3.0\N{NO-BREAK SPACE}s" in judged
    assert "Without a fence 1 were lost; with one 0" in told
    (picture,) = [each for each in Locks().draw(read_run(run)) if not isinstance(each, str)]
    assert [each.get_text() for each in picture.figure.axes[0].get_yticklabels()] == [
        "process 2",
        "process 1",
    ]
    assert "3 s" in {each.get_text() for each in picture.figure.axes[0].texts}


def test_leaders(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", Holders(), held("campaign", "resign"))
    html = write_all(run, ["html"])[-1].read_text()
    assert "Who led" in html
    assert "Who held the lock" not in html
    assert "Exactly one believed to lead for" in html


def test_lives_of_ephemerals(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", Leases(), kept_leases(Random(3)))
    html = write_all(run, ["html"])[-1].read_text()
    assert "3 ephemeral entries were made" in html


def test_watches(tmp_path: Path) -> None:
    events, _ = followed(Random(5))
    run = stored(tmp_path / "run", Watches(), events)
    html = write_all(run, ["html"])[-1].read_text()
    assert "deliveries came from 3 streams" in html
    assert "one-shot watches fired" not in html and "queries were answered" not in html
    # Quick ones are told in milliseconds: 0.00 s says nothing.
    assert "0.00\N{NO-BREAK SPACE}s" not in html


def test_a_run_without_any_shows_nothing_of_it(tmp_path: Path) -> None:
    reads = operation(1, 2, 1, "read", "a")
    html = write_all(stored(tmp_path / "run", Watches(), reads), ["html"])[-1].read_text()
    for title in ("Who held the lock", "Who led", "How long ephemeral", "How long watches"):
        assert title not in html
