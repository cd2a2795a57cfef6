"""Availability, computed by hand on histories small enough to count on one's fingers."""

from typing import Any

import pytest

from partita.checker import History
from partita.reports import summarise
from partita.reports.figures.availability import (
    availability,
    by_second,
    load_of,
    longest_unavailability,
)
from partita.reports.figures.faults import Fault, Lost, faults_of, lost_of
from partita.reports.figures.quorum import bound_over_time, with_quorum

SECOND = 1_000_000_000
NODES = ["n1", "n2", "n3"]


def op(
    process: int,
    due: float,
    done: float,
    outcome: str = "ok",
    *,
    f: str = "write",
    node: str = "n1",
    sent: float | None = None,
    error: str | None = None,
) -> list[dict[str, Any]]:
    """The two events of an operation; times in seconds."""
    sent = due if sent is None else sent
    common = {"process": process, "f": f, "node": node, "value": process}
    invoke = {**common, "time": int(sent * SECOND), "type": "invoke", "due": int(due * SECOND)}
    complete = {**common, "time": int(done * SECOND), "type": outcome}
    return [invoke, complete | ({"error": error} if error else {})]


def nemesis(at: float, kind: str, f: str, value: dict[str, Any]) -> list[dict[str, Any]]:
    time = int(at * SECOND)
    return [{"time": time, "type": kind, "process": "nemesis", "f": f, "value": value}]


def history(*events: list[dict[str, Any]]) -> History:
    flat = (event for each in events for event in each)
    return History.of_events(sorted(flat, key=lambda event: event["time"]))


def loaded(*events: list[dict[str, Any]], timeout: float = 1.0) -> Any:
    return load_of(history(*events), NODES, timeout)


def test_an_operation_counts_from_its_due_time() -> None:
    # Sent 0.9 s late by a blocked client: 0.2 s of the store's time, but 1.1 s of the user's.
    late = loaded(op(0, 0.0, 1.1, sent=0.9))
    assert availability(late) == 0.0
    assert availability(loaded(op(0, 0.0, 1.0, sent=0.9))) == 1.0


@pytest.mark.parametrize(
    ("outcome", "error", "share"),
    [
        ("ok", None, 1.0),
        ("fail", "mismatch", 1.0),
        ("fail", "connection refused", 0.0),
        ("info", "timeout", 0.0),
    ],
)
def test_mismatch_is_an_answer_and_other_errors_are_not(
    outcome: str, error: str | None, share: float
) -> None:
    assert availability(loaded(op(0, 0.0, 0.1, outcome, f="cas", error=error))) == share


def test_an_operation_that_never_completed_is_unavailable() -> None:
    assert availability(loaded(op(0, 0.0, 0.1)[:1])) == 0.0


def test_nothing_due_is_no_availability_at_all() -> None:
    assert availability(loaded()) is None
    assert longest_unavailability(loaded()) == (0, 0)


def test_windows_are_one_second_of_due_time() -> None:
    windows = by_second(
        loaded(
            op(0, 0.1, 0.2, node="n1"),
            op(1, 0.9, 1.2, "info", node="n2"),
            op(2, 2.5, 2.6, node="n2"),
        )
    )
    assert windows.overall.tolist()[::2] == [0.5, 1.0]
    assert windows.overall[1] != windows.overall[1]  # nothing was due: not a number
    assert windows.by_node[1, 0] == 0.0
    assert windows.by_node[1, 2] == 1.0


@pytest.mark.parametrize("said", ["load", None])
def test_final_reads_do_not_count(said: str | None) -> None:
    phase = {"process": "nemesis", "type": "info", "f": "phase"}
    events = [
        [{**phase, "time": 0, "value": said}] if said else [],
        op(0, 0.1, 0.2, "info"),
        [{**phase, "time": 2 * SECOND, "value": "final reads"}],
        op(1, 2.1, 2.2, f="read"),
    ]
    assert availability(loaded(*events)) == 0.0


def test_longest_unavailability_runs_from_due_to_answer() -> None:
    # Answers at 0.2, 4.0 and 5.5. Between 0.2 and 1.0 nothing was due; from 1.0 on something was
    # always outstanding (1.0 to 4.0), and nothing was answered before 4.0.
    load = loaded(
        op(0, 0.1, 0.2), op(1, 1.0, 4.0), op(2, 2.0, 3.0, "info"), op(3, 5.0, 5.5), timeout=1.5
    )
    assert longest_unavailability(load) == (1.0 * SECOND, 4.0 * SECOND)
    assert longest_unavailability(load, end=3 * SECOND) == (1.0 * SECOND, 3.0 * SECOND)


