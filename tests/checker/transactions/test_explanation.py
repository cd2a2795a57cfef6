"""What is told of an anomaly: each kind of edge, those without a cycle, and which one is chosen."""

import re
from itertools import permutations

import pytest
from transactions_told import concurrent, history, sequential

from partita.checker import History
from partita.checker.transactions.analysis import Anomaly, Edge, Example
from partita.checker.transactions.anomalies import KINDS
from partita.checker.transactions.explanation import example_of, explained

SKEW = history(concurrent("rx_ ay1", "ry_ ax1"))
TWO = (Edge(0, 1, "rw", "x", None, 1), Edge(1, 0, "rw", "y", None, 1))


def told(given: History, name: str, *edges: Edge) -> list[str]:
    rows = tuple(dict.fromkeys(edge.source for edge in edges))
    return explained(given, name, Example(rows, edges)).explanation.splitlines()


def test_write_skew_is_told_as_in_the_books() -> None:
    assert told(SKEW, "G2-item", *TWO) == [
        "G2-item (write skew).",
        "T1 (process 0, 1,000 µs to 3,000 µs) read x as [], without the 1 that"
        " T2 (process 1, 2,000 µs to 4,000 µs) appended.",
        "T2 read y as [], without the 1 that T1 appended.",
        "So T1 came before T2 and T2 before T1: that cannot be.",
        "Each transaction missed what the other wrote: a rule that each of them checked can be"
        " broken by both together.",
        "Repeatable-read does not allow it; strong-snapshot-isolation does.",
    ]


LISTS = history(
    concurrent("ax1"), sequential("ay1", "rx1 ax2", process=4), concurrent("rx12 ry_", start=9)
)
REGISTERS = history(
    concurrent("wx1"), concurrent("rx1 wx2", start=4), concurrent("rx1", start=9, register=True)
)


@pytest.mark.parametrize(
    ("given", "edge", "said"),
    [
        (LISTS, Edge(0, 2, "ww", "x", 1, 2), "T appended 1 to x, and T appended 2 after it."),
        (LISTS, Edge(0, 2, "wr", "x", 1), "T appended 1 to x, and T read it in [1]."),
        (LISTS, Edge(2, 3, "wr", "x", 2), "T appended 2 to x, and T read its 2 in [1, 2]."),
        (
            LISTS,
            Edge(3, 1, "rw", "y", None, 1),
            "T read y as [], without the 1 that T appended.",
        ),
        (LISTS, Edge(1, 2, "process"), "Process 4 had made T before it made T."),
        (LISTS, Edge(0, 2, "realtime"), "T had ended before T began."),
        (
            LISTS,
            Edge(3, 1, "rw", "y", None, 1, "unread"),
            "T read y as [], without the 1 that T appended (nobody read it, so it came after all"
            " that was read).",
        ),
        (REGISTERS, Edge(0, 1, "ww", "x", 1, 2), "T wrote 1 to x, and T replaced it with 2."),
        (REGISTERS, Edge(0, 2, "wr", "x", 1), "T wrote 1 to x, and T read it."),
        (REGISTERS, Edge(2, 1, "rw", "x", 1, 2), "T read x as 1, before T wrote 2 to it."),
    ],
)
def test_each_kind_of_edge_has_its_sentence(given: History, edge: Edge, said: str) -> None:
    back = Edge(edge.target, edge.source, "realtime")
    assert said in [_nameless(line) for line in told(given, "G-single", edge, back)]


def _nameless(line: str) -> str:
    """Leave out which transaction it was, and when."""
    return re.sub(r"T\d( \([^)]*\))?", "T", line)


def test_what_has_no_cycle_is_told_by_what_each_did_to_the_key() -> None:
    given = history(concurrent("fail:ax1"), concurrent("rx1 ax2 ay1", start=4))
    lines = explained(given, "G1a", Example((0, 1), (), "x", 1)).explanation.splitlines()
    assert lines[1:3] == [
        "T1 (process 0, 1,000 µs to 2,000 µs) appended 1 to x, and failed.",
        "T2 (process 4, 3,000 µs to 4,000 µs) read x as [1] and appended 2 to x.",
    ]


def test_a_cycle_is_told_from_its_first_transaction_whatever_its_edges_begin_with() -> None:
    assert told(SKEW, "G2-item", *TWO) == told(SKEW, "G2-item", *reversed(TWO))


def test_the_example_does_not_depend_on_the_order_in_which_they_were_found() -> None:
    given = history(*[concurrent("ax1", start=n) for n in range(6)])
    near = Example((0, 1), (Edge(0, 1, "rw", "x"), Edge(1, 0, "wr", "x")))
    far = Example((0, 5), (Edge(0, 5, "rw", "x"), Edge(5, 0, "wr", "x")))
    timed = Example((0, 1), (Edge(0, 1, "rw", "x"), Edge(1, 0, "realtime")))
    long = Example((0, 1, 2), (Edge(0, 1, "rw"), Edge(1, 2, "wr"), Edge(2, 0, "wr")))
    for examples in permutations([long, timed, far, near]):
        assert example_of(given, Anomaly("G-single", 4, examples)) is near


@pytest.mark.parametrize("name", KINDS)
def test_each_anomaly_says_what_it_means_and_what_does_not_allow_it(name: str) -> None:
    lines = explained(SKEW, name, Example((0, 1), (), "x")).explanation.splitlines()
    assert lines[0] == f"{name} ({KINDS[name].called})."
    assert KINDS[name].meaning in lines
    assert "allow" in lines[-1] or not KINDS[name].rules_out
    assert all(line.endswith(".") for line in lines)
