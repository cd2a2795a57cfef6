"""What each thing in a history means to the check, one small history each."""

from typing import Any

import pytest

from partita.checker import History
from partita.checker.checks import Judgement
from partita.checker.sessions.reference import keeps
from partita.checker.sessions.sessions import Sessions

LEVELS = Sessions.levels
Said = tuple[Any, ...]


def events(*said: Said) -> list[dict[str, Any]]:
    """Write a history of operations that follow each other: (process, f, key, value, version).

    A sixth part holds what else the completion says. A version of None is left out.
    """
    lines = []
    for process, f, key, value, version, *more in said:
        asked = {"process": process, "type": "invoke", "f": f, "key": key}
        answered = {**asked, "type": "ok", "value": value, **(more[0] if more else {})}
        if version is not None:
            answered["version"] = version
        lines += [{**asked, "value": None if f == "read" else value}, answered]
    return [{**line, "time": at * 1_000_000_000} for at, line in enumerate(lines)]


def judge(*said: Said) -> Judgement:
    """Judge a history, and see that its definition says the same."""
    history = History.of_events(events(*said))
    judgement = Sessions().judge(history, LEVELS)
    for level, answer in judgement.levels.items():
        assert answer == "unknown" or answer == keeps(history, level), level
    return judgement


def answers(judgement: Judgement) -> list[object]:
    return [judgement.levels[level] for level in LEVELS]


INFO = {"type": "info"}
MISMATCH = {"type": "fail", "error": "mismatch"}


def test_the_levels_from_the_strongest() -> None:
    stale = judge((1, "write", "x", 1, 11), (1, "write", "x", 2, 12), (2, "read", "x", 1, 11))
    assert answers(stale) == [False, True, True]
    # A write below what somebody else had seen before: in its session's order, but not in time's.
    late = judge((1, "write", "x", 1, 12), (2, "write", "y", 2, 11))
    assert answers(late) == [False, False, True]
    back = judge((1, "write", "x", 1, 12), (1, "write", "y", 2, 11))
    assert answers(back) == [False, False, False]
    assert stale.holds() == "ordered-sequential" and late.holds() == "sequential"
    assert back.holds() is None


@pytest.mark.parametrize(
    ("said", "lost"),
    [
        (
            (
                (3, "write", "y", 4, 11),
                (3, "write", "x", 5, 12),
                (3, "write", "x", 6, 14),
                (3, "write", "y", 7, 19),
                (7, "read", "y", 7, 19),
                (7, "read", "x", 5, 12),
            ),
            'Process 7 read version 12 of "x" at 10.000 s, after it had seen version 19 of "y" at'
            ' 8.000 s: version 14, process 3\'s write 6 under "x" (4.000 s to 5.000 s), had'
            " replaced version 12. The session went back (monotonic reads).",
        ),
        (
            ((3, "write", "x", 5, 12), (7, "write", "x", 6, 14), (7, "read", "x", 5, 12)),
            'Process 7 read version 12 of "x" at 4.000 s, after it had made version 14 of "x" at'
            ' 2.000 s: version 14, process 7\'s write 6 under "x" (2.000 s to 3.000 s), had'
            " replaced version 12. The session went back (read your writes).",
        ),
        (
            ((7, "write", "x", 5, 14), (7, "write", "y", 6, 12)),
            'Process 7\'s write 6 under "y" (2.000 s to 3.000 s) made version 12, although process'
            ' 7 had made version 14 of "x" at 0.000 s: the order of the session was not kept'
            " (monotonic writes).",
        ),
        (
            ((3, "write", "x", 5, 14), (7, "read", "x", 5, 14), (7, "write", "y", 6, 12)),
            'Process 7\'s write 6 under "y" (4.000 s to 5.000 s) made version 12, although process'
            ' 7 had seen version 14 of "x" at 2.000 s: the order of the session was not kept'
            " (writes follow reads).",
        ),
    ],
    ids=["monotonic-reads", "read-your-writes", "monotonic-writes", "writes-follow-reads"],
)
def test_the_guarantee_that_a_session_lost_is_named(said: tuple[Said, ...], lost: str) -> None:
    judgement = judge(*said)
    assert answers(judgement) == [False, False, False]
    assert judgement.found["sequential"].explanation == lost


def test_a_stale_read_names_who_had_seen_the_newer_version() -> None:
    judgement = judge(
        (1, "write", "x", 1, 11),
        (1, "write", "x", 2, 12, INFO),
        (3, "read", "x", 2, 12),
        (4, "read", "x", 1, 11),
    )
    assert answers(judgement) == [False, True, True]
    found = judgement.found["linearizable"]
    assert found.operations == (0, 1, 2, 3)
    assert found.explanation == (
        "Process 4's read of 1 under \"x\" (6.000 s to 7.000 s) was stale: version 12, process 1's"
        ' write 2 under "x" (from 2.000 s, never answered), had replaced version 11, which process'
        ' 3\'s read of 2 under "x" (4.000 s to 5.000 s) shows, and that was over at 5.000 s, before'
        " the read was invoked at 6.000 s."
    )