def test_a_node_that_is_started_again_counts_before_its_fault_is_over() -> None:
    value = {"fault": 1, "target": "n2,n3", "description": "kill n2 n3", "nodes": ["n2", "n3"]}
    (fault,) = faults_of(
        history(
            nemesis(1.0, "invoke", "kill", value),
            nemesis(1.1, "ok", "kill", value),
            nemesis(3.0, "invoke", "start", {"nodes": ["n3"], "of": [1], "faults": []}),
            nemesis(3.1, "ok", "start", {"nodes": ["n3"], "of": [1], "faults": []}),
            nemesis(5.0, "invoke", "start", {"nodes": ["n2"], "of": [1], "faults": [1]}),
            nemesis(5.1, "ok", "start", {"nodes": ["n2"], "of": [1], "faults": [1]}),
        )
    )
    assert (fault.heal, fault.end) == (5 * SECOND, int(5.1 * SECOND))
    bound = bound_over_time(NODES, [fault], end=6 * SECOND)
    times = [int(s * SECOND) for s in (0, 1.1, 3.1, 5.0, 5.1, 6)]
    two = pytest.approx(2 / 3)
    assert bound == [*zip(times, [1.0, 0.0, two, 1.0, 1.0, 1.0], strict=True)]


def test_what_a_faults_mechanism_counted_is_its_proof_and_0_means_that_it_never_bit() -> None:
    value = {"fault": 1, "target": "all", "description": "n1 | n2", "grudge": {"n1": ["n2"]}}

    def told(count: int) -> Any:
        figures = {"1": {"packets_refused": count, "by_link": {"n1>n2": count}}}
        (fault,) = faults_of(
            history(
                nemesis(1.0, "ok", "reset", value),
                nemesis(1.1, "info", "probe", {"fault": 1, "bit": True}),
                nemesis(3.0, "ok", "heal", {"faults": [1], "figures": figures}),
            )
        )
        return fault

    assert told(42).proof == {"packets_refused": 42}
    assert told(42).bit is True
    assert told(0).bit is False


def test_what_is_never_answered_is_outstanding_until_its_time_out() -> None:
    load = loaded(op(0, 1.0, 9.0, "info"), op(1, 5.0, 9.0, "info"), timeout=2.0)
    begin, end = longest_unavailability(load)
    assert (end - begin) == 2 * SECOND


def cut(at: float, healed: float) -> list[dict[str, Any]]:
    grudge = {"n1": ["n2", "n3"], "n2": ["n1"], "n3": ["n1"]}
    value = {"fault": 1, "target": "leader", "description": "n1 | n2 n3", "grudge": grudge}
    pairs = [["n1", "n2"], ["n1", "n3"], ["n2", "n1"], ["n3", "n1"]]
    probe = {"fault": 1, "bit": True, "cut": pairs, "unreachable": pairs}
    return [
        *nemesis(at, "invoke", "partition", value),
        *nemesis(at + 0.1, "ok", "partition", value),
        *nemesis(at + 0.2, "info", "probe", probe),
        *nemesis(healed, "invoke", "heal", {"faults": [1]}),
        *nemesis(healed + 0.1, "ok", "heal", {"faults": [1], "dropped": {"1": 42}}),
    ]


def test_times_around_a_fault() -> None:
    summary = summarise(
        history(
            cut(10.0, 20.0),
            # Sent before the cut, acknowledged after it: says nothing about a new leader.
            op(0, 9.9, 10.5, node="n2"),
            # Nor does one that slipped through while the rules were being laid.
            op(6, 10.05, 10.2, node="n3"),
            # A minority node that still answers reads is no new leader, nor is a read.
            op(1, 11.0, 11.1, f="read", node="n1"),
            op(2, 11.0, 11.2, f="read", node="n2"),
            op(3, 12.0, 13.5, node="n3"),
            op(4, 19.0, 20.25, node="n1"),
            op(5, 20.1, 20.2, node="n2"),
        ),
        {"nodes": NODES, "timeout": 1.0},
    )
    (fault,) = summary["faults"]
    assert (fault["from"], fault["to"], fault["bit"]) == (10.0, 20.1, True)
    assert fault["quorum"] == ["n2", "n3"]
    assert (fault["cut"], fault["heal"]) == (10.1, 20.0)
    assert fault["seconds_to_new_leader"] == 3.4
    assert fault["recover_by_node"] == {"n1": 0.15}
    assert fault["seconds_to_recover"] == 0.15
    assert fault["proof"] == {"pairs_cut": 4, "pairs_unreachable": 4, "packets_dropped": 42}
    # Due between 10.1 s and 20 s: two reads in time, a write 1.5 s and one 1.25 s after it was due.
    assert fault["availability"] == 0.5
    assert fault["longest_unavailability"] == 1.5