def test_null_is_a_register_before_its_first_update() -> None:
    assert answers(judge((1, "read", "x", None, None), (1, "write", "x", 1, 11))) == [True] * 3
    late = judge((1, "write", "x", 1, 11), (2, "read", "x", None, None))
    assert answers(late) == [False, True, True]
    # Whatever version the store tells for it, that of its replica for instance.
    assert answers(judge((1, "write", "y", 1, 11), (2, "read", "x", None, 11))) == [True] * 3
    written = judge((1, "write", "x", None, 11), (2, "read", "x", None, None))
    assert answers(written) == ["unknown"] * 3 and "null was written" in (written.reason or "")


def test_a_crashed_write_takes_part_if_somebody_saw_it() -> None:
    unseen = judge((1, "write", "x", 1, None, INFO), (2, "read", "x", None, None))
    assert not unseen.applies and unseen.reason == "the store's clients return no versions"
    seen = (1, "write", "x", 1, 11), (2, "write", "x", 2, None, INFO), (3, "read", "x", 2, 12)
    assert answers(judge(*seen)) == [True] * 3
    assert answers(judge(*seen, (3, "read", "x", 1, 11))) == [False] * 3
    # What crashed was told nothing: a version there counts for nothing.
    assert answers(judge((1, "write", "x", 1, 12), (2, "write", "y", 2, 11, INFO))) == [True] * 3


def test_a_crashed_write_that_only_a_cas_saw_stands_before_it() -> None:
    seen = (1, "write", "x", 1, 11), (2, "write", "x", 2, None, INFO)
    assert answers(judge(*seen, (3, "cas", "x", [2, 3], 14))) == [True] * 3
    assert answers(judge(*seen, (3, "cas", "x", [9, 3], 14))) == [False] * 3
    twice = judge(*seen, (3, "cas", "x", [2, 3], 14), (3, "cas", "x", [2, 4], 15))
    assert answers(twice) == [False] * 3


def test_a_cas_that_failed_has_read_what_it_met() -> None:
    before = (1, "write", "x", 1, 11), (1, "write", "x", 2, 12)
    met = judge(*before, (2, "cas", "x", [7, 3], 11, {**MISMATCH, "actual": 1}))
    assert answers(met) == [False, True, True]


def test_a_cas_that_failed_without_a_word_met_another_value() -> None:
    before = (1, "write", "x", 1, 11), (1, "write", "x", 2, 12)
    assert answers(judge(*before, (2, "cas", "x", [1, 3], None, MISMATCH))) == [True] * 3
    wrong = judge(*before, (2, "cas", "x", [2, 3], None, MISMATCH))
    assert answers(wrong) == [False, True, True]
    assert answers(judge(*before, (1, "cas", "x", [2, 3], None, MISMATCH))) == [False] * 3
    crashed = (3, "write", "x", 4, None, INFO)
    assert answers(judge(*before, crashed, (2, "cas", "x", [2, 3], None, MISMATCH))) == [True] * 3


def test_a_write_without_a_version_gets_it_from_its_reader_or_makes_all_unknown() -> None:
    read = judge((1, "write", "x", 1, None), (2, "read", "x", 1, 11), (1, "write", "x", 2, 12))
    assert answers(read) == [True] * 3
    unread = judge((1, "write", "x", 1, None), (2, "write", "y", 2, 11))
    assert answers(unread) == ["unknown"] * 3
    assert unread.reason == "1 acknowledged update returned no version"
    # What is broken without it is broken.
    broken = (3, "write", "x", 3, 11), (3, "write", "y", 4, 10)
    assert answers(judge((1, "write", "x", 1, None), *broken)) == [False] * 3


def test_a_read_without_a_version_has_that_of_the_only_write_of_its_value() -> None:
    stale = (1, "write", "x", 1, 11), (1, "write", "x", 2, 12), (2, "read", "x", 1, None)
    assert answers(judge(*stale)) == [False, True, True]
    twice = (1, "write", "x", 1, 11), (1, "write", "x", 1, 12), (2, "read", "x", 1, None)
    judgement = judge(*twice)
    assert answers(judgement) == ["unknown"] * 3
    assert judgement.reason == "1 read returned no version"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (((1, "write", "x", 1, 11), (2, "write", "y", 2, 11)), "were both given version 11"),
        (((1, "write", "x", 1, 11), (2, "read", "x", 1, 12)), "had been given version 11"),
        (
            ((1, "write", "x", 1, 11), (2, "read", "x", 9, 11)),
            "but that is the version of process 1",
        ),
        (
            ((1, "write", "x", 1, 11), (2, "read", "y", 1, 11)),
            "but that is the version of process 1",
        ),
        (((1, "write", "x", 1, 11), (2, "read", "x", 9, 12)), "a value that nobody ever wrote"),
        (((1, "write", "x", 1, 11), (2, "read", "x", 9, None)), "a value that nobody ever wrote"),
        (
            ((1, "write", "x", 1, None, INFO), (2, "read", "x", 1, 11), (3, "read", "x", 1, 12)),
            "but that value was written only once",
        ),
        (
            (
                (1, "write", "x", 1, None),
                (1, "write", "y", 2, None),
                (2, "read", "x", 1, 11),
                (3, "read", "y", 2, 11),
            ),
            "one version is one update of one register",
        ),
        (((1, "write", "x", 1, 11), (2, "cas", "x", [7, 2], 12)), "the old value was not there"),
    ],
)
def test_versions_that_contradict_each_other_break_every_level(
    said: tuple[Said, ...], why: str
) -> None:
    judgement = judge(*said)
    assert answers(judgement) == [False] * 3
    assert why in judgement.found["sequential"].explanation


def test_a_value_whose_write_failed_names_that_write() -> None:
    failed = {"type": "fail", "error": "timeout"}
    judgement = judge(
        (0, "write", "x", 4, 11), (1, "write", "x", 1, None, failed), (2, "read", "x", 1, 12)
    )
    found = judgement.found["sequential"]
    assert found.explanation.endswith("process 1's write 1 (2.000 s to 3.000 s) failed.")
    assert found.operations == (1, 2)


def test_one_write_read_under_two_versions() -> None:
    reads = (2, "read", "x", 1, 12), (3, "read", "x", 1, 13)
    judgement = judge((1, "write", "x", 1, None, INFO), *reads)
    assert answers(judgement) == [False] * 3


def test_sessions_are_those_that_the_store_names() -> None:
    writes = (1, "write", "x", 1, 11), (1, "write", "x", 2, 12)
    new, old = (2, "read", "x", 2, 12), (2, "read", "x", 1, 11)
    assert answers(judge(*writes, new, old)) == [False] * 3
    # The process got a new session, which has seen nothing yet.
    moved = (*old, {"session": "0x2"})
    assert answers(judge(*writes, new, moved)) == [False, True, True]
    # Two processes share one.
    shared = (3, "read", "x", 2, 12, {"session": "0x2"})
    judgement = judge(*writes, shared, moved)
    assert answers(judgement) == [False] * 3
    assert judgement.found["sequential"].explanation.startswith("Session 0x2 read version 11")


def test_lists() -> None:
    adds = (1, "add", "l", 5, 11), (1, "add", "l", 6, 12)
    assert (
        answers(judge((2, "read", "l", [], None), *adds, (2, "read", "l", [5, 6], 12)))
        == [True] * 3
    )
    assert answers(judge(*adds, (2, "read", "l", [5], 11))) == [False, True, True]
    assert answers(judge(*adds, (1, "read", "l", [5], 11))) == [False] * 3
    wrong: list[tuple[list[int], int, str]] = [
        ([6, 5], 11, "before that of process 1's add 6"),
        ([5, 6, 6], 12, "has an element twice"),
        ([6], 12, "before that of process 1's add 6"),
        ([5, 9], 12, "returned 9, which nobody added"),
        ([5, 6], 11, "but that is the version of process 1's add 5"),
    ]
    for elements, version, why in wrong:
        judgement = judge(*adds, (2, "read", "l", elements, version))
        assert answers(judgement) == [False] * 3, elements
        assert why in judgement.found["sequential"].explanation


def test_an_add_that_crashed_stands_where_it_was_read() -> None:
    adds = (1, "add", "l", 5, 11), (2, "add", "l", 7, None, INFO), (1, "add", "l", 6, 13)
    assert answers(judge(*adds, (3, "read", "l", [5, 7, 6], 13))) == [True] * 3
    assert answers(judge(*adds, (3, "read", "l", [5, 6], 13))) == [True] * 3
    late = (1, "add", "l", 5, 11), (1, "add", "l", 6, 13), (2, "add", "l", 7, None, INFO)
    assert answers(judge(*late, (3, "read", "l", [5, 7, 6], 13))) == [False, False, True]


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (((1, "write", "x", 1, None),), "the store's clients return no versions"),
        (
            ((1, "enqueue", "x", 1, 3),),
            "it judges read, write and cas, or read and add, not enqueue",
        ),
        (((1, "cas", "x", 1, 3),), "operation 0 is a cas of 1, which are no two values"),
        (
            ((1, "add", "x", 1, 3), (1, "add", "x", 1, 4), (1, "read", "x", [1], 3)),
            "1 was added twice",
        ),
        (((1, "add", "x", 1, 3), (1, "read", "x", 5, 3)), "operation 1 read 5, which is no list"),
    ],
)
def test_what_it_does_not_apply_to(said: tuple[Said, ...], why: str) -> None:
    judgement = judge(*said)
    assert not judgement.applies
    assert not judgement.levels
    assert judgement.reason and why in judgement.reason