def test_a_node_that_never_comes_back_is_no_recovery() -> None:
    summary = summarise(history(cut(1.0, 2.0), op(0, 0.1, 0.2)), {"nodes": NODES, "timeout": 1.0})
    (fault,) = summary["faults"]
    assert fault["recover_by_node"] == {"n1": None}
    assert fault["seconds_to_recover"] is None
    assert fault["seconds_to_new_leader"] is None


def test_a_fault_whose_injection_failed_did_not_bite() -> None:
    value = {"fault": 1, "target": "one", "grudge": {"n1": ["n2"]}}
    failed = {**value, "error": "n1: iptables: not found"}
    events = [
        nemesis(1.0, "invoke", "partition", value),
        nemesis(1.1, "fail", "partition", failed),
    ]
    (fault,) = summarise(history(*events), {"nodes": NODES, "timeout": 1.0})["faults"]
    assert (fault["bit"], fault["to"]) == (False, None)
    assert fault["error"] == "n1: iptables: not found"


def test_a_fault_that_could_not_even_begin_is_listed() -> None:
    failed = nemesis(1.0, "fail", "partition", {"fault": 1})
    failed[0]["error"] = "no node leads"
    (fault,) = summarise(history(failed), {"nodes": NODES, "timeout": 1.0})["faults"]
    assert (fault["bit"], fault["from"], fault["to"]) == (False, 1.0, 1.0)
    assert fault["error"] == "no node leads"


def test_a_heal_that_failed_heals_nothing() -> None:
    value = {"fault": 1, "target": "one", "grudge": {"n1": ["n2"]}}
    events = [
        nemesis(1.0, "invoke", "partition", value),
        nemesis(2.0, "invoke", "heal", {"faults": [1]}),
        nemesis(2.1, "fail", "heal", {"faults": [1]}),
        nemesis(3.0, "invoke", "heal", {"faults": [1]}),
        nemesis(3.1, "ok", "heal", {"faults": [1]}),
    ]
    (fault,) = summarise(history(*events), {"nodes": NODES, "timeout": 1.0})["faults"]
    assert (fault["heal"], fault["to"]) == (3.0, 3.1)


def test_a_node_that_was_back_before_all_were_healed_took_no_time() -> None:
    events = [cut(1.0, 2.0), op(0, 1.5, 2.05, node="n1"), op(1, 2.2, 2.3, node="n1")]
    (fault,) = summarise(history(*events), {"nodes": NODES, "timeout": 1.0})["faults"]
    assert fault["recover_by_node"] == {"n1": 0.0}


def fault_of(**fields: Any) -> Fault:
    return Fault(1, "partition", "x", "", begin=1, cut=1, heal=3, end=3, **fields)


def test_quorum_needs_links_in_both_directions_and_more_than_half() -> None:
    five = ["n1", "n2", "n3", "n4", "n5"]
    halves = {"n1": ["n3", "n4", "n5"], "n2": ["n3", "n4", "n5"]}
    assert with_quorum(five, [fault_of(grudge=halves)]) == {"n3", "n4", "n5"}
    assert with_quorum(five[:4], [fault_of(grudge={"n1": ["n3", "n4"], "n2": ["n3", "n4"]})]) == (
        frozenset()
    )
    # One pair cut leaves everybody connected through the others.
    assert with_quorum(five, [fault_of(grudge={"n1": ["n2"]})]) == set(five)
    # Nodes that are down count among all nodes, and cannot reach anybody.
    assert with_quorum(five, [fault_of(down=("n1", "n2"))]) == {"n3", "n4", "n5"}
    assert with_quorum(five, [fault_of(down=("n1", "n2", "n3"))]) == frozenset()


def test_overlapping_faults_add_up() -> None:
    alone, killed = fault_of(grudge={"n1": ["n2", "n3"]}), fault_of(down=("n3",))
    assert with_quorum(NODES, [alone]) == {"n2", "n3"}
    assert with_quorum(NODES, [alone, killed]) == frozenset()


def test_the_bound_steps_with_the_faults() -> None:
    steps = bound_over_time(NODES, [fault_of(grudge={"n1": ["n2", "n3"]})], end=5)
    assert steps == [(0, 1.0), (1, pytest.approx(2 / 3)), (3, 1.0), (5, 1.0)]


def test_a_node_that_was_lost_is_named_with_the_time() -> None:
    events = nemesis(7.5, "info", "lost", {"node": "n3", "heard": 6.25})
    assert lost_of(history(events)) == [Lost("n3", 6.25, 7.5)]
    assert faults_of(history(events)) == []


def test_what_fails_at_last_is_not_waited_for_when_nobody_asks_any_more() -> None:
    acknowledged = [op(at, at / 10, at / 10 + 0.05) for at in range(9)]
    refused = op(9, 0.9, 0.95, outcome="fail")
    summary = summarise(history(*acknowledged, refused), {"nodes": NODES, "timeout": 5.0})
    assert summary["longest_unavailability"] == 0.05
